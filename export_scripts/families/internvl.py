"""InternVL: an image is tiles and a thumbnail, each of which is one image to the encoder; four patches become one token.
`pixel_values` [n, 3, height, width] -> `image_features` [n, tokens, hidden].
"""

import torch

from .graphs import Graph, decoder_graph, embed_graph, image_graph


class VisionEncoder(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model.model

    def forward(self, pixel_values):
        return self.model.get_image_features(pixel_values=pixel_values, return_dict=True).pooler_output


def graphs(model) -> list[Graph]:
    size = model.config.vision_config.image_size
    vision = image_graph(VisionEncoder(model), size if isinstance(size, int) else size[0])
    return [vision, embed_graph(model), decoder_graph(model)]
