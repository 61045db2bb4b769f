"""What each patch of a page is to tell the decoder, and the throw-away heads that teach it.

From its feature one must be able to say which token the patch shows, the two tokens before it and the one after it in reading order,
and in which line and where in it the token stands. That is dense: a page has a hundred patches. And it is what a decoder needs for
reading: "which token comes after the one I have just written?" is then one look.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from .model import WIDTH
from .pages import Printer, covering, random_look, squeezed

LINES, PLACES = 10, 10
"""Lines of a page, tokens of a line; later ones count as the last."""
SCORED = 1200
"""Patches of a batch that are scored; all would cost as much as the tower."""


@dataclass(frozen=True)
class View:
    pixels: np.ndarray
    """uint8 [side, side, 3]"""
    targets: np.ndarray
    """int64 [patches, 6]: token, the one before it, the one before that, the one after it, line, place; -1 in empty patches"""
    pieces: np.ndarray
    """int64 [patches]: which of the text's tokens (line breaks are not counted) each patch shows, -1 in empty patches"""


class Artist:
    """Draws a text in a random look, and says what is seen in each patch."""

    def __init__(self, tokenizer, printer: Printer):
        self.tokenizer, self.printer = tokenizer, printer

    def view(self, text: str, rng) -> View:
        font, dpi, color = random_look(rng)
        page = self.printer.page(text, font, dpi, rng)
        ids = self.tokenizer(text).input_ids  # begins with <s>
        ids.append(self.tokenizer.eos_token_id)
        newline = self.tokenizer.convert_tokens_to_ids("\n")
        at = np.array([i for i, token in enumerate(ids) if token != newline][1:-1])
        ids = np.array(ids)
        line = page.boxes[:, 4].astype(int)
        place = np.arange(len(line)) - np.searchsorted(line, line)
        columns = (ids[at], ids[at - 1], ids[np.maximum(at - 2, 0)], ids[at + 1], line.clip(max=LINES - 1), place.clip(max=PLACES - 1))
        pieces_of = covering(page.boxes)
        targets = np.where(pieces_of[:, None] < 0, -1, np.stack(columns, 1)[pieces_of])
        return View(squeezed(page.ink, color), targets, pieces_of)


def stack(views: list[View]) -> tuple[torch.Tensor, torch.Tensor]:
    """float32 [n, 3, side, side] in [-1, 1] as the image processor gives it, int64 [n, patches, 6]"""
    pixels = torch.from_numpy(np.stack([v.pixels for v in views])).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0).contiguous()
    return pixels, torch.from_numpy(np.stack([v.targets for v in views]))


class Sight(torch.nn.Module):
    """The throw-away heads."""

    def __init__(self, vocabulary: int):
        super().__init__()
        self.norm = torch.nn.LayerNorm(WIDTH)
        self.heads = torch.nn.ModuleList(torch.nn.Linear(WIDTH, n) for n in (vocabulary,) * 4 + (LINES, PLACES))

    def loss(self, features: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, np.ndarray]:
        """Mean cross-entropy over the heads, and the share of right patches for each head."""
        seen = (targets[..., 0] >= 0).flatten().nonzero()[:, 0]
        seen = seen[torch.randperm(len(seen))[:SCORED]]
        features = self.norm(features.flatten(0, 1)[seen])
        targets = targets.flatten(0, 1)[seen]
        logits = [head(features).float() for head in self.heads]
        losses = [F.cross_entropy(one, targets[:, i]) for i, one in enumerate(logits)]
        right = [(one.argmax(-1) == targets[:, i]).float().mean().item() for i, one in enumerate(logits)]
        return sum(losses) / len(losses), np.array(right)
