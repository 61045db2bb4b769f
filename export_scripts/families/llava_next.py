"""LLaVA-NeXT: an image is a thumbnail and tiles. `pixel_values` [n tiles, 3, height, width] -> `image_features` [n tiles, tokens,
hidden] and `image_newline` [hidden]. The host lays the tiles out, cuts the padding off and ends each row with the newline.
"""

import numpy as np
import torch
from transformers.models.llava_next.modeling_llava_next import image_size_to_num_patches

from . import host
from .graphs import Graph, TowerAndProjector, decoder_graph, embed_graph, image_graph


class VisionEncoder(TowerAndProjector):
    """The features of each tile as the projector gives them, and the learned newline beside them."""

    def __init__(self, model):
        super().__init__(model)
        self.newline = model.model.image_newline

    def forward(self, pixel_values):
        return super().forward(pixel_values), self.newline.clone()


class Host(host.Host):
    """Tiles are taken out of a padded batch, and packed with transformers' own function."""

    def tiles(self, inputs) -> list[int]:
        """How many tiles each image has, its thumbnail included."""
        size, grid = self.config.vision_config.image_size, self.config.image_grid_pinpoints
        return [image_size_to_num_patches(image_size=i, grid_pinpoints=grid, patch_size=size) for i in inputs["image_sizes"]]

    def vision_feed(self, inputs) -> dict[str, np.ndarray]:
        return {"pixel_values": np.concatenate([p[:n] for p, n in zip(inputs["pixel_values"].numpy(), self.tiles(inputs))])}

    def features(self, outputs, inputs) -> np.ndarray:
        tiles = torch.from_numpy(outputs["image_features"]).split(self.tiles(inputs))
        newline = torch.from_numpy(outputs["image_newline"])
        return torch.cat(self.pack(tiles, inputs, newline)).numpy()

    def pack(self, tiles, inputs, newline) -> list[torch.Tensor]:
        strategy = self.config.vision_feature_select_strategy
        return self.model.model.pack_image_features(tiles, inputs["image_sizes"], strategy, image_newline=newline)[0]


def graphs(model) -> list[Graph]:
    vision = image_graph(VisionEncoder(model), model.config.vision_config.image_size, ("image_newline",))
    return [vision, embed_graph(model), decoder_graph(model)]
