"""Phi-4-multimodal without audio, in the layout of ONNX Runtime GenAI.

The vision LoRA is folded into the decoder, where the published files have it beside the decoder, to be switched on for images.
"""

import copy
import dataclasses
from pathlib import Path

import torch

from phi4mm.model import CROP, load as load_model
from phi4mm.processor import SIDE, Phi4MMProcessor

from .genai import CROPS, IMAGES, TEXT, VISION, Places, embedding_graph, settings, write_json
from .graphs import Decoder, Graph, decoder_graph


class VisionEncoder(torch.nn.Module):
    """pixel_values [images, crops, 3, 448, 448], image_attention_mask float [images, crops, 32, 32], image_sizes int64 [images, 2]
    -> image_features [tokens of all images, hidden]

    Padded patches are no keys, and an image's rows and columns of padding have no tokens. `columns_of` has the learned position of
    each patch in a row of a crop of which so many patches are no padding.
    """

    def __init__(self, model):
        super().__init__()
        self.embed = model.model.embed_tokens_extend.image_embed
        self.places = Places(SIDE // 2)
        side = self.embed.img_processor.embeddings.num_patches_per_side
        bounds = torch.arange(1 / side, 1.0, 1 / side)
        fractions = [(torch.arange(side, dtype=torch.float32) * (1.0 / torch.tensor(n))).clamp(max=1 - 1e-6) for n in range(1, side + 1)]
        self.register_buffer("columns_of", torch.stack([torch.bucketize(f, bounds, right=True) for f in [fractions[0], *fractions]]))

    def forward(self, pixel_values, image_attention_mask, image_sizes):
        images, crops = pixel_values.shape[:2]
        mask = image_attention_mask.flatten(0, 1) > 0.5
        grids = self.pooled(pixel_values.flatten(0, 1), mask)
        channels = grids.shape[-1]
        line, separator = self.embed.sub_img_feature_extensor, self.embed.global_img_feature_extensor
        table = torch.cat([grids.reshape(-1, channels), line.reshape(1, -1), separator.reshape(1, -1)])
        rows, columns = (image_sizes // CROP).unbind(1)
        used = (mask.unflatten(0, (images, crops))[:, 1:, ::2, ::2]).to(torch.int64)
        crop = torch.arange(crops - 1)[None]
        first_column = (crop % columns[:, None] == 0) & (crop < (rows * columns)[:, None])
        first_row = crop < columns[:, None]
        height = (used[..., 0].sum(-1) * first_column).sum(-1)
        width = (used[..., 0, :].sum(-1) * first_row).sum(-1)
        tokens = self.embed.img_projection_up(table[self.places(crops, columns, height, width)])
        return self.embed.img_projection_down(torch.nn.functional.gelu(tokens))

    def pooled(self, crops, mask):
        """[n, 3, 448, 448] -> [n, 16, 16, C]: the chosen layer of the tower, each 2 x 2 patches averaged."""
        tower = self.embed.img_processor
        patches = tower.embeddings.patch_embedding(crops).flatten(2).transpose(1, 2)
        down = self.columns_of[mask[:, :, 0].sum(1)]
        across = self.columns_of[mask[:, 0, :].sum(1)]
        position = down[:, :, None] * tower.embeddings.num_patches_per_side + across[:, None, :]
        position = torch.where(mask, position, 0).flatten(1)
        hidden = patches + tower.embeddings.position_embedding(position)
        keys = mask.flatten(1)[:, None, None, :].expand(-1, 1, hidden.shape[1], -1)
        for layer in tower.encoder.layers[: len(tower.encoder.layers) + 1 + self.embed.layer_idx]:
            hidden = layer(hidden, keys)
        hidden = hidden.unflatten(1, (SIDE // 2, 2, SIDE // 2, 2))
        return hidden.mean((2, 4))


class LongRotary(torch.nn.Module):
    """Angles by the longest prompt: beyond `original_max_position_embeddings` other frequencies. transformers' own writes to a buffer."""

    def __init__(self, rotary, original: int):
        super().__init__()
        self.original, self.scaling = original, rotary.attention_scaling
        rotary(torch.zeros(1), torch.tensor([[original]]))  # it computes the long frequencies when they are first wanted
        self.register_buffer("short", rotary.original_inv_freq.clone())
        self.register_buffer("long", rotary.long_inv_freq.clone())

    def forward(self, x, position_ids, layer_type=None):
        frequencies = torch.where(position_ids.max() >= self.original, self.long, self.short)
        angles = position_ids[..., None].float() * frequencies
        angles = torch.cat([angles, angles], -1)
        return angles.cos() * self.scaling, angles.sin() * self.scaling


def load(folder: Path):
    return load_model(folder), Phi4MMProcessor.from_pretrained(folder)


def graphs(model) -> list[Graph]:
    mask = torch.ones(2, 4, SIDE, SIDE)
    mask[0, 2, :, 20:] = 0
    vision = Graph(
        file=VISION,
        module=VisionEncoder(model),
        arguments=(torch.randn(2, 4, 3, CROP, CROP), mask, torch.tensor([[CROP, 2 * CROP], [3 * CROP, CROP]])),
        inputs=["pixel_values", "image_attention_mask", "image_sizes"],
        dynamic_shapes=({0: IMAGES, 1: CROPS}, {0: IMAGES, 1: CROPS}, {0: IMAGES}),
        outputs=["image_features"],
    )
    decoder = Decoder(model)
    if model.config.rope_parameters["rope_type"] == "longrope":
        decoder.text = copy.copy(decoder.text)
        decoder.text._modules = dict(decoder.text._modules)  # the model itself keeps its own
        decoder.text.rotary_emb = LongRotary(model.model.rotary_emb, model.config.original_max_position_embeddings)
    text = decoder_graph(model, decoder)
    embedding = embedding_graph(model, model.config.vision_config.image_token_id, audio=True)
    return [vision, embedding, dataclasses.replace(text, file=TEXT)]


def finish(model, processor, out: Path) -> None:
    vision = {"pixel_values": "pixel_values", "attention_mask": "image_attention_mask", "image_sizes": "image_sizes"}
    embedding = ["input_ids", "image_features", "audio_features"]
    decoder = ["inputs_embeds", "attention_mask", "position_ids"]
    config = settings("phi4mm", model, vision, embedding, decoder, config_filename="vision_processor.json")
    write_json(config, out / "genai_config.json")
    hd = {"dynamic_hd": processor.image_processor.dynamic_hd, "dyhd_base_resolution": CROP}
    steps = [
        {"name": "decode_image", "type": "DecodeImage", "attrs": {"color_space": "RGB"}},
        {"name": "phi4_vision_dynamic_preprocess", "type": "Phi4VisionDynamicPreprocess", "attrs": hd},
        {"name": "rescale", "type": "Rescale", "inputs": [":0"]},
        {"name": "normalize", "type": "Normalize", "attrs": {"mean": [0.5] * 3, "std": [0.5] * 3}},
        {
            "name": "phi4_vision_processor",
            "type": "Phi4VisionProcessor",
            "inputs": [":0", "phi4_vision_dynamic_preprocess:1"],
            "attrs": {"dyhd_base_resolution": CROP, "interpolation": "CUBIC"},
        },
    ]
    processor_settings = {"name": "phi_4_vision_processor", "transforms": [{"operation": s} for s in steps], "output_aligner": "phi4-vision-aligner"}
    write_json({"processor": processor_settings}, out / "vision_processor.json")
