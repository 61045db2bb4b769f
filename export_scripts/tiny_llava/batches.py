"""From examples to tensors: prompts through the chat template, left-padded, the answer appended; pixels painted and scaled."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from .drawings import Drawings
from .narrator import Example, sample
from .tokenizer import IMAGE_TOKENS, answer_token



@dataclass(frozen=True)
class Batch:
    input_ids: torch.Tensor
    """int64 [batch, seq]: left-padded prompt, then one answer token"""
    attention_mask: torch.Tensor
    """int64 [batch, seq]"""
    pixel_values: torch.Tensor | None
    """float32 [batch, 3, 64, 64]"""
    posterior: torch.Tensor
    """float32 [batch, colors]: target at the last prompt position"""


class Encoder:
    """Turns texts into token ids; remembers those that it has seen, as the suite's wordings come back all the time."""

    def __init__(self, processor, colors):
        self.processor = processor
        self.tokenizer = processor.tokenizer
        self.answers = [answer_token(self.tokenizer, color) for color in colors]
        self.prompt_ids = lru_cache(maxsize=1 << 17)(self._prompt_ids)

    def prompt(self, text: str, with_image: bool) -> str:
        content = [{"type": "image"}] * with_image + [{"type": "text", "text": text}]
        return self.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)

    def _prompt_ids(self, text: str, with_image: bool) -> tuple[int, ...]:
        image = self.processor.image_token
        prompt = self.prompt(text, with_image).replace(image, image * IMAGE_TOKENS)
        return tuple(self.tokenizer(prompt).input_ids)

    def pad(self, prompts: list[tuple[int, ...]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Left-padded ([batch, seq] ids, [batch, seq] mask)."""
        length = max(map(len, prompts))
        ids = torch.full((len(prompts), length), self.tokenizer.pad_token_id)
        mask = torch.zeros((len(prompts), length), dtype=torch.int64)
        for row, prompt in enumerate(prompts):
            ids[row, length - len(prompt) :] = torch.tensor(prompt)
            mask[row, length - len(prompt) :] = 1
        return ids, mask

    def batch(self, rng, examples: list[Example], drawings: Drawings) -> Batch:
        """Examples that either all have a picture or all have none. The appended answer is drawn from the posterior."""
        with_image = examples[0].drawing is not None
        answers = [self.answers[sample(rng, e.posterior)] for e in examples]
        ids, mask = self.pad([(*self.prompt_ids(e.text, with_image), a) for e, a in zip(examples, answers)])
        pixels = None
        if with_image:
            painted, _ = drawings.paint(rng, [e.drawing for e in examples], [e.painted for e in examples])
            pixels = to_tensor(painted)
        posterior = torch.tensor(np.stack([e.posterior for e in examples]), dtype=torch.float32)
        return Batch(ids, mask, pixels, posterior)


def to_tensor(pixels: np.ndarray) -> torch.Tensor:
    """uint8 [n, h, w, 3] -> float32 [n, 3, h, w] in [-1, 1], as the image processor does."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0).contiguous()

