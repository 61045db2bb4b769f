"""What families share: the description of one graph, the embedding, the decoders, and the plain kind of vision encoder."""

from dataclasses import dataclass

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

# Named dimensions: with Dim.AUTO the exporter freezes the number of images without a word.
BATCH, SEQUENCE, TOTAL, PAST = "batch_size", "sequence_length", "total_sequence_length", "past_sequence_length"
ROWS, NEW_TOKENS, PAST_TOKENS = 2, 7, 5
"""Of the example inputs."""


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
        return self.decode(inputs_embeds, attention_mask, position_ids, past)

    def decode(self, inputs_embeds, attention_mask, position_ids, past, **more):
        """The text model on top of `past`. `attention_mask` may also be what it takes instead: masks by layer type."""
        cache = DynamicCache()
        for key, value in past:
            layer = DynamicLayer()
            layer.dtype, layer.device = key.dtype, key.device
            layer.keys, layer.values, layer.is_initialized = key, value, True
            cache.layers.append(layer)
        output = self.text(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=cache,
            use_cache=True,
            **more,
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


@dataclass(frozen=True)
class Extra:
    """Decoder inputs of one family, between position_ids and the past: their names, an example and its dynamic axes."""

    names: list[str]
    example: object
    dynamic_shapes: object


def decoder_graph(model, decoder: Decoder | None = None, extras: tuple[Extra, ...] = (), position_axes: int = 1) -> Graph:
    """The decoder with its cache. The example has 2 rows, 7 new tokens and a past of 5: sizes of 0 or 1 would be baked in.

    With more than one of `position_axes`, position_ids are [axes, batch, seq].
    """
    config = model.config.get_text_config()
    layers, heads = config.num_hidden_layers, config.num_key_value_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    mask = torch.ones(ROWS, PAST_TOKENS + NEW_TOKENS, dtype=torch.int64)
    mask[1, :3] = 0
    positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, PAST_TOKENS:]
    position_shape = {0: BATCH, 1: SEQUENCE}
    if position_axes > 1:
        positions, position_shape = positions.expand(position_axes, -1, -1).clone(), {1: BATCH, 2: SEQUENCE}
    cache = [tuple(torch.randn(ROWS, heads, PAST_TOKENS, size) for _ in range(2)) for _ in range(layers)]
    names = [f"{i}.{kind}" for i in range(layers) for kind in ("key", "value")]
    return Graph(
        file="decoder_model_merged",
        module=decoder or Decoder(model),
        arguments=(torch.randn(ROWS, NEW_TOKENS, config.hidden_size), mask, positions, *(e.example for e in extras), cache),
        inputs=[
            "inputs_embeds",
            "attention_mask",
            "position_ids",
            *(name for e in extras for name in e.names),
            *(f"past_key_values.{n}" for n in names),
        ],
        dynamic_shapes=(
            {0: BATCH, 1: SEQUENCE},
            {0: BATCH, 1: TOTAL},
            position_shape,
            *(e.dynamic_shapes for e in extras),
            [({0: BATCH, 2: PAST},) * 2] * layers,
        ),
        outputs=["logits", *(f"present.{n}" for n in names)],
    )


class TokenTypeDecoder(Decoder):
    """A decoder in which some tokens of a prompt see later ones: token_type_ids int64 [batch, seq] say which.

    A family says in `blocks` which new tokens see one another; all else is causal.
    """

    def forward(self, inputs_embeds, attention_mask, position_ids, token_type_ids, past):
        masks = self.masks(attention_mask, self.blocks(token_type_ids), past[0][0].shape[2])
        return self.decode(inputs_embeds, masks, position_ids, past)

    def blocks(self, token_type_ids):
        """int64 [batch, seq]: tokens of one number see one another, in both directions; -1 is none."""
        raise NotImplementedError

    def masks(self, attention_mask, blocks, past_tokens):
        """What the text model takes as its attention_mask."""
        return self.visible(attention_mask, blocks, past_tokens)

    def visible(self, attention_mask, blocks, past_tokens, window: int | None = None):
        """bool [batch, 1, seq, past + seq]: which keys a query sees. Padding sees itself, for a softmax over nothing is NaN."""
        batch, new = blocks.shape
        query, key = torch.arange(new) + past_tokens, torch.arange(past_tokens + new)
        key_blocks = torch.cat([torch.full((batch, past_tokens), -1, dtype=blocks.dtype), blocks], 1)
        together = (blocks[:, :, None] == key_blocks[:, None, :]) & (blocks[:, :, None] >= 0)
        seen = (key[None, :] <= query[:, None])[None] | together
        if window is not None:
            seen = seen & (key[None, :] > query[:, None] - window)[None]
        itself = (key[None, :] == query[:, None])[None]
        return ((seen & attention_mask.bool()[:, None, :]) | itself)[:, None]


def token_types() -> Extra:
    """The `token_type_ids` of a `TokenTypeDecoder`."""
    example = torch.zeros(ROWS, NEW_TOKENS, dtype=torch.int64)
    example[0, 2:5] = 1
    return Extra(["token_type_ids"], example, {0: BATCH, 1: SEQUENCE})


def image_graph(module: torch.nn.Module, size: int, more_outputs: tuple[str, ...] = ()) -> Graph:
    """A vision encoder of images of one size: `pixel_values` [n, 3, size, size] -> `image_features` [n, tokens, hidden]."""
    return Graph(
        file="vision_encoder",
        module=module,
        arguments=(torch.randn(ROWS, 3, size, size),),
        inputs=["pixel_values"],
        dynamic_shapes=({0: "num_images"},),
        outputs=["image_features", *more_outputs],
    )


class TowerAndProjector(torch.nn.Module):
    """The chosen layers of a tower, with or without its class token, through the projector: the LLaVA families.

    Not `get_image_features`: it makes a Python list of the images, and that freezes their number in the graph.
    """

    def __init__(self, model):
        super().__init__()
        self.tower = model.model.vision_tower
        self.projector = model.model.multi_modal_projector
        layers = model.config.vision_feature_layer
        self.layers = [layers] if isinstance(layers, int) else list(layers)
        self.drop_class_token = model.config.vision_feature_select_strategy == "default"

    def forward(self, pixel_values):
        states = self.tower(pixel_values, output_hidden_states=True, return_dict=True).hidden_states
        hidden = [states[layer][:, 1:] if self.drop_class_token else states[layer] for layer in self.layers]
        return self.projector(torch.cat(hidden, -1))
