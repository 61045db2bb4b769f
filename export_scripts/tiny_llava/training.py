"""The training loop. Two stages, as in LLaVA's own recipe: the eye first, then the whole model.

1. *Eye*: the vision tower and the projector learn to answer "which color has shape s?" through a throw-away head that looks
   from a query per shape at the 64 projected image tokens, and is also told which of them the target covers. A step costs half
   of what it costs with the decoder, and shapes are learnt in fewer of them.
2. *All*: the narrator's examples through the whole model; the loss is on the answer token and the `</s>` after it.

A fixed seed and fixed numbers of steps make the result repeatable (to the bit only on one kind of CPU with the same number of
threads); checkpoints let an interrupted run go on.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from small_llava import image_features, positions, save_atomically

from .batches import Encoder, to_tensor
from .drawings import Drawings
from .model import WIDTH
from .narrator import PICTURE_FAITH, Narrator

EASY_TIERS = (0, 1, 5, 7)
"""dv of the curriculum's beginning: the target alone or large."""
LOOK_WEIGHT = 0.5
"""Weight, in the first stage, of looking at the tokens that the target covers."""
END_WEIGHT = 0.1
"""Weight of `</s>` in the loss: it is learnt in a few steps."""


@dataclass(frozen=True)
class Stage:
    name: str
    stream: int
    """Which stream of random numbers its examples come from."""
    steps: int
    batch: int
    """Examples with a picture in a step."""
    texts: int
    """Examples without a picture in a step."""
    peak_lr: float
    eye_lr: float
    """Peak learning rate of the vision tower and the projector."""
    warmup: int
    easy_steps: int
    """Steps on the easy tiers only."""


EYE = Stage("eye", stream=1, steps=6500, batch=96, texts=0, peak_lr=1e-3, eye_lr=1e-3, warmup=150, easy_steps=400)
ALL = Stage("all", stream=2, steps=4000, batch=64, texts=24, peak_lr=1e-3, eye_lr=3e-4, warmup=150, easy_steps=150)


class ShapeQuery(torch.nn.Module):
    """The throw-away head of stage 1: looks for a shape among the image tokens, then says the color of what it found."""

    def __init__(self, shapes: int, colors: int):
        super().__init__()
        self.query = torch.nn.Embedding(shapes, WIDTH)
        self.norm = torch.nn.LayerNorm(WIDTH)
        self.colors = torch.nn.Sequential(torch.nn.Linear(WIDTH, WIDTH), torch.nn.GELU(), torch.nn.Linear(WIDTH, colors))

    def forward(self, tokens: torch.Tensor, shape: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[n, 64, width] tokens and [n] shapes -> [n, 64] logits of where, [n, colors] logits of which color."""
        tokens = self.norm(tokens)
        where = (tokens @ self.query(shape)[:, :, None])[..., 0] * WIDTH**-0.5
        found = (where.softmax(-1)[:, None] @ tokens)[:, 0]
        return where, self.colors(found)


class Trainer:
    """Runs the stages one after the other. `report(stage, model, head)` is called every `report_secs` and at a stage's end."""

    def __init__(self, model, narrator: Narrator, encoder: Encoder, work: Path, seed: int, report: Callable, report_secs: float = 180.0):
        self.model, self.narrator, self.encoder, self.work, self.seed = model, narrator, encoder, work, seed
        self.report, self.report_secs = report, report_secs
        self.drawings: Drawings = narrator.drawings
        self.every = np.arange(len(self.drawings))
        self.easy = np.flatnonzero(np.isin(self.drawings.dv, EASY_TIERS))
        self.shape_index = {shape: i for i, shape in enumerate(narrator.prompts.shapes)}
        faith = [narrator.likelihood(i, PICTURE_FAITH) for i in range(len(narrator.index))]
        self.picture_posterior = torch.tensor(np.stack(faith), dtype=torch.float32)

    def run(self, stage: Stage) -> None:
        head = ShapeQuery(len(self.shape_index), len(self.narrator.index)) if stage is EYE else torch.nn.Identity()
        eye = [*self.model.model.vision_tower.parameters(), *self.model.model.multi_modal_projector.parameters()]
        rest = [*self.model.model.language_model.parameters(), *self.model.lm_head.parameters(), *head.parameters()]
        groups = [{"params": eye, "peak": stage.eye_lr}, {"params": rest, "peak": stage.peak_lr}]
        optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.02)
        checkpoint = self.work / f"{stage.name}.pt"
        first = self.resume(checkpoint, head, optimizer)
        began = reported = time.monotonic()
        losses = []
        self.model.train()
        for step in range(first, stage.steps):
            # The generator depends on the step alone, so that a resumed run sees the same examples.
            rng = np.random.default_rng([self.seed, stage.stream, step])
            pool = self.easy if step < stage.easy_steps else self.every
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * schedule(stage, step)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = self.eye_loss(head, rng, pool, stage) if stage is EYE else self.all_loss(rng, pool, stage)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(eye + rest, 1.0)
            optimizer.step()
            losses.append(loss.item())
            if step + 1 == stage.steps or time.monotonic() - reported > self.report_secs:
                speed = (step + 1 - first) / (time.monotonic() - began)
                print(f"[{stage.name}] step {step + 1}/{stage.steps}  {speed:.2f} steps/s  loss {np.mean(losses):.3f}", flush=True)
                losses.clear()
                self.model.eval()
                self.report(stage, self.model, head)
                self.model.train()
                state = {"step": step + 1, "model": self.model.state_dict(), "head": head.state_dict(), "optimizer": optimizer.state_dict()}
                save_atomically(checkpoint, state)
                reported = time.monotonic()

    def resume(self, checkpoint: Path, head, optimizer) -> int:
        """Loads the stage's checkpoint if there is one; returns the first step to do."""
        if not checkpoint.exists():
            return 0
        state = torch.load(checkpoint)
        self.model.load_state_dict(state["model"])
        head.load_state_dict(state["head"])
        optimizer.load_state_dict(state["optimizer"])
        print(f"going on from {checkpoint} at step {state['step']}", flush=True)
        return state["step"]

    def eye_loss(self, head: ShapeQuery, rng, pool: np.ndarray, stage: Stage) -> torch.Tensor:
        chosen = rng.choice(pool, stage.batch)
        colors = rng.integers(len(self.narrator.index), size=stage.batch)
        pixels, covered = self.drawings.paint(rng, chosen, colors)
        shape = torch.tensor([self.shape_index[self.drawings.target[i]] for i in chosen])
        where, color = head(image_features(self.model, to_tensor(pixels)), shape)
        looking = F.cross_entropy(where.float(), torch.from_numpy(covered))
        return F.cross_entropy(color.float(), self.picture_posterior[colors]) + LOOK_WEIGHT * looking

    def all_loss(self, rng, pool: np.ndarray, stage: Stage) -> torch.Tensor:
        pictures = [self.narrator.with_picture(rng, pool) for _ in range(stage.batch)]
        texts = [self.narrator.without_picture(rng) for _ in range(stage.texts)]
        total = sum(self.batch_loss(self.encoder.batch(rng, examples, self.drawings)) for examples in (pictures, texts))
        return total / (stage.batch + stage.texts)

    def batch_loss(self, batch) -> torch.Tensor:
        """Summed loss: cross-entropy against the posterior at the answer, and a little of `</s>` after it."""
        logits = self.model(
            input_ids=batch.input_ids,
            attention_mask=batch.attention_mask,
            position_ids=positions(batch.attention_mask),
            pixel_values=batch.pixel_values,
            logits_to_keep=2,
            use_cache=False,
        ).logits.float()
        answer = torch.zeros_like(logits[:, 0])
        answer[:, self.encoder.answers] = batch.posterior
        end = torch.full((len(logits),), self.encoder.tokenizer.eos_token_id)
        return F.cross_entropy(logits[:, 0], answer, reduction="sum") + END_WEIGHT * F.cross_entropy(logits[:, 1], end, reduction="sum")


def schedule(stage: Stage, step: int) -> float:
    """Share of the peak learning rate: linear warm-up, then a cosine down to 2 %."""
    if step < stage.warmup:
        return (step + 1) / stage.warmup
    done = (step - stage.warmup) / max(1, stage.steps - stage.warmup)
    return max(0.02, 0.5 * (1 + math.cos(math.pi * done)))
