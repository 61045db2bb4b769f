"""The exported model in plain Python, as optimum and transformers.js run it: the images of a batch through the vision encoder, embeddings
with features in their places, one prefill of the left-padded batch, then a token at a time on the KV cache; logits as the graph gives them.

For families whose positions count tokens and whose features stand in the order of the image tokens (SmolVLM, Idefics 3, LLaVA).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .stages import Stages

Feed = dict[str, np.ndarray]
FILES = ("vision_encoder", "embed_tokens", "decoder_model_merged")


@dataclass(frozen=True)
class Graph:
    """A loaded file: the shapes of its inputs (0 for a dynamic dimension), and a function from inputs to outputs, by name. Outputs
    `present.*` may be in the runtime's own form; the next call takes them. Outputs hold until the next call but one."""

    inputs: dict[str, list[int]]
    run: Callable[[Feed], Feed]


class ThreeFiles:
    def __init__(self, folder: Path, load: Callable[[Path], Graph], suffix: str, stages: Stages):
        self.stages = stages
        self.vision, self.embedding, self.decoder = (load(folder / "onnx" / f"{file}{suffix}.onnx") for file in FILES)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.image_token = config.get("image_token_id", config.get("image_token_index"))
        generation = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
        self.stop_tokens = np.atleast_1d(generation["eos_token_id"])

    def score(self, inputs) -> np.ndarray:
        """Logits of the next token, float32 [batch, vocabulary]."""
        return self.prefill(inputs)["logits"][:, -1]

    def write(self, inputs, max_new_tokens: int) -> np.ndarray:
        """Greedy tokens, int64 [batch, written]; what follows a stop token means nothing."""
        outputs, mask = self.prefill(inputs), inputs["attention_mask"].numpy()
        tokens = outputs["logits"][:, -1:].argmax(-1)
        while tokens.shape[1] < max_new_tokens and not np.isin(tokens, self.stop_tokens).any(-1).all():
            mask = np.concatenate([mask, np.ones_like(mask[:, :1])], 1)
            with self.stages.timed("decode"):
                outputs = self.decode(self.embed(tokens[:, -1:]), mask, mask.sum(-1, keepdims=True) - 1, outputs)
            tokens = np.concatenate([tokens, outputs["logits"][:, -1:].argmax(-1)], 1)
        return tokens

    def prefill(self, inputs) -> Feed:
        ids, mask = inputs["input_ids"].numpy(), inputs["attention_mask"].numpy()
        with self.stages.timed("vision"):
            features = self.features(inputs) if "pixel_values" in inputs else None
        with self.stages.timed("prefill"):
            embeds = self.embed(ids)
            if features is not None:
                embeds[ids == self.image_token] = features
            return self.decode(embeds, mask, (mask.cumsum(-1) - 1).clip(0), self.empty_past(len(ids)))

    def features(self, inputs) -> np.ndarray:
        """float32 [image tokens of the batch, hidden]"""
        given = {name: inputs[name].numpy() for name in self.vision.inputs}
        if "pixel_attention_mask" in given:
            given["pixel_attention_mask"] = given["pixel_attention_mask"].astype(bool)
        features = self.vision.run(given)["image_features"]
        return features.reshape(-1, features.shape[-1])

    def embed(self, ids: np.ndarray) -> np.ndarray:
        """int64 [batch, seq] -> float32 [batch, seq, hidden]"""
        return self.embedding.run({"input_ids": ids})["inputs_embeds"]

    def empty_past(self, batch: int) -> Feed:
        past = {name: shape for name, shape in self.decoder.inputs.items() if name.startswith("past_key_values.")}
        return {present(name): np.zeros((batch, shape[1], 0, shape[3]), np.float32) for name, shape in past.items()}

    def decode(self, embeds: np.ndarray, mask: np.ndarray, positions: np.ndarray, before: Feed) -> Feed:
        """One call of the decoder on the past that the call before gave."""
        feed = {"inputs_embeds": embeds, "attention_mask": mask, "position_ids": positions}
        past = {name: before[present(name)] for name in self.decoder.inputs if name.startswith("past_key_values.")}
        return self.decoder.run(feed | past)


def present(past: str) -> str:
    """The output that becomes the input `past_key_values.N.key` of the next call."""
    return past.replace("past_key_values", "present")
