"""Phi-3-vision and Phi-3.5-vision, in the layout of ONNX Runtime GenAI with its own decoder (GroupQueryAttention).

The decoder takes no position_ids: it counts the ones of attention_mask. So prompts of one batch have one length.
"""

import contextlib
import tempfile
from pathlib import Path

import onnx
import torch
from transformers import Phi3Config, Phi3ForCausalLM

from phi3_v.model import CROP, load as load_model
from phi3_v.processor import Phi3VProcessor

from .genai import CROPS, IMAGES, TEXT, VISION, Places, embedding_graph, settings, write_json
from .graphs import Graph


class VisionEncoder(torch.nn.Module):
    """pixel_values [images, crops, 3, 336, 336], image_sizes int64 [images, 2] -> image_features [tokens of all images, hidden]"""

    def __init__(self, model):
        super().__init__()
        self.embed = model.model.vision_embed_tokens
        clip = self.embed.img_processor["vision_model"].config
        self.places = Places(clip.image_size // clip.patch_size // 2)

    def forward(self, pixel_values, image_sizes):
        images, crops = pixel_values.shape[:2]
        grids = self.embed.grids(pixel_values.flatten(0, 1))
        channels = grids.shape[-1]
        table = torch.cat([grids.reshape(-1, channels), self.embed.sub_GN.reshape(1, -1), self.embed.glb_GN.reshape(1, -1)])
        rows, columns = (image_sizes // CROP).unbind(1)
        place = self.places(crops, columns, rows * self.places.side, columns * self.places.side)
        return self.embed.img_projection(table[place])


def load(folder: Path):
    return load_model(folder), Phi3VProcessor.from_pretrained(folder)


def graphs(model) -> list[Graph]:
    vision = Graph(
        file=VISION,
        module=VisionEncoder(model),
        arguments=(torch.randn(2, 5, 3, CROP, CROP), torch.tensor([[CROP, 4 * CROP], [2 * CROP, CROP]])),
        inputs=["pixel_values", "image_sizes"],
        dynamic_shapes=({0: IMAGES, 1: CROPS}, {0: IMAGES}),
        outputs=["image_features"],
    )
    return [vision, embedding_graph(model, image_token=None, audio=False)]


def finish(model, processor, out: Path) -> None:
    """The decoder, by ONNX Runtime GenAI's model builder, and the settings."""
    decoder = build_decoder(model, processor.tokenizer)
    large = decoder.ByteSize() > 1 << 30
    onnx.save(decoder, out / f"{TEXT}.onnx", save_as_external_data=large, location=f"{TEXT}.onnx_data" if large else None)
    vision = {"pixel_values": "pixel_values", "image_sizes": "image_sizes"}
    inputs = ["inputs_embeds", "attention_mask"]
    write_json(settings("phi3v", model, vision, ["input_ids", "image_features"], inputs), out / "genai_config.json")
    images = processor.image_processor
    transform = {"num_crops": images.num_crops, "num_img_tokens": images.num_img_tokens}
    steps = [("decode_image", "DecodeImage", {"color_space": "RGB"}), ("convert_to_rgb", "ConvertRGB", {})]
    steps += [("phi3_image_transform", "Phi3ImageTransform", transform)]
    write_json(transforms(steps), out / "processor_config.json")


def build_decoder(model, tokenizer) -> onnx.ModelProto:
    """The builder wants a text model on disk, and talks."""
    from onnxruntime_genai.models.builder import create_model, parse_extra_options

    known = Phi3Config().to_dict().keys() - {"model_type", "architectures"}
    text = Phi3ForCausalLM(Phi3Config(**{name: value for name, value in model.config.to_dict().items() if name in known}))
    text.load_state_dict({name: value for name, value in model.state_dict().items() if "vision_embed_tokens" not in name})
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(None):
        checkpoint, built, cache = (str(Path(folder) / name) for name in ("text", "built", "cache"))
        text.save_pretrained(checkpoint)
        tokenizer.save_pretrained(checkpoint)
        arguments = (None, checkpoint, built, "fp32", "cpu", cache)
        create_model(*arguments, **parse_extra_options(*arguments, ["exclude_embeds=true"]))
        return onnx.load(Path(built) / "model.onnx")


def transforms(steps: list[tuple[str, str, dict]]) -> dict:
    """What ONNX Runtime GenAI does to an image, step by step."""
    listed = [{"operation": {"name": name, "domain": "com.microsoft.extensions", "type": kind, "attrs": attrs}} for name, kind, attrs in steps]
    return {"processor": {"name": "image_processing", "transforms": listed}}
