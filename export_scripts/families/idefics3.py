"""Idefics 3 and SmolVLM: an image is tiles and a thumbnail. `pixel_values` [batch, n, 3, height, width], `pixel_attention_mask`
bool [batch, n, height, width] -> `image_features` [n real, tokens, hidden]: tiles of zeros fill up a batch, and are left out.
"""

import numpy as np
import torch

from . import host
from .graphs import BATCH, Graph, decoder_graph, embed_graph


class VisionEncoder(torch.nn.Module):
    """`get_image_features` with `nonzero` and `index_select` where it indexes by a mask."""

    def __init__(self, model):
        super().__init__()
        self.vision = model.model.vision_model
        self.connector = model.model.connector
        self.patch = model.config.vision_config.patch_size

    def forward(self, pixel_values, pixel_attention_mask):
        pixels, seen = pixel_values.flatten(0, 1), pixel_attention_mask.flatten(0, 1)
        real = torch.nonzero((pixels != 0).flatten(1).any(dim=1)).squeeze(1)
        pixels, seen = pixels.index_select(0, real), seen.index_select(0, real)
        rows, columns = seen.shape[1] // self.patch, seen.shape[2] // self.patch
        seen = seen[:, : rows * self.patch, : columns * self.patch].reshape(-1, rows, self.patch, columns, self.patch)
        patches = seen.to(torch.int32).sum((2, 4)) > 0
        return self.connector(self.vision(pixel_values=pixels, patch_attention_mask=patches).last_hidden_state)


class Host(host.Host):
    def vision_feed(self, inputs) -> dict[str, np.ndarray]:
        return {
            "pixel_values": inputs["pixel_values"].numpy(),
            "pixel_attention_mask": inputs["pixel_attention_mask"].numpy().astype(bool),
        }


def graphs(model) -> list[Graph]:
    size = model.config.vision_config.image_size
    pixels = torch.randn(2, 3, 3, size, size)
    pixels[0, 2] = 0
    vision = Graph(
        file="vision_encoder",
        module=VisionEncoder(model),
        arguments=(pixels, torch.ones(2, 3, size, size, dtype=torch.bool)),
        inputs=["pixel_values", "pixel_attention_mask"],
        dynamic_shapes=(
            {0: BATCH, 1: "num_images", 3: "height", 4: "width"},
            {0: BATCH, 1: "num_images", 2: "height", 3: "width"},
        ),
        outputs=["image_features"],
    )
    return [vision, embed_graph(model), decoder_graph(model)]
