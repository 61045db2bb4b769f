"""PaliGemma: a fixed number of tokens an image; all tokens of a prompt see one another, and positions start at 1.
`pixel_values` [n, 3, height, width] -> `image_features` [n, tokens, hidden]; the decoder takes `token_type_ids` int64
[batch, seq], 0 for the prompt and 1 for generated tokens. A prompt has to be one call: its first part sees the second.
"""

import torch

from . import host
from .graphs import Graph, TokenTypeDecoder, decoder_graph, embed_graph, image_graph, token_types
from .internvl import VisionEncoder


class Decoder(TokenTypeDecoder):
    def blocks(self, token_type_ids):
        return torch.where(token_type_ids == 0, 0, -1)


class Host(host.TokenTypeHost):
    generated_type = 1
    needs_images = True
    splits_prompts = False
    first_position = 1


def graphs(model) -> list[Graph]:
    vision = image_graph(VisionEncoder(model), model.config.vision_config.image_size)
    return [vision, embed_graph(model), decoder_graph(model, Decoder(model), (token_types(),))]
