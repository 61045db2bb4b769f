"""LLaVA: CLIP tower, projector, plain decoder. `pixel_values` [n, 3, height, width] -> `image_features` [n, tokens, hidden]."""

from .graphs import Graph, TowerAndProjector, decoder_graph, embed_graph, image_graph


def graphs(model) -> list[Graph]:
    vision = image_graph(TowerAndProjector(model), model.config.vision_config.image_size)
    return [vision, embed_graph(model), decoder_graph(model)]
