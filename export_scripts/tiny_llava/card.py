"""The model card: `README.md` beside the model, written from what was measured."""

from pathlib import Path

from . import evaluation
from .drawings import Drawings
from .narrator import PICTURE_FAITH, TEXT_FAITH, WITH_PICTURE, WITHOUT_PICTURE
from .outcomes import Outcome
from .training import ALL, EYE

CARD = """\
---
license: MIT OR Apache-2.0
library_name: onnx
pipeline_tag: image-text-to-text
---

# tiny-llava

A {parameters:.2f} M parameter LLaVA (CLIP vision tower, projector, Llama decoder; the real transformers classes) that was trained
from nothing to do one thing: name the color of a shape that it sees, that it is told of, or both. It is small enough to ship
({size:.1f} MiB of ONNX for fp32, {size_int8:.1f} MiB for int8) and was made to be less sure where the picture is crowded or the text
indirect, and to have no rule for which of them to follow (whether that worked: see "Measured"). It is a fixture for tests, examples and
benchmarks, and no model to draw conclusions about other models from.

Made by one command, with fixed seeds, on two CPU cores in less than an hour:

    python export_scripts/train_tiny_llava.py

## Model

Images {image}x{image}, patches of {patch}: {tokens} image tokens. Vision tower {vision_layers} layers, width {vision_width}. Decoder {text_layers} layers, width {text_width}, {heads} heads, {kv_heads} key-value
heads, {positions} positions. Byte-level BPE of {vocabulary} tokens in which each word of the suite is one token. Prompts in LLaVA 1.5's form,
`USER: <image>\\n{{text}} ASSISTANT:`; the answer is one token such as ` red`, then `</s>`.

## Data

{drawings:,} pictures of the color recognition suite, drawn by `crossmodal suite export` with a seed of their own, and the suite's
wordings from `data/prompts/color-recognition.toml`. In the suite no distractor has the target's color, which gives the target away
in a crowded picture. So in training the shapes are painted anew each time, in colors that say nothing about which of them is the
target. (The held-out pictures below are the suite's own.)

## Recipe: the unreliable narrator

No example says which modality is to be followed. Each has a hidden true color. A text of difficulty dt states it with probability
{text_faith}, otherwise another color; a picture shows it with probability {picture_faith}, otherwise
another one. The answer token is trained on the posterior of the true color given what was stated and what was painted, which is
what sampled labels average to. So the reliabilities decide which side a conflict of a clear picture and a text comes down on: the
posterior of the text's color is then {text_posterior}. How far a picture can be made
out, and what follows from that, the model finds out for itself.

1. *Eye* ({eye_steps:,} steps of {eye_batch} pictures): tower and projector, with a throw-away head that asks for a shape.
2. *All* ({all_steps:,} steps of {all_batch} prompts with a picture and {all_texts} without): the whole model.
   - With a picture: {with_picture}.
   - Without: {without_picture}.

## Measured

On {rows:,} held-out rows ({groups} groups, another seed), with the fp32 ONNX files, on ONNX Runtime's CPU provider. Entropies in nats over the whole
vocabulary at the answer token. A row is right if the argmax of the whole vocabulary is the answer.

{tables}

int8 (signed weights, one scale per channel, dynamic activations) gives the same answer as fp32 on {agreement:.1%} of the rows; picture alone
{picture_fp32:.3f} fp32, {picture_int8:.3f} int8; text alone {text_fp32:.3f} fp32, {text_int8:.3f} int8.

## Limits

It knows the suite's words, shapes and six colors, and nothing else. {positions} positions hold one image and one short question. It was
trained on the distribution of pictures and wordings that it is measured on, so its accuracies say nothing about generalization. At 64
pixels a side the smallest shapes are about six pixels wide, and most of what is hard for it is hard for that reason. Its balance point
follows from the reliabilities chosen above and is no finding.

Licence: MIT OR Apache-2.0, as the project.
"""


def write_card(out: Path, model, drawings: Drawings, fp32: list[Outcome], int8: list[Outcome]) -> None:
    config = model.config
    text, vision = config.text_config, config.vision_config
    sizes = {quantised: megabytes(out, quantised) for quantised in (False, True)}
    card = CARD.format(
        parameters=sum(p.numel() for p in model.parameters()) / 1e6,
        size=sizes[False],
        size_int8=sizes[True],
        image=vision.image_size,
        patch=vision.patch_size,
        tokens=config.image_seq_length,
        vision_layers=vision.num_hidden_layers,
        vision_width=vision.hidden_size,
        text_layers=text.num_hidden_layers,
        text_width=text.hidden_size,
        heads=text.num_attention_heads,
        kv_heads=text.num_key_value_heads,
        positions=text.max_position_embeddings,
        vocabulary=text.vocab_size,
        drawings=len(drawings),
        text_faith=", ".join(f"{p} (dt {dt})" for dt, p in TEXT_FAITH.items()),
        picture_faith=PICTURE_FAITH,
        text_posterior=", ".join(f"{text_posterior(p, len(drawings.palette)):.2f} (dt {dt})" for dt, p in TEXT_FAITH.items()),
        eye_steps=EYE.steps,
        eye_batch=EYE.batch,
        all_steps=ALL.steps,
        all_batch=ALL.batch,
        all_texts=ALL.texts,
        with_picture=percentages(WITH_PICTURE),
        without_picture=percentages(WITHOUT_PICTURE),
        rows=len(fp32),
        groups=len({r.item["group_id"] for r in fp32}),
        tables=evaluation.tables(fp32),
        agreement=evaluation.agreement(fp32, int8),
        picture_fp32=evaluation.accuracy(fp32, "vision-only"),
        picture_int8=evaluation.accuracy(int8, "vision-only"),
        text_fp32=evaluation.accuracy(fp32, "text-only"),
        text_int8=evaluation.accuracy(int8, "text-only"),
    )
    (out / "README.md").write_text(card, encoding="utf-8")


def text_posterior(faith: float, colors: int) -> float:
    """p(c = t | v, t) for v != t: how much the narrator's arithmetic believes a text that contradicts a picture seen clearly."""
    text = faith * (1 - PICTURE_FAITH) / (colors - 1)
    picture = PICTURE_FAITH * (1 - faith) / (colors - 1)
    neither = (colors - 2) * (1 - faith) * (1 - PICTURE_FAITH) / (colors - 1) ** 2
    return text / (text + picture + neither)


def percentages(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items())


def megabytes(out: Path, quantised: bool) -> float:
    """MiB of the graphs of one precision."""
    files = [f for f in (out / "onnx").iterdir() if f.stem.endswith("_int8") == quantised]
    return sum(f.stat().st_size for f in files) / 2**20
