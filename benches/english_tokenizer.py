"""A tokenizer that makes about as many tokens of an English text as a published one, though it knows few words.

Byte-level BPE of some thousand merges, trained on the English text of this repository and on questions of `workloads/questions.py`. Its
vocabulary is filled up to that of the published model with words that no text is split into: whatever a model of random weights writes
has a text, by which writings can be compared. Another README makes another tokenizer: compare runs on the same export.
"""

import json
from itertools import islice, product
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from tiny_zoo.tokenizer import wrap
from workloads.questions import question

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCES = ("README.md", "data/prompts/*.toml", "data/questions/*")
MERGES = 4000
QUESTIONS = 200
"""From number 10,000 on: none that is asked."""
LETTERS = "bcdfghjklmnpqrstvwxz"


def corpus() -> list[str]:
    files = [file for pattern in SOURCES for file in sorted(REPOSITORY.glob(pattern))]
    asked = (question(number) for number in range(10_000, 10_000 + QUESTIONS))
    options = "A. {}\nB. {}\nC. {}\nD. {}"
    return [file.read_text(encoding="utf-8") for file in files] + [f"{q['question']}\n{options.format(*q['choices'])}" for q in asked]


def english(tiny, vocabulary: int):
    """A tokenizer of `vocabulary` tokens, the last of them the special tokens of `tiny`, whose names and settings it takes."""
    specials = [token.content for _, token in sorted(tiny.added_tokens_decoder.items())]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.train_from_iterator(corpus(), trainers.BpeTrainer(vocab_size=256 + MERGES, initial_alphabet=alphabet, show_progress=False))
    learned = json.loads(trained.to_str())["model"]
    known, missing = learned["vocab"], vocabulary - len(specials) - len(learned["vocab"])
    unreachable = (word for word in map("".join, product("Ġ", *[LETTERS] * 4)) if word not in known)
    filled = known | {word: len(known) + at for at, word in enumerate(islice(unreachable, missing))}
    bpe = Tokenizer(models.BPE(filled, [tuple(merge) for merge in learned["merges"]]))
    bpe.pre_tokenizer, bpe.decoder = trained.pre_tokenizer, decoders.ByteLevel()
    tokenizer = wrap(bpe, tuple(specials), dict(tiny.special_tokens_map))
    tokenizer.backend_tokenizer.post_processor = tiny.backend_tokenizer.post_processor
    return tokenizer
