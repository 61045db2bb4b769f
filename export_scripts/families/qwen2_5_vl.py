"""Qwen2.5-VL: as Qwen2-VL, but most layers of the vision encoder attend within windows, and the input is `image_grid_thw`."""

from . import qwen_vision
from .graphs import Graph, decoder_graph, embed_graph


class VisionEncoder(qwen_vision.VisionEncoder):
    """transformers sorts the patches by window and back; under a mask their order does not matter."""

    def __init__(self, model):
        super().__init__(model)
        self.window = self.visual.window_size // self.visual.spatial_merge_size // self.visual.patch_size

    def mask(self, layer, frames, windows):
        return frames if layer in self.visual.fullatt_block_indexes else windows


class Host(qwen_vision.Host):
    pass


def graphs(model) -> list[Graph]:
    vision = qwen_vision.vision_graph(VisionEncoder(model), Host.grid_name)
    return [vision, embed_graph(model), decoder_graph(model, position_axes=3)]
