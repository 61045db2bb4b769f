"""What a model says to rows of the suite: the distribution of the answer token, by transformers or by the exported files.

The rows are `suite.jsonl`'s own, presented exactly as the evaluator presents them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from parity import ThreeFiles
from small_llava import image_features, positions

from .batches import Encoder, to_tensor
from .drawings import read_small
from .suite import image_of, text_of

BATCH = 64


@dataclass(frozen=True)
class Outcome:
    """What the model says to one row of the suite."""

    item: dict
    answer: str | None
    """The color whose token is the argmax of the whole vocabulary, None if another token is."""
    entropy: float
    """Nats, over the whole vocabulary."""


LogitsOf = Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]
"""(input_ids [batch, seq], attention_mask [batch, seq], pixel_values [batch, 3, h, w] or None) -> logits [batch, vocabulary] of the
last position"""


def by_torch(model) -> LogitsOf:
    @torch.no_grad()
    def logits_of(ids, mask, pixels):
        output = model(
            input_ids=ids, attention_mask=mask, position_ids=positions(mask), pixel_values=pixels, logits_to_keep=1, use_cache=False
        )
        return output.logits[:, -1].float()

    return logits_of


def by_onnx(files: ThreeFiles, image_token: int) -> LogitsOf:
    def logits_of(ids, mask, pixels):
        features = None if pixels is None else files.image_features(pixels.numpy())
        logits, _ = files.decode(files.embed(ids.numpy(), image_token, features), mask.numpy(), positions(mask).numpy())
        return torch.from_numpy(logits[:, -1])

    return logits_of


def outcomes(logits_of: LogitsOf, encoder: Encoder, colors: tuple[str, ...], items: list[dict], folder: Path) -> list[Outcome]:
    """Runs `items`, those with an image and those without in batches of their own."""
    color_of = dict(zip(encoder.answers, colors))
    done = {}
    for with_image in (False, True):
        rows = [i for i, item in enumerate(items) if (image_of(item) is not None) == with_image]
        rows.sort(key=lambda i: len(encoder.prompt_ids(text_of(items[i]), with_image)))
        for start in range(0, len(rows), BATCH):
            chunk = rows[start : start + BATCH]
            ids, mask = encoder.pad([encoder.prompt_ids(text_of(items[i]), with_image) for i in chunk])
            pixels = to_tensor(np.stack([read_small(folder / image_of(items[i])) for i in chunk])) if with_image else None
            for i, (top, h) in zip(chunk, top_and_entropy(logits_of(ids, mask, pixels))):
                done[i] = Outcome(items[i], color_of.get(top), h)
    return [done[i] for i in range(len(items))]


def top_and_entropy(logits: torch.Tensor) -> list[tuple[int, float]]:
    """[n, classes] -> n times (argmax, entropy in nats)."""
    logp = logits.float().log_softmax(-1)
    return list(zip(logp.argmax(-1).tolist(), (-(logp.exp() * logp).sum(-1)).tolist()))


@torch.no_grad()
def eye_outcomes(model, head, shapes: tuple[str, ...], colors: tuple[str, ...], items: list[dict], folder: Path) -> list[Outcome]:
    """What the first stage's throw-away head says to the vision-only rows among `items`."""
    items = [item for item in items if item["presentation"] == "vision-only"]
    done = []
    for start in range(0, len(items), BATCH):
        chunk = items[start : start + BATCH]
        pixels = to_tensor(np.stack([read_small(folder / image_of(item)) for item in chunk]))
        _, logits = head(image_features(model, pixels), torch.tensor([shapes.index(item["tags"]["target"]) for item in chunk]))
        done += [Outcome(item, colors[top], h) for item, (top, h) in zip(chunk, top_and_entropy(logits))]
    return done
