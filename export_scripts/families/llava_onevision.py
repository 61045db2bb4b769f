"""LLaVA-OneVision: as LLaVA-NeXT, with a SigLIP tower; the tiles of a large image are shrunk after they are laid out (by the
host), and the images of a prompt with several have no tiles, only the thumbnail and a newline.
"""

import torch

from . import llava_next
from .graphs import Graph, decoder_graph, embed_graph, image_graph


class Host(llava_next.Host):
    def tiles(self, inputs) -> list[int]:
        alone = [count == 1 for count in inputs["batch_num_images"].tolist() for _ in range(count)]
        return [n if tiled else 1 for n, tiled in zip(super().tiles(inputs), alone)]

    def pack(self, tiles, inputs, newline) -> list[torch.Tensor]:
        aspect = self.config.vision_aspect_ratio
        return self.model.model.pack_image_features(tiles, inputs["image_sizes"], newline, vision_aspect_ratio=aspect)[0]


def graphs(model) -> list[Graph]:
    vision = image_graph(llava_next.VisionEncoder(model), model.config.vision_config.image_size, ("image_newline",))
    return [vision, embed_graph(model), decoder_graph(model)]
