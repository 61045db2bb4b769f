"""Qwen3-VL: as Qwen2-VL, with learned positions resampled to each image, and features from the middle of the vision encoder:
`deepstack_features.{i}` [tokens, hidden] are put into `deepstack_embeds.{i}` [batch, seq, hidden] by the host, as the image
features into the embeddings, with zeros elsewhere; the decoder adds them after its layer i.
"""

import copy

import numpy as np
import torch

from . import qwen_vision
from .graphs import BATCH, NEW_TOKENS, ROWS, SEQUENCE, Extra, Graph, embed_graph
from .graphs import Decoder as PlainDecoder
from .graphs import decoder_graph


class VisionEncoder(qwen_vision.VisionEncoder):
    def embed(self, hidden, where):
        """Adds the learned square of positions, bilinearly resampled to the image (corners aligned)."""
        side, embedding = self.visual.num_grid_per_side, self.visual.pos_embed
        up, down, low = self.between(where.position[:, 0], where.height)
        left, right, far = self.between(where.position[:, 1], where.width)
        return (
            hidden
            + embedding(up * side + left) * ((1 - low) * (1 - far))[:, None]
            + embedding(up * side + right) * ((1 - low) * far)[:, None]
            + embedding(down * side + left) * (low * (1 - far))[:, None]
            + embedding(down * side + right) * (low * far)[:, None]
        )

    def between(self, position, size):
        """The learned positions on both sides of a patch on one axis, and the weight of the second."""
        last = self.visual.num_grid_per_side - 1
        exact = position.float() * last / torch.clamp(size - 1, min=1)
        first = exact.floor()
        return first.long(), torch.clamp(first.long() + 1, max=last), exact - first

    def aside(self, layer, hidden):
        indexes = list(self.visual.deepstack_visual_indexes)
        return [self.visual.deepstack_merger_list[indexes.index(layer)](hidden)] if layer in indexes else []


class Decoder(PlainDecoder):
    def __init__(self, model):
        super().__init__(model)
        self.text = copy.copy(self.text)
        self.text._deepstack_process = lambda hidden, _, deep: hidden + deep

    def forward(self, inputs_embeds, attention_mask, position_ids, deepstack, past):
        return self.decode(inputs_embeds, attention_mask, position_ids, past, deepstack_visual_embeds=list(deepstack))


class Host(qwen_vision.Host):
    def extras(self, inputs, outputs) -> dict[str, np.ndarray]:
        ids, extras = inputs["input_ids"].numpy(), {}
        layers = range(len(self.config.vision_config.deepstack_visual_indexes))
        for i in layers:
            embeds = np.zeros((*ids.shape, self.config.get_text_config().hidden_size), np.float32)
            if outputs:
                embeds[ids == self.config.image_token_id] = outputs[f"deepstack_features.{i}"]
            extras[f"deepstack_embeds.{i}"] = embeds
        return extras


def graphs(model) -> list[Graph]:
    count = len(model.config.vision_config.deepstack_visual_indexes)
    names = tuple(f"deepstack_features.{i}" for i in range(count))
    vision = qwen_vision.vision_graph(VisionEncoder(model), Host.grid_name, names)
    width = model.config.get_text_config().hidden_size
    deepstack = Extra(
        [f"deepstack_embeds.{i}" for i in range(count)],
        [torch.zeros(ROWS, NEW_TOKENS, width) for _ in range(count)],
        [{0: BATCH, 1: SEQUENCE}] * count,
    )
    return [vision, embed_graph(model), decoder_graph(model, Decoder(model), (deepstack,), position_axes=3)]
