"""Held-out measurements: accuracy and entropy by difficulty, what conflicts do, and where text and vision balance.

Quick looks, for the training log and the model card; the analysis proper is the evaluator's.
"""

import math
from dataclasses import dataclass

import numpy as np

from .outcomes import Outcome


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


def tables(rows: list[Outcome]) -> str:
    """All of the above as Markdown."""
    blocks = []
    for title, presentation, level in (("picture alone", "vision-only", "dv"), ("text alone", "text-only", "dt")):
        tiers = unimodal(rows, presentation, level)
        blocks.append(table([title, "rows", "accuracy", "entropy"], [[f"{level} {t.level}", t.n, t.accuracy, t.entropy] for t in tiers]))
    cases = conflicts(rows)
    if cases:
        dts = sorted({c.dt for c in cases})
        grid = [[f"dv {dv}", *(tfr_cell(cases, dv, dt) for dt in dts)] for dv in sorted({c.dv for c in cases})]
        blocks.append("Text following (TFR; in brackets, the conflicts whose two unimodal answers are the designed ones):")
        blocks.append(table(["conflict", *(f"dt {dt}" for dt in dts)], grid))
        curve = following_curve(cases)
        points = [[f"{x:+.2f}", n, tfr] for x, n, tfr in curve]
        blocks.append(table(["relative entropy (middle of the bin)", "conflicts", "TFR"], points))
        balance = balance_point(curve)
        crossing = "does not cross one half" if balance is None else f"crosses one half at about {balance:+.2f}"
        other = np.mean([c.follows == "other" for c in cases])
        blocks.append(f"{len(cases)} conflicts analyzed, TFR {text_following(cases):.3f}, other {other:.3f}; the curve {crossing}.")
    shares = [[name, n, share] for name, (n, share) in controls(rows).items()]
    if shares:
        blocks.append(table(["control", "rows whose relevant modality alone is right", "follows it"], shares))
    return "\n\n".join(blocks)


def tfr_cell(cases: list[Conflict], dv: int, dt: int) -> str:
    cell = [c for c in cases if (c.dv, c.dt) == (dv, dt)]
    tfr = text_following(cell)
    return f"{'-' if math.isnan(tfr) else f'{tfr:.2f}'} ({len(cell)})"


def table(header: list[str], rows: list[list]) -> str:
    """A Markdown table; floats with three decimals."""
    cells = [[f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *cells])
