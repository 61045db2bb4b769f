"""The training loop (needs a C++ compiler, for `torch.compile`), in three stages:

1. *Mind*: the decoder alone answers contents given as text.
2. *Eye*: the vision tower and the projector alone learn what each patch shows (`sight.py`). 1 and 2 do not need each other.
3. *All*: the whole model transcribes pages, answers what it reads, and answers what it is told; the eye's heads stay on.

Where two attention heads have to be found at once before a loss goes down at all, as from an answer to its letter, or from the word
just written to the next one on the page, one of them is told where to look (`binding_loss`, `reading_loss`, `choosing_loss`).

A fixed seed and fixed numbers of steps make the result repeatable (to the bit only on one kind of CPU with the same number of
threads). Every stage leaves checkpoints, from which an interrupted run goes on.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from small_llava import image_features, save_atomically

from .contents import TRANSCRIBE, Author, Content, babble
from .examples import UNSCORED, Batch, Encoder, Example, text_example
from .facts import LETTERS
from .model import WIDTH
from .sight import Artist, Sight, View, stack
from .tokenizer import IMAGE_TOKENS

TEXT_LENGTH, PROMPT_LENGTH = 42, 46
"""Tokens to which examples are padded, without and with an image (whose tokens are not counted): one shape, compiled once."""
SHOWN_SHARE = 0.25
"""Share of the second stage's pages that show what an image shows in the mixed presentation."""
BABBLE_SHARE = 0.5
"""Share of the second stage's pages that have no sense."""
SIGHT_WEIGHT = 1.0
"""Weight of the eye's heads in the third stage."""


@dataclass(frozen=True)
class Stage:
    name: str
    stream: int
    """Which stream of random numbers its examples come from."""
    steps: int
    peak_lr: float
    warmup: int
    floor: float
    """Share of the peak learning rate at the end."""
    transcribed: int = 0
    """Pages of a step that are to be transcribed; the first `answered` of them are also to be answered."""
    babbled: int = 0
    """Pages of a step without sense that are to be transcribed."""
    answered: int = 0
    mixed: int = 0
    texts: int = 0
    pages: int = 0
    """Pages of a step for the eye alone."""
    eye_lr: float | None = None
    """Peak learning rate of the tower and the projector, where it is another one."""


MIND = Stage("mind", stream=1, steps=4000, peak_lr=1.5e-3, warmup=100, floor=0.1, texts=48)
EYE = Stage("eye", stream=2, steps=6400, peak_lr=1.5e-3, warmup=100, floor=0.1, pages=32)
ALL = Stage(
    "all", stream=3, steps=1600, peak_lr=1e-3, warmup=60, floor=0.03,
    transcribed=20, babbled=6, answered=20, mixed=12, texts=24, eye_lr=4e-4,
)  # fmt: skip


class Trainer:
    """Runs the stages one after the other. Every `every` steps and at a stage's end it saves a checkpoint and calls `report(stage)`."""

    def __init__(self, model, encoder: Encoder, artist: Artist, work: Path, seed: int, report: Callable, every: int = 400):
        self.model, self.encoder, self.artist, self.work, self.seed = model, encoder, artist, work, seed
        self.report, self.every = report, every
        self.author = Author()
        self.sight = Sight(len(encoder.tokenizer))
        self.binding = torch.nn.Linear(WIDTH, len(encoder.tokenizer))
        """A throw-away head: which letter is an option's word beside? (See `binding_loss`.)"""
        self.decode = torch.compile(lambda embeds: decoded(model.model.language_model, embeds), dynamic=False)
        self.see = torch.compile(lambda pixels: image_features(model, pixels), dynamic=False)

    def parameters(self, stage: Stage) -> list[dict]:
        eye = [*self.model.model.vision_tower.parameters(), *self.model.model.multi_modal_projector.parameters(), *self.sight.parameters()]
        mind = [*self.model.model.language_model.parameters(), *self.model.lm_head.parameters(), *self.binding.parameters()]
        groups = []
        if stage is not MIND:
            groups.append({"params": eye, "peak": stage.eye_lr or stage.peak_lr})
        if stage is not EYE:
            groups.append({"params": mind, "peak": stage.peak_lr})
        return groups

    def run(self, stage: Stage) -> None:
        groups = self.parameters(stage)
        optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.02, fused=True)
        parameters = [p for group in groups for p in group["params"]]
        checkpoint = self.work / f"{stage.name}.pt"
        first = self.resume(checkpoint, optimizer)
        began, losses = time.monotonic(), []
        for step in range(first, stage.steps):
            # The generator depends on the step alone, so that a resumed run sees the same examples.
            rng = np.random.default_rng([self.seed, stage.stream, step])
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * schedule(stage, step)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss, parts = self.loss(stage, rng)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            losses.append(parts)
            if (step + 1) % self.every == 0 or step + 1 == stage.steps:
                speed = (step + 1 - first) / (time.monotonic() - began)
                mean = {name: round(float(np.mean([p[name] for p in losses])), 3) for name in parts}
                print(f"[{stage.name}] step {step + 1}/{stage.steps}  {speed:.2f} steps/s  {mean}", flush=True)
                losses.clear()
                parts_of_state = {"model": self.model, "sight": self.sight, "binding": self.binding, "optimizer": optimizer}
                save_atomically(checkpoint, {"step": step + 1} | {name: part.state_dict() for name, part in parts_of_state.items()})
                self.report(stage)

    def resume(self, checkpoint: Path, optimizer) -> int:
        """Loads the stage's checkpoint if there is one; returns the first step to do."""
        if not checkpoint.exists():
            return 0
        state = torch.load(checkpoint)
        self.model.load_state_dict(state["model"])
        self.sight.load_state_dict(state["sight"])
        self.binding.load_state_dict(state["binding"])
        optimizer.load_state_dict(state["optimizer"])
        print(f"going on from {checkpoint} at step {state['step']}", flush=True)
        return state["step"]

    def loss(self, stage: Stage, rng) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss of a step, and its parts for the log."""
        parts = {}
        if stage.pages or stage.transcribed:
            whole = [self.author.content(rng) for _ in range(stage.transcribed)]
            shown = [self.author.content(rng) for _ in range(stage.mixed)]
            senseless = [babble(rng) for _ in range(stage.babbled)]
            texts = [*(c.whole for c in whole), *senseless, *(c.shown for c in shown)]
            texts += [self.page(rng) for _ in range(stage.pages)]
            views = [self.artist.view(text, rng) for text in texts]
            pixels, targets = stack(views)
            features = self.see(pixels)
            sight, right = self.sight.loss(features, targets)
            parts |= {"sight": sight, "seen": float(right[0])}
        if stage.transcribed:
            answered = whole[: stage.answered]
            asked = [self.encoder.example(TRANSCRIBE, text, True) for text in texts[: -len(shown)]]
            n = len(asked)
            asked += [self.encoder.example(c.image_prompt, c.answer, True) for c in answered]
            asked += [self.encoder.example(c.mixed_prompt, c.answer, True) for c in shown]
            looked_at = torch.cat([features[:n], features[: len(answered)], features[n:]])
            losses = self.losses(self.encoder.batch(asked, PROMPT_LENGTH), looked_at)
            views = views[:n] + views[: len(answered)] + views[n:]
            parts |= {"reading": self.reading_loss(asked[:n], views), "choosing": self.choosing_loss(asked, n, answered, shown, views)}
            transcribed, imaged, half = losses.split([n, len(answered), len(shown)])
            parts |= {"transcribe": transcribed.mean(), "image": imaged.mean(), "mixed": half.mean()}
        if stage.texts:
            batch = self.encoder.batch([text_example(self.encoder, self.author.content(rng), rng) for _ in range(stage.texts)], TEXT_LENGTH)
            parts |= {"text": self.losses(batch, None).mean(), "binding": self.bound}
        weights = {"sight": SIGHT_WEIGHT if stage is ALL else 1.0, "seen": 0.0, "transcribe": 0.2}
        loss = sum(part * weights.get(name, 1.0) for name, part in parts.items() if name != "seen")
        return loss, {name: round(float(torch.as_tensor(part).detach()), 4) for name, part in parts.items()}

    def page(self, rng) -> str:
        """What the second stage looks at."""
        if rng.random() < BABBLE_SHARE:
            return babble(rng)
        content = self.author.content(rng)
        return content.shown if rng.random() < SHOWN_SHARE else content.whole

    def losses(self, batch: Batch, features: torch.Tensor | None) -> torch.Tensor:
        """[batch]: cross-entropy summed over each example's answer."""
        embeds = self.model.get_input_embeddings()(batch.ids)
        labels = batch.labels
        if features is not None:
            at = self.encoder.image_at
            embeds = torch.cat([embeds[:, :at], features.to(embeds.dtype), embeds[:, at:]], 1)
            labels = torch.cat([labels[:, :at], torch.full(features.shape[:2], UNSCORED), labels[:, at:]], 1)
        hidden, early, self.read, self.looked = self.decode(embeds)
        if features is None:
            self.bound = self.binding_loss(early, batch)
        row, column = (labels != UNSCORED).nonzero(as_tuple=True)
        each = F.cross_entropy(self.model.lm_head(hidden[row, column]).float(), labels[row, column], reduction="none")
        return torch.zeros(len(labels)).index_add(0, row, each)

    def reading_loss(self, asked: list[Example], views: list[View]) -> torch.Tensor:
        """One head of the third layer must look at the patches that show the token which is to be written next."""
        newline, end = self.encoder.tokenizer.convert_tokens_to_ids("\n"), self.encoder.tokenizer.eos_token_id
        queries, keys = [], []
        for row, (example, view) in enumerate(zip(asked, views)):
            written = [at for at in range(example.answer_at, len(example.ids)) if example.ids[at] not in (newline, end)]
            for piece, at in enumerate(written):
                queries.append((row, at - 1 + IMAGE_TOKENS))
                keys.append(view.pieces == piece)
        patches = self.read[:, :, self.encoder.image_at :][..., :IMAGE_TOKENS]
        return looking_loss(patches, queries, np.stack(keys))

    def choosing_loss(self, asked: list[Example], n: int, answered: list[Content], shown: list[Content], views: list[View]) -> torch.Tensor:
        """Where a letter is to be said, one head of the fourth layer must look at that letter's word: at its patches, or at its token
        in the options beside an image."""
        tokenizer = self.encoder.tokenizer
        dot, at = tokenizer.convert_tokens_to_ids("."), self.encoder.image_at
        queries, keys = [], []
        for row, content in enumerate([*answered, *shown], n):
            if not content.by_letter:
                continue
            ids, key = asked[row].ids, np.zeros(IMAGE_TOKENS + PROMPT_LENGTH, bool)
            if row < n + len(answered):
                pieces = views[row].pieces
                before = len(tokenizer(content.shown, add_special_tokens=False).input_ids)
                key[at : at + IMAGE_TOKENS] = pieces == before + 3 * LETTERS.index(content.answer) + 2
            else:
                letter = tokenizer.convert_tokens_to_ids(f"▁{content.answer}")
                (word,) = [i for i in range(2, asked[row].answer_at) if ids[i - 2] == letter and ids[i - 1] == dot]
                key[word + IMAGE_TOKENS] = True
            queries.append((row, asked[row].answer_at - 1 + IMAGE_TOKENS))
            keys.append(key)
        return looking_loss(self.looked, queries, np.stack(keys))

    def binding_loss(self, early: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The two steps of the way from an answer to its letter, each with a loss of its own, as thousands of steps go by before
        both are found at once: after the second layer, an option's word must know its letter, which stands two tokens before it;
        and where a letter is to be said, one head of the fourth layer must look at that letter's word."""
        ids, tokenizer = batch.ids, self.encoder.tokenizer
        letters = torch.tensor(tokenizer.convert_tokens_to_ids([f"▁{letter}" for letter in LETTERS]))
        word = torch.zeros_like(ids, dtype=torch.bool)
        word[:, 2:] = (ids[:, 1:-1] == tokenizer.convert_tokens_to_ids(".")) & torch.isin(ids[:, :-2], letters)
        row, column = word.nonzero(as_tuple=True)
        knows = F.cross_entropy(self.binding(early[row, column]).float(), ids[row, column - 2])
        row, column = torch.isin(batch.labels, letters).nonzero(as_tuple=True)
        its_letter = torch.zeros_like(ids)
        its_letter[:, 2:] = ids[:, :-2]
        right = word[row] & (its_letter[row] == batch.labels[row, column][:, None])
        looks = -(self.looked[row, column] * right).sum() / right.sum()
        return knows + looks


def decoded(decoder, embeds: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """[batch, seq, width] -> what the decoder makes of it (right padding needs no mask), the state after its second layer, and where
    the first heads of its third and fourth layer look."""
    at = torch.arange(embeds.shape[1])[None]
    mask = torch.full((embeds.shape[1],) * 2, torch.finfo(torch.float32).min).triu(1)[None, None]
    rotary = decoder.rotary_emb(embeds, at)
    hidden = embeds
    for i, layer in enumerate(decoder.layers):
        if i == 2:
            read = first_head(layer, hidden, rotary, mask)
        if i == 3:
            looked = first_head(layer, hidden, rotary, mask)
        hidden = layer(hidden, attention_mask=mask, position_ids=at, position_embeddings=rotary)
        if i == 1:
            early = hidden
    return decoder.norm(hidden), early, read, looked


def first_head(layer, hidden: torch.Tensor, rotary, mask: torch.Tensor) -> torch.Tensor:
    """[batch, seq, seq]: logarithms of the attention of a layer's first head."""
    attention, inside = layer.self_attn, layer.input_layernorm(hidden)
    query, key = (p(inside)[..., : attention.head_dim][:, None] for p in (attention.q_proj, attention.k_proj))
    query, key = apply_rotary_pos_emb(query, key, *rotary)
    return ((query @ key.mT).float() * attention.scaling + mask)[:, 0].log_softmax(-1)


def looking_loss(logs: torch.Tensor, queries: list[tuple[int, int]], keys: np.ndarray) -> torch.Tensor:
    """-log of the attention that falls from each query (row, position) on its keys, the mean of the queries that have any.
    `logs`: [batch, seq, keys]; `keys`: [queries, keys]."""
    seen = keys.any(1)
    row, column = torch.tensor(queries)[torch.from_numpy(seen)].T
    on = logs[row, column].masked_fill(~torch.from_numpy(keys[seen]), -torch.inf)
    return -on.logsumexp(-1).clamp(min=-20).mean()


def schedule(stage: Stage, step: int) -> float:
    """Share of the peak learning rate: linear warm-up, then a cosine down to the floor."""
    return min((step + 1) / stage.warmup, max(stage.floor, 0.5 * (1 + math.cos(math.pi * step / stage.steps))))
