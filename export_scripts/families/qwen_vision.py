"""What the three Qwen-VL vision encoders share: `pixel_values` [patches, values] of all images, one after another, and their
`grid_thw` int64 [images, 3] -> `image_features` [tokens, hidden].

transformers walks over the images in Python, which freezes their number and sizes in a graph; here, each patch computes where it
is. Attention within an image (or a window) is attention under a mask.
"""

import copy
import sys
from dataclasses import dataclass

import numpy as np
import torch

from . import host
from .graphs import Graph


@dataclass(frozen=True)
class Places:
    """Where each patch is: int64 [patches] each, but for `position`."""

    position: torch.Tensor
    """[patches, 2]: row and column in its image."""
    height: torch.Tensor
    """Rows of patches in its image."""
    width: torch.Tensor
    frame: torch.Tensor
    """The number of its image (of its frame, in a video)."""
    window: torch.Tensor | None
    """The number of its window, where the family attends in windows."""


def places(grid_thw, patches: int, merge: int, window: int | None = None) -> Places:
    """Patches come in blocks of merge x merge, the blocks row by row. `window` is the side of a window, in blocks."""
    t, h, w = grid_thw[:, 0], grid_thw[:, 1], grid_thw[:, 2]
    end = torch.cumsum(t * h * w, 0)
    patch = torch.arange(patches, device=grid_thw.device)
    image = (patch[:, None] >= end[None, :]).to(torch.int64).sum(1)
    inside = patch - (end - t * h * w)[image]
    height, width = h[image], w[image]
    frame, inside = inside // (height * width), inside % (height * width)
    block, corner = inside // (merge * merge), inside % (merge * merge)
    row, column = block // (width // merge), block % (width // merge)
    number = None
    if window is not None:
        down, across = (h // merge + window - 1) // window, (w // merge + window - 1) // window
        before = torch.cumsum(t * down * across, 0) - t * down * across
        number = before[image] + frame * (down * across)[image] + row // window * across[image] + column // window
    return Places(
        position=torch.stack([row * merge + corner // merge, column * merge + corner % merge], -1),
        height=height,
        width=width,
        frame=(torch.cumsum(t, 0) - t)[image] + frame,
        window=number,
    )


def same(numbers):
    """int64 [n] -> bool [1, 1, n, n]: attention among those of one number."""
    return (numbers[:, None] == numbers[None, :])[None, None]


class MaskedAttention(torch.nn.Module):
    """A block's attention, with a mask in the place of the lengths of the images."""

    def __init__(self, attention):
        super().__init__()
        self.qkv, self.proj = attention.qkv, attention.proj
        self.heads, self.scaling = attention.num_heads, attention.scaling
        self.rotate = sys.modules[type(attention).__module__].apply_rotary_pos_emb_vision

    def forward(self, hidden_states, cu_seqlens, position_embeddings, **_):
        """hidden_states [patches, hidden]; `cu_seqlens`, as the block calls it, is the mask: bool [1, 1, patches, patches]."""
        patches = hidden_states.shape[0]
        query, key, value = self.qkv(hidden_states).reshape(patches, 3, self.heads, -1).permute(1, 0, 2, 3).unbind(0)
        query, key = self.rotate(query, key, *position_embeddings)
        query, key, value = (x.transpose(0, 1).unsqueeze(0) for x in (query, key, value))
        mixed = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=cu_seqlens, scale=self.scaling)
        return self.proj(mixed.squeeze(0).transpose(0, 1).reshape(patches, -1))


def masked(block):
    """A twin of `block` with the same weights and `MaskedAttention`."""
    twin = copy.copy(block)
    twin._modules = {**block._modules, "attn": MaskedAttention(block.attn)}
    return twin


class VisionEncoder(torch.nn.Module):
    """A family may add to the patches (`embed`), mask layers otherwise (`mask`), and take outputs from the middle (`aside`)."""

    window: int | None = None

    def __init__(self, model):
        super().__init__()
        self.visual = model.model.visual
        self.blocks = torch.nn.ModuleList(masked(block) for block in self.visual.blocks)

    def forward(self, pixel_values, grid_thw):
        where = places(grid_thw, pixel_values.shape[0], self.visual.spatial_merge_size, self.window)
        hidden = self.embed(self.visual.patch_embed(pixel_values), where)
        rotary = self.visual.rotary_pos_emb(hidden, where.position)
        frames, windows = same(where.frame), None if where.window is None else same(where.window)
        aside = []
        for i, block in enumerate(self.blocks):
            hidden = block(hidden, cu_seqlens=self.mask(i, frames, windows), position_embeddings=rotary)
            aside += self.aside(i, hidden)
        return (self.visual.merger(hidden), *aside)

    def embed(self, hidden, where: Places):
        return hidden

    def mask(self, layer: int, frames, windows):
        return frames

    def aside(self, layer: int, hidden) -> list:
        return []


def vision_graph(encoder: VisionEncoder, grid_name: str, more_outputs: tuple[str, ...] = ()) -> Graph:
    config = encoder.visual.config
    values = 3 * config.temporal_patch_size * config.patch_size**2
    grid = torch.tensor([[1, 4, 6], [1, 6, 10]])
    return Graph(
        file="vision_encoder",
        module=encoder,
        arguments=(torch.randn(int(grid.prod(1).sum()), values), grid),
        inputs=["pixel_values", grid_name],
        dynamic_shapes=({0: "num_patches"}, {0: "num_images"}),
        outputs=["image_features", *more_outputs],
    )


class Host(host.Host):
    """Positions have three axes: time, row and column of an image's tokens; text continues after the largest."""

    grid_name = "image_grid_thw"

    def vision_feed(self, inputs) -> dict[str, np.ndarray]:
        return {"pixel_values": inputs["pixel_values"].numpy(), self.grid_name: inputs["image_grid_thw"].numpy()}

    def positions(self, inputs) -> torch.Tensor:
        names = ("mm_token_type_ids", "image_grid_thw", "attention_mask")
        return self.model.model.get_rope_index(inputs["input_ids"], **{name: inputs.get(name) for name in names})[0]

    def following(self, positions: torch.Tensor) -> torch.Tensor:
        return positions.amax((0, 2))[None, :, None].expand(3, -1, 1) + 1
