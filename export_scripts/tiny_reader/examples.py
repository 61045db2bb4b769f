"""Examples as token ids: what is asked, before and after the image, and what is to be answered. Only the answer has a loss."""

from dataclasses import dataclass

import torch

from . import contents
from .contents import Content
from .facts import LETTERS, families
OPTIONS = sorted({fact.answer for facts in families().values() for fact in facts})
"""Everything that is the right option somewhere."""
UNSCORED = -100
"""Label of positions without a loss."""


@dataclass(frozen=True)
class Example:
    ids: tuple[int, ...]
    """Prompt without the image's tokens, answer, `</s>`."""
    answer_at: int
    """Index in `ids` where the answer begins."""
    unscored: tuple[int, ...] = ()
    """Indices of the answer's tokens that cannot be known."""


@dataclass(frozen=True)
class Batch:
    ids: torch.Tensor
    """int64 [batch, seq], padded on the right; without image tokens"""
    labels: torch.Tensor
    """int64 [batch, seq]: the token after each position where it is part of the answer, else UNSCORED"""


class Encoder:
    def __init__(self, processor):
        self.processor, self.tokenizer = processor, processor.tokenizer
        self.image_at = len(self.tokenizer("USER: ").input_ids)
        """Where the image's tokens are to be put into `ids`."""

    def prompt(self, text: str, with_image: bool) -> str:
        parts = [{"type": "image"}] * with_image + [{"type": "text", "text": text}]
        return self.processor.apply_chat_template([{"role": "user", "content": parts}], add_generation_prompt=True)

    def example(self, text: str, answer: str, with_image: bool) -> Example:
        prompt = self.prompt(text, with_image).replace(self.processor.image_token, "") if with_image else self.prompt(text, False)
        before = self.tokenizer(prompt).input_ids
        after = [*self.tokenizer(answer, add_special_tokens=False).input_ids, self.tokenizer.eos_token_id]
        return Example((*before, *after), len(before))

    def batch(self, examples: list[Example], length: int) -> Batch:
        ids = torch.full((len(examples), length), self.tokenizer.pad_token_id)
        labels = torch.full((len(examples), length), UNSCORED)
        for row, e in enumerate(examples):
            ids[row, : len(e.ids)] = torch.tensor(e.ids)
            labels[row, e.answer_at - 1 : len(e.ids) - 1] = ids[row, e.answer_at : len(e.ids)]
            labels[row, [at - 1 for at in e.unscored]] = UNSCORED
        return Batch(ids, labels)


def text_example(encoder: Encoder, content: Content, rng) -> Example:
    """A content as text. Multiple choice also in three easier forms, which only training knows and from which the way from a word to
    its letter is learnt: the answer's word is asked, of the stem alone, or of everything and with the letter after it; or the
    letters of options that are named."""
    form = rng.random() if content.by_letter else 1.0
    if form < 0.1 and unique(content):
        return encoder.example(f"{content.shown}\n{contents.BY_WORD}", content.word, with_image=False)
    if form < 0.4:
        return letters_of_options(encoder, rng)
    if form < 0.65:
        return encoder.example(f"{content.whole}\n{contents.BY_WORD}", f"{content.word} {content.answer}", with_image=False)
    return encoder.example(content.text_prompt, content.answer, with_image=False)


def letters_of_options(encoder: Encoder, rng) -> Example:
    """Four options of any words; then three of them, each followed by its letter, which alone is scored."""
    words = [OPTIONS[i] for i in rng.permutation(len(OPTIONS))[: len(LETTERS)]]
    told = "\n".join(f"{letter}. {word}" for letter, word in zip(LETTERS, words))
    asked = rng.permutation(len(LETTERS))[:3]
    example = encoder.example(f"{told}\n{contents.BY_WORD}", " ".join(f"{words[i]} {LETTERS[i]}" for i in asked), with_image=False)
    unknown = tuple(range(example.answer_at, len(example.ids) - 1, 2))
    return Example(example.ids, example.answer_at, unknown)


def unique(content: Content) -> bool:
    """Whether the stem alone has one answer."""
    return not content.shown.startswith(("Which of these", "Which number", "Which animal can", "Which animal lives"))
