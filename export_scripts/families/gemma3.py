"""Gemma 3: a fixed number of tokens an image, which see one another in both directions; most layers see a sliding window only.
`pixel_values` [n, 3, height, width] -> `image_features` [n, tokens, hidden]; the decoder takes `token_type_ids` int64
[batch, seq], 1 for the tokens of an image and 0 for all others, generated ones too.
"""

import torch

from . import host
from .graphs import Graph, TokenTypeDecoder, decoder_graph, embed_graph, image_graph, token_types
from .internvl import VisionEncoder


class Decoder(TokenTypeDecoder):
    def blocks(self, token_type_ids):
        image = token_type_ids == 1
        before = torch.cat([torch.zeros_like(image[:, :1]), image[:, :-1]], 1)
        return torch.where(image, torch.cumsum((image & ~before).to(torch.int64), 1) - 1, -1)

    def masks(self, attention_mask, blocks, past_tokens):
        return {
            "full_attention": self.visible(attention_mask, blocks, past_tokens),
            "sliding_attention": self.visible(attention_mask, blocks, past_tokens, self.text.config.sliding_window),
        }


class Host(host.TokenTypeHost):
    generated_type = 0


def graphs(model) -> list[Graph]:
    vision = image_graph(VisionEncoder(model), model.config.vision_config.image_size)
    return [vision, embed_graph(model), decoder_graph(model, Decoder(model), (token_types(),))]
