"""Writes `tests/golden/generation/MODEL_TYPE.json`: what transformers' `generate(do_sample=False)` writes after five prompts at once.

    python export_scripts/tiny_models.py --checkpoints CHECKPOINTS --only llava qwen2_vl smolvlm
    python export_scripts/golden_generation.py --checkpoints CHECKPOINTS [--only qwen2_vl ...] [--out tests/golden/generation]

A file holds `cases` (`messages` and `images` as in `golden_models.py`), five prompts of unlike length that are one batch, padded on the left, and
`runs`: for each list of `stop_tokens` the tokens that were written after each prompt, 64 at most, a stop token the last of its row. The first run has
the stop tokens of the fixture's generation_config.json, the second one the token that the first run wrote most often.
"""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import argparse
import json
from collections import Counter
from pathlib import Path

import torch
from PIL import Image

from golden_models import LARGE, REPOSITORY, SMALL, TALL, WIDE, Reference, ask
from parity import picture

FAMILIES = ["llava", "qwen2_vl", "smolvlm"]
NEW_TOKENS = 64
QUESTIONS = [
    ask("short", [SMALL], "Is it?"),
    ask("none", [], "Say yes or no: is the square that you see blue, or is it red?"),
    ask("two", [TALL, SMALL], "Which of these pictures shows more?"),
    ask("wide", [WIDE], "What color is the shape?"),
    ask("large", [LARGE], "Answer with one word, please: is there a circle to the left of the square, or is there none at all?"),
]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--checkpoints", type=Path, required=True)
    arguments.add_argument("--only", nargs="+", choices=FAMILIES, default=FAMILIES, metavar="MODEL_TYPE")
    arguments.add_argument("--out", type=Path, default=REPOSITORY / "tests" / "golden" / "generation")
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        reference = Reference(options.checkpoints / name)
        stops = reference.model.generation_config.eos_token_id
        stops = stops if isinstance(stops, list) else [stops]
        runs = [run(reference, stops)]
        written = Counter(token for row in runs[0]["tokens"] for token in row)
        runs.append(run(reference, [written.most_common(1)[0][0]]))
        text = json.dumps({"cases": QUESTIONS, "runs": runs}, ensure_ascii=False)
        (options.out / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(name, [[len(row) for row in each["tokens"]] for each in runs], flush=True)


def run(reference: Reference, stop_tokens: list[int]) -> dict:
    processor = reference.processor
    processor.tokenizer.padding_side = "left"
    texts = [reference.render(case) for case in QUESTIONS]
    images = [[Image.fromarray(picture(i["width"], i["height"], i["seed"])) for i in reference.shown(case)] for case in QUESTIONS]
    if not processor.image_processor.__class__.__name__.startswith(("SmolVLM", "Idefics")):
        images = [image for of_case in images for image in of_case]
    begun = texts[0].startswith(processor.tokenizer.bos_token or "\0")
    inputs = processor(text=texts, images=images, padding=True, add_special_tokens=not begun, return_tensors="pt")
    inputs.pop("labels", None)
    with torch.no_grad():
        output = reference.model.generate(**inputs, do_sample=False, max_new_tokens=NEW_TOKENS, eos_token_id=stop_tokens)
    rows = output[:, inputs["input_ids"].shape[1] :].tolist()
    return {"stop_tokens": stop_tokens, "tokens": [until(row, stop_tokens) for row in rows]}


def until(row: list[int], stop_tokens: list[int]) -> list[int]:
    """The row up to its first stop token; padding follows that."""
    ends = [place for place, token in enumerate(row) if token in stop_tokens]
    return row[: ends[0] + 1] if ends else row


if __name__ == "__main__":
    main()
