"""Small tokenizers of the two kinds that the families have, trained on a corpus that stands here."""

import json

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

CORPUS = (
    "Is the square blue? Say yes or no.",
    "What color is the shape in the picture? Answer with one word.",
    "Which of these pictures shows more, and why?",
    "The circle is red, the triangle is green.",
    "You are a helpful assistant.",
    "USER: user\n ASSISTANT: assistant\n System: User: Assistant: model\n system\n",
    "[INST]  [/INST] <<SYS>>\n <</SYS>>\n\n",
    "Here is the original image \n\n and here are some crops to help you see better \n\n",
)
MERGES = 110
"""Of pairs of tokens, on top of the alphabet."""


def byte_level(specials: tuple[str, ...], **named: str) -> PreTrainedTokenizerFast:
    """GPT-2's kind, as Qwen, SmolLM and Llama 3 have it: its alphabet is the 256 bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    train(bpe, len(alphabet) + MERGES, alphabet)
    return wrap(bpe, specials, named)


def sentence_piece(specials: tuple[str, ...], prefix: bool, **named: str) -> PreTrainedTokenizerFast:
    """Llama 2's and Gemma's kind: spaces are "▁", what has no token falls back to bytes; Llama puts a "▁" before the text."""
    pieces = Tokenizer(models.BPE())
    steps = [normalizers.Prepend("▁")] if prefix else []
    pieces.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    letters = sorted(set("".join(CORPUS).replace(" ", "▁")))
    train(pieces, len(letters) + MERGES, letters)
    model = json.loads(pieces.to_str())["model"]
    tokens = [f"<0x{byte:02X}>" for byte in range(256)] + sorted(model["vocab"], key=model["vocab"].get)
    vocabulary = {token: i for i, token in enumerate(["<unk>", *tokens])}
    merges = [tuple(merge) for merge in model["merges"]]
    bpe = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    bpe.normalizer = pieces.normalizer
    strip = [decoders.Strip(" ", 1, 0)] if prefix else []
    bpe.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip])
    return wrap(bpe, ("<unk>", *specials), {"unk_token": "<unk>", **named})


def train(bpe: Tokenizer, size: int, alphabet: list[str]) -> None:
    bpe.train_from_iterator(CORPUS * 2, trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False))


def wrap(bpe: Tokenizer, specials: tuple[str, ...], named: dict[str, str]) -> PreTrainedTokenizerFast:
    """Adds the special tokens, and a `bos_token` before every text where there is one. Names other than transformers' own become
    attributes of the tokenizer (`image_token`)."""
    bpe.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in specials])
    if (bos := named.get("bos_token")) is not None:
        bpe.post_processor = processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, bpe.token_to_id(bos))])
    own = {name: named.pop(name) for name in ("bos_token", "eos_token", "pad_token", "unk_token") if name in named}
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, **own, extra_special_tokens=named, padding_side="left", clean_up_tokenization_spaces=False
    )
