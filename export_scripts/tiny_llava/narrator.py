"""The unreliable narrator: training examples in which neither the text nor the picture is always right.

Every example has a hidden true color c. A picture is faithful with probability `PICTURE_FAITH`, otherwise the drawn color is
another one; a text of difficulty dt is faithful with probability `TEXT_FAITH[dt]`, otherwise it states another color; both
errors are uniform and independent. What the model is to predict is c. It is never told which modality to follow: a model
that learns p(c | picture, text) has to weigh a statement by how often such statements lie, and a picture by how well it
could make it out.

Instead of a drawn c, the target of the cross-entropy is c's posterior given the drawn color v and the stated color t:

    p(c | v, t)  ~  p(v | c) p(t | c)

This is the average over c of the sampled label, so the expected gradient is the same; its variance is much smaller. v is the
painted color, not the model's reading of it: how sure the model can be of v is for the model to learn.
"""

from dataclasses import dataclass

import numpy as np

from .prompts import Prompts, pick
from .drawings import Drawings

TEXT_FAITH = {0: 0.97, 1: 0.88, 2: 0.72}
PICTURE_FAITH = 0.96

# Shares of the kinds of example among those with a picture, and among those without.
WITH_PICTURE = {
    "picture": 0.47,
    "both": 0.40,
    "text about another shape": 0.05,
    "shape not in the picture": 0.03,
    "text beside the picture": 0.05,
}
WITHOUT_PICTURE = {"text": 0.88, "text about another shape": 0.06, "question only": 0.06}


@dataclass(frozen=True)
class Example:
    text: str
    drawing: int | None
    """Index of the drawing, None without a picture."""
    painted: int | None
    """Index of the color that the target is painted in, None without a picture."""
    posterior: np.ndarray
    """float64 [colors]: p(c | picture, text), what the answer token is trained on."""


class Narrator:
    """Makes up examples. `rng` is a numpy Generator; `pool` holds the indices of the drawings to choose from."""

    def __init__(self, prompts: Prompts, drawings: Drawings):
        self.prompts = prompts
        self.drawings = drawings
        self.index = {color: i for i, color in enumerate(prompts.colors)}

    def likelihood(self, shown: int, faith: float) -> np.ndarray:
        """p(shown | c) for every c."""
        n = len(self.index)
        p = np.full(n, (1 - faith) / (n - 1))
        p[shown] = faith
        return p

    def with_picture(self, rng, pool: np.ndarray) -> Example:
        kind = choose(rng, WITH_PICTURE)
        drawing = int(pick(rng, pool))
        target = self.drawings.target[drawing]
        shown = int(rng.integers(len(self.index)))
        evidence = self.likelihood(shown, PICTURE_FAITH)
        description = None
        if kind == "both":
            truth = sample(rng, evidence)
            dt, stated, description = self.statement(rng, target, truth)
            evidence = evidence * self.likelihood(stated, TEXT_FAITH[dt])
        elif kind == "text about another shape":
            _, _, description = self.statement(rng, self.other_shape(rng, target), int(rng.integers(len(self.index))))
        elif kind == "shape not in the picture":
            target = self.absent_shape(rng, drawing)
            evidence = np.ones_like(evidence)
        elif kind == "text beside the picture":
            target = self.absent_shape(rng, drawing)
            dt, stated, description = self.statement(rng, target, int(rng.integers(len(self.index))))
            evidence = self.likelihood(stated, TEXT_FAITH[dt])
        return Example(self.prompts.turn(target, description), drawing, shown, evidence / evidence.sum())

    def without_picture(self, rng) -> Example:
        kind = choose(rng, WITHOUT_PICTURE)
        target = pick(rng, self.prompts.shapes if rng.random() < 0.9 else self.prompts.shapes_never_drawn)
        evidence = np.ones(len(self.index))
        description = None
        if kind != "question only":
            subject = target if kind == "text" else self.other_shape(rng, target)
            dt, stated, description = self.statement(rng, subject, int(rng.integers(len(self.index))))
            if kind == "text":
                evidence = self.likelihood(stated, TEXT_FAITH[dt])
        return Example(self.prompts.turn(target, description), None, None, evidence / evidence.sum())

    def statement(self, rng, subject: str, truth: int) -> tuple[int, int, str]:
        """(dt, stated color, description) about `subject`, whose true color is `truth`."""
        dt = pick(rng, tuple(TEXT_FAITH))
        stated = sample(rng, self.likelihood(truth, TEXT_FAITH[dt]))
        return dt, stated, self.prompts.describe(rng, dt, subject, self.prompts.colors[stated])

    def other_shape(self, rng, target: str) -> str:
        return pick(rng, [s for s in self.prompts.shapes + self.prompts.shapes_never_drawn if s != target])

    def absent_shape(self, rng, drawing: int) -> str:
        """A shape that is surely not in the picture: one that is never drawn, or at dv 0, where the target stands alone, any other."""
        shapes = self.prompts.shapes_never_drawn
        if self.drawings.dv[drawing] == 0:
            shapes = shapes + tuple(s for s in self.prompts.shapes if s != self.drawings.target[drawing])
        return pick(rng, shapes)


def sample(rng, p: np.ndarray) -> int:
    return int(rng.choice(len(p), p=p / p.sum()))


def choose(rng, shares: dict[str, float]) -> str:
    return list(shares)[sample(rng, np.array(list(shares.values())))]
