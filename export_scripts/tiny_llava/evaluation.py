"""Held-out measurements: accuracy and entropy by difficulty, what conflicts do, and where text and vision balance.

Works on the suite's own rows (`suite.jsonl`), presented exactly as the evaluator presents them. Only the distribution of the
answer token is looked at: [prompts, vocabulary] log-probabilities, entropies in nats over the whole vocabulary.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from parity import ThreeFiles

from .batches import Encoder, to_tensor
from .drawings import read_small
from .model import image_features, positions
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


def brief(rows: list[Outcome]) -> str:
    """A few lines for the training log: accuracy/entropy by tier, and the curve."""
    lines = []
    for presentation, level in (("vision-only", "dv"), ("text-only", "dt")):
        tiers = unimodal(rows, presentation, level)
        if tiers:
            lines.append(f"    {level} " + " ".join(f"{t.accuracy:.2f}/{t.entropy:.2f}" for t in tiers))
    curve = following_curve(conflicts(rows))
    if curve:
        lines.append("    TFR by relative entropy " + " ".join(f"{x:+.2f}:{tfr:.2f}" for x, _, tfr in curve))
    return "\n".join(lines)


@dataclass(frozen=True)
class Tier:
    """One row of a table: a difficulty, how many rows it has, and the mean over them."""

    level: int
    n: int
    accuracy: float
    entropy: float


def plain(rows: list[Outcome], presentation: str) -> list[Outcome]:
    """The rows of a presentation ("vision-only", "text-only", "conflict") that are no controls."""
    return [r for r in rows if r.item["presentation"] == presentation and r.item["tags"]["control"] == "none"]


def accuracy(rows: list[Outcome], presentation: str) -> float:
    return float(np.mean([r.answer == r.item["answer"] for r in plain(rows, presentation)]))


def unimodal(rows: list[Outcome], presentation: str, level: str) -> list[Tier]:
    """Accuracy and mean entropy of `presentation` by `level` ("dv" or "dt")."""
    rows = plain(rows, presentation)
    tiers = []
    for value in sorted({r.item["tags"][level] for r in rows}):
        chosen = [r for r in rows if r.item["tags"][level] == value]
        tiers.append(Tier(value, len(chosen), accuracy(chosen, presentation), float(np.mean([r.entropy for r in chosen]))))
    return tiers


@dataclass(frozen=True)
class Conflict:
    """One conflict whose two unimodal answers are each the designed one."""

    dv: int
    dt: int
    relative_entropy: float
    """2 (Ht - Hv) / (Ht + Hv), in [-2, 2]; negative where the text is the easier of the two."""
    follows: str
    """`text`, `vision` or `other`."""


def conflicts(rows: list[Outcome]) -> list[Conflict]:
    by_id = {r.item["item_id"]: r for r in rows}
    found = []
    for row in plain(rows, "conflict"):
        tags = row.item["tags"]
        vision, text = by_id[tags["vision_item"]], by_id[tags["text_item"]]
        if vision.answer != row.item["vision_answer"] or text.answer != row.item["text_answer"] or vision.entropy + text.entropy == 0:
            continue
        follows = {text.answer: "text", vision.answer: "vision"}.get(row.answer, "other")
        relative = 2 * (text.entropy - vision.entropy) / (text.entropy + vision.entropy)
        found.append(Conflict(tags["dv"], tags["dt"], relative, follows))
    return found


def text_following(cases: list[Conflict]) -> float:
    """TFR: text / (text + vision). NaN where neither is followed."""
    text, vision = (sum(c.follows == which for c in cases) for which in ("text", "vision"))
    return text / (text + vision) if text + vision else float("nan")


def following_curve(cases: list[Conflict], width: float = 0.5) -> list[tuple[float, int, float]]:
    """[(bin's middle, cases, TFR)] over relative entropy, bins of `width` on [-2, 2]; empty bins left out."""
    curve = []
    for low in np.arange(-2, 2, width):
        inside = [c for c in cases if low <= c.relative_entropy < low + width and c.follows != "other"]
        if inside:
            curve.append((float(low + width / 2), len(inside), text_following(inside)))
    return curve


def balance_point(curve: list[tuple[float, int, float]], at_least: int = 10) -> float | None:
    """Where the binned curve first falls through one half, by linear interpolation; None if it does not. A rough reading."""
    curve = [point for point in curve if point[1] >= at_least]
    for (x0, _, y0), (x1, _, y1) in zip(curve, curve[1:]):
        if y0 >= 0.5 > y1:
            return x0 + (y0 - 0.5) / (y0 - y1) * (x1 - x0)
    return None


def controls(rows: list[Outcome]) -> dict[str, tuple[int, float]]:
    """{control: (rows, share)}: how often the relevant modality is followed, of the rows whose relevant modality alone is right."""
    by_id = {r.item["item_id"]: r for r in rows}
    result = {}
    for control, modality in (("text-irrelevant", "vision"), ("image-irrelevant", "text")):
        chosen = [
            r
            for r in rows
            if r.item["presentation"] == "conflict"
            and r.item["tags"]["control"] == control
            and by_id[r.item["tags"][f"{modality}_item"]].answer == r.item[f"{modality}_answer"]
        ]
        if chosen:
            result[control] = (len(chosen), float(np.mean([r.answer == r.item[f"{modality}_answer"] for r in chosen])))
    return result


def agreement(rows: list[Outcome], others: list[Outcome]) -> float:
    """Share of rows with the same answer."""
    return float(np.mean([a.answer == b.answer for a, b in zip(rows, others, strict=True)]))


def tables(rows: list[Outcome]) -> str:
    """All of the above as Markdown."""
    lines = ["| picture alone | rows | accuracy | entropy |", "|---|---|---|---|"]
    lines += [f"| dv {t.level} | {t.n} | {t.accuracy:.3f} | {t.entropy:.3f} |" for t in unimodal(rows, "vision-only", "dv")]
    lines += ["", "| text alone | rows | accuracy | entropy |", "|---|---|---|---|"]
    lines += [f"| dt {t.level} | {t.n} | {t.accuracy:.3f} | {t.entropy:.3f} |" for t in unimodal(rows, "text-only", "dt")]
    cases = conflicts(rows)
    if cases:
        curve = following_curve(cases)
        balance = balance_point(curve)
        other = np.mean([c.follows == "other" for c in cases])
        dts = sorted({c.dt for c in cases})
        lines += ["", "Text following (TFR; in brackets, the conflicts whose two unimodal answers are the designed ones):", "", "| |" + "".join(f" dt {dt} |" for dt in dts), "|---" * (len(dts) + 1) + "|"]
        for dv in sorted({c.dv for c in cases}):
            cells = [[c for c in cases if (c.dv, c.dt) == (dv, dt)] for dt in dts]
            lines.append(f"| dv {dv} |" + "".join(f" {text_following(cell):.2f} ({len(cell)}) |" for cell in cells))
        lines += ["", "| relative entropy (middle of the bin) | conflicts | TFR |", "|---|---|---|"]
        lines += [f"| {x:+.2f} | {n} | {tfr:.3f} |" for x, n, tfr in curve]
        crossing = "no crossing" if balance is None else f"crosses one half at about {balance:+.2f}"
        lines += ["", f"{len(cases)} conflicts analysed, TFR {text_following(cases):.3f}, other {other:.3f}; the curve {crossing}."]
    shares = controls(rows)
    if shares:
        lines += ["", "| control | rows whose relevant modality alone is right | follows it |", "|---|---|---|"]
        lines += [f"| {name} | {n} | {share:.3f} |" for name, (n, share) in shares.items()]
    return "\n".join(lines)
