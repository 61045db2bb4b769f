"""Qwen2-VL: images of any size. `pixel_values` [patches, values], `grid_thw` [images, 3] -> `image_features` [tokens, hidden];
position_ids int64 [3, batch, seq].
"""

from . import qwen_vision
from .graphs import Graph, decoder_graph, embed_graph


class Host(qwen_vision.Host):
    grid_name = "grid_thw"


def graphs(model) -> list[Graph]:
    vision = qwen_vision.vision_graph(qwen_vision.VisionEncoder(model), Host.grid_name)
    return [vision, embed_graph(model), decoder_graph(model, position_axes=3)]
