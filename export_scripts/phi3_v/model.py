"""Phi-3 with CLIP: an image is looked at as a whole and in crops, and a token stands for 2 x 2 patches."""

from pathlib import Path

import torch
from transformers import CLIPVisionConfig, CLIPVisionModel, Phi3Config, Phi3ForCausalLM

CROP = 336
"""Side of a crop in pixels: a constant of the architecture."""
CLIP_LARGE = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "patch_size": 14,
    "image_size": CROP,
    "projection_dim": 768,
    "hidden_act": "quick_gelu",
}
"""The vision tower of the published checkpoints; an entry `vision_config` in `img_processor` changes it."""
NO_IMAGE = -int(1e9)
"""Negative ids above it are places of images."""


class Phi3VConfig(Phi3Config):
    """`config.json` as published: Phi-3's settings, `img_processor` and `embd_layer`."""

    model_type = "phi3_v"

    img_processor: dict | None = None
    embd_layer: dict | None = None

    @property
    def clip(self) -> CLIPVisionConfig:
        return CLIPVisionConfig(**{**CLIP_LARGE, **self.img_processor.get("vision_config", {})})


class Phi3ImageEmbedding(torch.nn.Module):
    """The tower, the two separators, and a projection of two layers."""

    def __init__(self, config: Phi3VConfig):
        super().__init__()
        order = config.embd_layer["hd_transform_order"]
        if order != "sub_glb":
            raise ValueError(f"embd_layer.hd_transform_order is {order!r}, expected 'sub_glb'")
        channels = 4 * config.clip.hidden_size
        self.img_processor = torch.nn.ModuleDict({"vision_model": CLIPVisionModel(config.clip)})
        self.glb_GN = torch.nn.Parameter(torch.zeros(1, 1, channels))
        self.sub_GN = torch.nn.Parameter(torch.zeros(1, 1, 1, channels))
        self.img_projection = torch.nn.Sequential(
            torch.nn.Linear(channels, config.hidden_size),
            torch.nn.GELU(),
            torch.nn.Linear(config.hidden_size, config.hidden_size),
        )

    def forward(self, pixel_values: torch.Tensor, image_sizes: torch.Tensor) -> torch.Tensor:
        """[images, crops, 3, 336, 336] and the (height, width) of the padded images -> [tokens of all images, hidden]"""
        return torch.cat([self.image(crops, *(size // CROP).tolist()) for crops, size in zip(pixel_values, image_sizes)])

    def image(self, crops: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
        """The tokens of one image: its crops row by row, a separator, the whole image."""
        grids = self.grids(crops)
        whole, parts = grids[0], grids[1 : 1 + rows * columns]
        side, channels = parts.shape[1], parts.shape[3]
        parts = parts.reshape(rows, columns, side, side, channels).transpose(1, 2)
        parts = parts.reshape(rows * side, columns * side, channels)
        tokens = torch.cat([self.lines(parts), self.glb_GN[0], self.lines(whole)])
        return self.img_projection(tokens)

    def grids(self, crops: torch.Tensor) -> torch.Tensor:
        """[n, 3, 336, 336] -> [n, side, side, 4 C]: the layer before the last, neighbours side by side."""
        states = self.img_processor["vision_model"](crops, output_hidden_states=True).hidden_states[-2][:, 1:]
        side = int(states.shape[1] ** 0.5) // 2
        return states.unflatten(1, (side, 2, side, 2)).transpose(2, 3).flatten(3)

    def lines(self, grid: torch.Tensor) -> torch.Tensor:
        """[height, width, 4 C] -> [height (width + 1), 4 C]: each line ends with a separator."""
        ends = self.sub_GN[0].expand(len(grid), 1, -1)
        return torch.cat([grid, ends], 1).flatten(0, 1)


class Phi3VForCausalLM(Phi3ForCausalLM):
    """Ids from -1 down stand for images: they are replaced by the images' tokens, in order."""

    config_class = Phi3VConfig
    _keys_to_ignore_on_load_unexpected = [r"vision_embed_tokens\.wte\.weight", r"position_ids"]

    def __init__(self, config: Phi3VConfig):
        super().__init__(config)
        self.model.vision_embed_tokens = Phi3ImageEmbedding(config)

    def forward(self, input_ids=None, pixel_values=None, image_sizes=None, inputs_embeds=None, **more):
        if inputs_embeds is None:
            places = (input_ids < 0) & (input_ids > NO_IMAGE)
            inputs_embeds = self.model.embed_tokens(input_ids.clamp(min=0))
            if pixel_values is not None and places.any():
                inputs_embeds[places] = self.model.vision_embed_tokens(pixel_values, image_sizes)
        return super().forward(inputs_embeds=inputs_embeds, **more)


def load(folder: Path | str) -> Phi3VForCausalLM:
    return Phi3VForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").eval()
