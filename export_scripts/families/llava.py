"""LLaVA: CLIP tower, projector, any plain decoder. `pixel_values` [n, 3, height, width] -> `image_features` [n, tokens, hidden]."""

import torch

from .graphs import Graph, decoder_graph, embed_graph


class VisionEncoder(torch.nn.Module):
    """The chosen layer of the tower, with or without its class token, through the projector.

    Not `get_image_features`: it makes a Python list of the images, and that freezes their number in the graph.
    """

    def __init__(self, model):
        super().__init__()
        self.tower = model.model.vision_tower
        self.projector = model.model.multi_modal_projector
        self.layer = model.config.vision_feature_layer
        self.drop_class_token = model.config.vision_feature_select_strategy == "default"
        if not isinstance(self.layer, int):
            raise ValueError(f"vision_feature_layer is {self.layer}, expected one layer: several are not supported yet")

    def forward(self, pixel_values):
        hidden = self.tower(pixel_values, output_hidden_states=True, return_dict=True).hidden_states[self.layer]
        return self.projector(hidden[:, 1:] if self.drop_class_token else hidden)


def graphs(model) -> list[Graph]:
    size = model.config.vision_config.image_size
    vision = Graph(
        file="vision_encoder",
        module=VisionEncoder(model),
        arguments=(torch.randn(2, 3, size, size),),
        inputs=["pixel_values"],
        dynamic_shapes=({0: "num_images"},),
        outputs=["image_features"],
    )
    return [vision, embed_graph(model), decoder_graph(model)]
