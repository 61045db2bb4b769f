"""The tokenizer: a closed vocabulary of whole words, numbers, signs and the line break, that gives texts back to the letter.

A word's token has its space (or the line's beginning) in it, as `▁`; signs have none. So `A. green\\nB. red` is
`▁A . ▁green \\n ▁B . ▁red`, and there is one token for `green` wherever it stands.
"""

import re

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import LlavaProcessor, PreTrainedTokenizerFast

from small_llava import BOS, EOS, IMAGE, PAD, SPECIAL_TOKENS, UNK, squeezing_processor

from . import contents
from .facts import GAINS, LARGEST, LOSSES, NAMES, THINGS, UNKNOWNS

IMAGE_SIZE = 120
PATCH_SIZE = 12
GRID = IMAGE_SIZE // PATCH_SIZE
IMAGE_TOKENS = GRID**2
MAX_POSITIONS = 256
PIECE = r"▁?[A-Za-z]+|▁?[0-9]+|\n|▁?[^\sA-Za-z0-9▁]|▁"


def vocabulary() -> list[str]:
    """Special tokens, signs, numbers, and the words of all contents and prompts, in this order."""
    texts = list(contents.content_words())
    texts += [contents.TRANSCRIBE, contents.BY_LETTER, contents.BY_NUMBER, contents.BY_WORD]
    texts += [contents.IMAGE_BY_LETTER, contents.IMAGE_BY_NUMBER, contents.MIXED_BY_LETTER, contents.MIXED_BY_NUMBER]
    texts += ["USER: ASSISTANT:", *NAMES, *THINGS, *GAINS, *LOSSES, *UNKNOWNS]
    words = sorted({f"▁{word}" for text in texts for word in re.findall("[A-Za-z]+", text)})
    numbers = [f"▁{n}" for n in range(LARGEST + 1)]
    return [*SPECIAL_TOKENS, "\n", ".", "?", ",", ":", "▁+", "▁-", "▁=", *numbers, *words]


def build_tokenizer() -> PreTrainedTokenizerFast:
    words = Tokenizer(models.WordLevel({token: i for i, token in enumerate(vocabulary())}, unk_token=UNK))
    words.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL_TOKENS])
    words.normalizer = normalizers.Sequence(
        [
            normalizers.Prepend("▁"),
            normalizers.Replace(" ", "▁"),
            normalizers.Replace("\n", "\n▁"),
            normalizers.Replace(Regex(r"▁+\n"), "\n"),  # nothing but a space before the line's end
            normalizers.Replace(Regex(r"▁+$"), ""),
        ]
    )
    words.pre_tokenizer = pre_tokenizers.Split(Regex(PIECE), "isolated")
    words.decoder = decoders.Sequence(
        [decoders.Fuse(), decoders.Replace("\n▁", "\n"), decoders.Replace("▁", " "), decoders.Strip(" ", 1, 0)]
    )
    words.post_processor = processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, words.token_to_id(BOS))])
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        unk_token=UNK,
        extra_special_tokens={"image_token": IMAGE},
        padding_side="left",
        model_max_length=MAX_POSITIONS,
        clean_up_tokenization_spaces=False,
    )


def build_processor(tokenizer: PreTrainedTokenizerFast) -> LlavaProcessor:
    return squeezing_processor(tokenizer, IMAGE_SIZE, PATCH_SIZE)
