"""The model card: `README.md` beside the model, written from what was measured."""

from pathlib import Path

import numpy as np

from .measuring import LOOKS, MAIN, Said
from .tokenizer import IMAGE_SIZE, IMAGE_TOKENS, MAX_POSITIONS, PATCH_SIZE

CARD = """\
---
license: MIT OR Apache-2.0
library_name: onnx
pipeline_tag: image-text-to-text
---

# tiny-reader

A {parameters:.2f} M parameter LLaVA (CLIP vision tower, projector, Llama decoder; the real transformers classes) that was trained from
nothing to read short typeset pages in part, and to answer short questions in a letter or a number: given as text, as an image, or
half and half. It is small enough to ship ({size:.1f} MiB of ONNX) and is there so that the suites REST and REST+ can be run from end to end
without a download. It is a fixture for tests, examples and benchmarks, and no model to draw conclusions about other models from.

    python export_scripts/train_tiny_reader.py

makes it from nothing.{history}

## Model

Images {image}x{image}, patches of {patch}: {tokens} image tokens. Vision tower 4 layers, width 160. Decoder 5 layers, width 128, 4 heads, 2
key-value heads, {positions} positions. A closed vocabulary of 305 words, numbers to 19, signs and the line break, which gives
texts back to the letter; anything else is `<unk>`. Prompts in LLaVA 1.5's form, `USER: <image>\\n{{text}} ASSISTANT:`. Weights are values
of half precision, stored as such with a cast behind them; inputs, outputs and arithmetic are float32. Largest difference of a
logit from transformers: {parity:.0e}.

## Data and training

Contents are drawn from about 300 facts ("What color is snow?"), sums and differences, seven forms of word problems and systems of two
equations, with other options, orders and numbers each time. The questions in `data/questions` are made of the same facts and
forms; their exact contents were left out. So what is measured below is recombination, not generalization. Pages are drawn with
Pillow as the program typesets them, two thirds of them in DejaVu Sans at 200 DPI, the others at 100 and 50 DPI, in Courier Prime, in
Dancing Script, or in color; margins and widths are moved by a pixel or two.

1. *Mind*: the decoder alone, on contents as text.
2. *Eye*: tower and projector alone, with throw-away heads that ask each patch which token it shows, which come before and after it,
   and where in the text it is; on contents and on pages of words without sense.
3. *All*: the whole model transcribes and answers.

## Measured

On the 72 shipped questions and 24 systems of equations (drawn from a seed of their own), with these ONNX files, greedy, on pages drawn
with Pillow (not with the program's own typesetting). "Read" is the share of pages transcribed without an error, CER the character
error rate; *ocr-first* answers the model's own transcription as text. Chance is 0.25 for `arc` and `mmlu`.

DejaVu Sans, black, 200 DPI:

{datasets}

{verdict}By look, all questions together (text alone: {text:.2f}):

{looks}

## Limits

It knows its vocabulary, its facts and its forms of questions, and nothing else, and takes whatever it is shown for one of them: where it
can't make a word out, it writes another one of its words that fits. It was trained on the distribution that it is measured on. The effects
of font, resolution and color are those of its training data's shares as much as of what can be seen in {image} pixels. With 24
questions a row, a share is uncertain by about 0.1.

Licence: MIT OR Apache-2.0, as the project.
"""
HISTORY = """ The files here come from the same stages with fewer steps: on a busy machine, the stages were
stopped early and went on with other batch sizes, so the command will not give these bytes, and should give a better model."""


def write_card(out: Path, said: list[Said], parameters: int, parity: dict[str, float], history: str = "") -> None:
    graphs = sum(f.stat().st_size for f in (out / "onnx").iterdir())
    main = [s for s in said if s.look == MAIN]
    datasets = [f"| {name} | " + row([s for s in main if s.dataset == name], True) for name in dict.fromkeys(s.dataset for s in main)]
    looks = [f"| {look} | " + row([s for s in said if s.look == look], False) for look in LOOKS]
    card = CARD.format(
        parameters=parameters / 1e6,
        size=graphs / 2**20,
        image=IMAGE_SIZE,
        patch=PATCH_SIZE,
        tokens=IMAGE_TOKENS,
        positions=MAX_POSITIONS,
        parity=max(parity[name] for name in ("prefill", "decode", "continuation")),
        datasets=table(("questions", "text", "mixed", "image", "ocr-first", "read", "CER"), datasets),
        looks=table(("look", "mixed", "image", "ocr-first", "read", "CER"), looks),
        text=share(main, "text"),
        history=history,
        verdict=verdict(main),
    )
    (out / "README.md").write_text(card, encoding="utf-8")


def verdict(main: list[Said]) -> str:
    """What the table means where reading has not come far."""
    if np.mean([s.perfect for s in main]) >= 0.05:
        return ""
    return (
        "So it answers text, and does not yet read: it sees where words are and which forms of questions they make, not enough of\n"
        "which words they are to transcribe a page without an error, and its answers to images are guesses.\n\n"
    )


def table(head: tuple[str, ...], rows: list[str]) -> str:
    return "\n".join([f"| {' | '.join(head)} |", "| --- " * len(head) + "|", *rows])


def row(said: list[Said], with_text: bool) -> str:
    presentations = (("text",) if with_text else ()) + ("mixed", "image", "ocr-first")
    shares = [share(said, p) for p in presentations] + [np.mean([s.perfect for s in said])]
    return " | ".join(f"{x:.2f}" for x in shares) + f" | {np.mean([s.character_error_rate for s in said]):.3f} |"


def share(said: list[Said], presentation: str) -> float:
    return float(np.mean([s.right(presentation) for s in said]))
