"""What all families share: the description of one graph, and the two graphs that rarely differ, embedding and decoder."""

from dataclasses import dataclass

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

# Named dimensions: with Dim.AUTO the exporter freezes the number of images without a word.
BATCH, SEQUENCE, TOTAL, PAST = "batch_size", "sequence_length", "total_sequence_length", "past_sequence_length"


@dataclass(frozen=True)
class Graph:
    """One file of the layout: a module, example arguments, and the names of its inputs, their dynamic axes and its outputs."""

    file: str
    module: torch.nn.Module
    arguments: tuple
    inputs: list[str]
    dynamic_shapes: tuple
    outputs: list[str]


class EmbedTokens(torch.nn.Module):
    """input_ids int64 [batch, seq] -> inputs_embeds [batch, seq, hidden]"""

    def __init__(self, model):
        super().__init__()
        self.embedding = model.get_input_embeddings()

    def forward(self, input_ids):
        return self.embedding(input_ids)


class Decoder(torch.nn.Module):
    """inputs_embeds [batch, seq, hidden], attention_mask int64 [batch, past + seq], position_ids int64 [batch, seq] and the
    past as (key, value) pairs [batch, kv heads, past, head size] -> logits [batch, seq, vocabulary] and the longer pairs.
    """

    def __init__(self, model):
        super().__init__()
        self.text = model.get_decoder()
        self.head = model.lm_head

    def forward(self, inputs_embeds, attention_mask, position_ids, past):
        cache = DynamicCache()
        for key, value in past:
            layer = DynamicLayer()
            layer.dtype, layer.device = key.dtype, key.device
            layer.keys, layer.values, layer.is_initialized = key, value, True
            cache.layers.append(layer)
        output = self.text(
            inputs_embeds=inputs_embeds, attention_mask=attention_mask, position_ids=position_ids, past_key_values=cache, use_cache=True
        )
        present = [tensor for layer in cache.layers for tensor in (layer.keys, layer.values)]
        return (self.head(output.last_hidden_state), *present)


def embed_graph(model) -> Graph:
    return Graph(
        file="embed_tokens",
        module=EmbedTokens(model),
        arguments=(torch.ones(2, 3, dtype=torch.int64),),
        inputs=["input_ids"],
        dynamic_shapes=({0: BATCH, 1: SEQUENCE},),
        outputs=["inputs_embeds"],
    )


def decoder_graph(model) -> Graph:
    """The decoder with its cache. The example has 2 rows, 7 new tokens and a past of 5: sizes of 0 or 1 would be baked in."""
    config = model.config.get_text_config()
    layers, heads = config.num_hidden_layers, config.num_key_value_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    batch, new, past = 2, 7, 5
    mask = torch.ones(batch, past + new, dtype=torch.int64)
    mask[1, :3] = 0
    positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, past:]
    cache = [tuple(torch.randn(batch, heads, past, size) for _ in range(2)) for _ in range(layers)]
    names = [f"{i}.{kind}" for i in range(layers) for kind in ("key", "value")]
    return Graph(
        file="decoder_model_merged",
        module=Decoder(model),
        arguments=(torch.randn(batch, new, config.hidden_size), mask, positions, cache),
        inputs=["inputs_embeds", "attention_mask", "position_ids", *(f"past_key_values.{n}" for n in names)],
        dynamic_shapes=({0: BATCH, 1: SEQUENCE}, {0: BATCH, 1: TOTAL}, {0: BATCH, 1: SEQUENCE}, [({0: BATCH, 2: PAST},) * 2] * layers),
        outputs=["logits", *(f"present.{n}" for n in names)],
    )
