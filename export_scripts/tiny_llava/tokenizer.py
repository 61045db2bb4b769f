"""The tokenizer (byte-level BPE in which every word of the suite is one token) and the processor around it."""

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlavaProcessor, PreTrainedTokenizerFast

from small_llava import BOS, EOS, IMAGE, PAD, SPECIAL_TOKENS, UNK, squeezing_processor

from .prompts import Prompts

IMAGE_SIZE = 64
PATCH_SIZE = 8
IMAGE_TOKENS = (IMAGE_SIZE // PATCH_SIZE) ** 2
VOCABULARY = 768
MAX_POSITIONS = 256


def train_tokenizer(prompts: Prompts) -> PreTrainedTokenizerFast:
    """Trains the BPE on all wordings, and checks that every answer is one token after `ASSISTANT:`."""
    bpe = Tokenizer(models.BPE(unk_token=UNK))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[AddedToken(t, special=True, normalized=False) for t in SPECIAL_TOKENS],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    chat = ["USER: \n", " ASSISTANT: "] * 100
    bpe.train_from_iterator([*chat, *prompts.corpus()], trainer)
    bpe.post_processor = processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, bpe.token_to_id(BOS))])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        unk_token=UNK,
        extra_special_tokens={"image_token": IMAGE},
        padding_side="left",
        model_max_length=MAX_POSITIONS,
        clean_up_tokenization_spaces=False,
    )
    for color in prompts.colors:
        answer_token(tokenizer, color)
    return tokenizer


def answer_token(tokenizer: PreTrainedTokenizerFast, color: str) -> int:
    """The id of the token that answers `color` after `ASSISTANT:`."""
    ids = tokenizer.encode(f" {color}", add_special_tokens=False)
    if len(ids) != 1:
        raise ValueError(f"the answer {color!r} is {len(ids)} tokens, expected 1: raise VOCABULARY above {VOCABULARY}")
    return ids[0]


def build_processor(tokenizer: PreTrainedTokenizerFast) -> LlavaProcessor:
    return squeezing_processor(tokenizer, IMAGE_SIZE, PATCH_SIZE)
