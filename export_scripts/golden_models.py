"""Writes `tests/golden/models/MODEL_TYPE/`: what transformers says to the fixtures of `tests/models`, for the Rust tests.

    python export_scripts/tiny_models.py --checkpoints CHECKPOINTS
    python export_scripts/golden_models.py --checkpoints CHECKPOINTS [--only qwen2_vl ...] [--out tests/golden/models]

`cases.json` is `{"batch": [names], "cases": [...]}`; `batch` names the cases that make a batch of prompts of different lengths.
A case:

- `name`, `messages` (an image is given by its index in `images`), `images`: width, height and seed of `parity.picture`;
- `rendered`: the prompt by the chat template (for PaliGemma, which has none, the text that its processor takes);
  `{"error": true}` in its place where the template refuses, and then nothing else;
- `ids`: the tokens of the prompt with all placeholders, `positions`: int64 [seq], or [3][seq] for Qwen;
- of some cases also `tokens`: eight greedy tokens, whether or not one ends the text, and `logits_row`: the first of the eight
  rows of `logits.f32` (float32, little endian, [rows, vocabulary]) that chose them, which is the prompt's last position.

The reference is transformers in float32, one prompt at a time, with the Pillow backends of the image processors.
"""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from jinja2 import TemplateError
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoProcessor

from families import FAMILIES, genai
from families.host import Host
from parity import picture
from tiny_zoo import BUILDERS

REPOSITORY = Path(__file__).resolve().parents[1]
STEPS = 8
SMALL, TALL, WIDE, LARGE = (60, 52), (37, 90), (200, 64), (150, 170)
"""(width, height)"""
CROPS = {"do_pan_and_scan", "pan_and_scan_min_crop_size", "pan_and_scan_max_num_crops", "pan_and_scan_min_ratio_to_activate"}
"""Settings of Gemma 3's image processor that its processor overrides with its own defaults, unless a call names them."""


def options_of(description: str) -> argparse.Namespace:
    """Which families' checkpoints, and where what is written goes."""
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--checkpoints", type=Path, required=True)
    arguments.add_argument("--only", nargs="+", choices=list(BUILDERS), default=list(BUILDERS), metavar="MODEL_TYPE")
    arguments.add_argument("--out", type=Path, default=REPOSITORY / "tests" / "golden" / "models")
    return arguments.parse_args()


def main() -> None:
    options = options_of(__doc__)
    for name in options.only:
        reference = Reference(options.checkpoints / name)
        cases, logits = [], []
        for case in chats(reference.host.needs_images):
            cases.append(reference.describe(case))
        for case in questions(reference.host.needs_images) + (PHI if reference.is_phi else []):
            described = reference.describe(case)
            tokens, rows = reference.generate(case)
            cases.append({**described, "tokens": tokens, "logits_row": len(logits)})
            logits += rows
        write(options.out / name, cases, np.stack(logits))
        lengths = {case["name"]: len(case["ids"]) for case in cases if "tokens" in case}
        print(f"{name}: {len(cases)} cases, prompts of {lengths} tokens, logits spread {np.std(logits):.1f}", flush=True)


def write(folder: Path, cases: list[dict], logits: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    batch = [case["name"] for case in cases if "tokens" in case]
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (folder / "cases.json").write_text(f'{{"batch": {json.dumps(batch)},\n"cases": [\n{lines}\n]}}\n', encoding="utf-8")
    logits.astype("<f4").tofile(folder / "logits.f32")


def questions(needs_images: bool) -> list[dict]:
    """The cases that are put to the model."""
    cases = [
        ask("one image", [SMALL], "What color is the shape?"),
        ask("two images", [TALL, SMALL], "Which of these pictures shows more?"),
        ask("wide image", [WIDE], "Is the square blue?"),
        ask("large image", [LARGE], "Answer with one word."),
    ]
    return cases if needs_images else [ask("text only", [], "Is the square blue? Say yes or no."), *cases]


def ask(name: str, sizes: list[tuple[int, int]], text: str) -> dict:
    images = [{"width": width, "height": height, "seed": 3 + i} for i, (width, height) in enumerate(sizes)]
    content = [*({"type": "image", "image": i} for i in range(len(sizes))), {"type": "text", "text": text}]
    return {"name": name, "messages": [{"role": "user", "content": content}], "images": images}


def chats(needs_images: bool) -> list[dict]:
    """The cases that are only rendered and tokenized: without and with a system turn."""
    image, another = ({"type": "image", "image": i} for i in range(2))

    def text(words: str) -> dict:
        return {"type": "text", "text": words}

    def user(*content: dict) -> dict:
        return {"role": "user", "content": list(content)}

    answer = {"role": "assistant", "content": [text("It is red.")]}
    bodies = {
        "image first": [user(image, text("What is  this?\n"))],
        "image last": [user(text("Naïve 色 question: what is this?"), image)],
        "text between images": [user(image, text("and"), another, text("Which is red?"))],
        "no image": [user(text(" Say yes. "))],
        "two user turns": [user(text("Hello!")), user(text("Which is red?"))],
        "two turns": [user(image, text("What color?")), answer, user(text("And the shape?"))],
        "two turns, image later": [user(text("Hello!")), answer, user(another, text("And this?"), image)],
    }
    cases = []
    for name, body in bodies.items():
        shown = {part["image"] for turn in body for part in turn["content"] if part["type"] == "image"}
        if needs_images and (not shown or len(body) > 1):
            continue
        sizes = [SMALL, TALL][: len(shown)]
        images = [{"width": width, "height": height, "seed": i} for i, (width, height) in enumerate(sizes)]
        cases.append({"name": name, "messages": body, "images": images})
        if not needs_images:
            system = {"role": "system", "content": [text("You are a helpful assistant.")]}
            cases.append({"name": f"system, {name}", "messages": [system, *body], "images": images})
    return cases


PHI = [ask("larger than its crops", [(900, 520)], "Is the circle red?")]
"""Of the Phi families, whose crops are of 336 and 448 pixels."""


class Reference:
    """A fixture's checkpoint in transformers."""

    def __init__(self, checkpoint: Path):
        family = FAMILIES[json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))["model_type"]]
        self.is_phi = hasattr(family, "load")
        if self.is_phi:
            self.model, self.processor = family.load(checkpoint)
            self.host = Host(self.model)
            return
        self.model = AutoModelForImageTextToText.from_pretrained(checkpoint, dtype=torch.float32).eval()
        images = AutoImageProcessor.from_pretrained(checkpoint, backend="pil")
        self.processor = AutoProcessor.from_pretrained(checkpoint, image_processor=images)
        backend = type(self.processor.image_processor).__name__
        if not backend.endswith("Pil"):
            raise TypeError(f"{checkpoint}: the image processor is {backend}, expected a Pillow backend")
        self.host = getattr(FAMILIES[self.model.config.model_type], "Host", Host)(self.model)

    def describe(self, case: dict) -> dict:
        """The case with its rendered prompt, its tokens and their positions."""
        try:
            rendered = self.render(case)
        except TemplateError:
            return {**case, "rendered": {"error": True}}
        inputs = self.inputs(case)
        positions = self.host.positions(inputs)
        return {
            **case,
            "rendered": rendered,
            "ids": inputs["input_ids"][0].tolist(),
            "positions": (positions[:, 0] if positions.ndim == 3 else positions[0]).tolist(),
        }

    def render(self, case: dict) -> str:
        if self.processor.chat_template:
            return self.processor.apply_chat_template(case["messages"], add_generation_prompt=True)
        parts = [part for turn in case["messages"] for part in turn["content"]]
        images = [self.processor.image_token for part in parts if part["type"] == "image"]
        return "".join([*images, *(part["text"] for part in parts if part["type"] == "text")])

    def inputs(self, case: dict):
        """What the processor makes of the case. The <bos> that some templates write is not added once more."""
        rendered, bos = self.render(case), self.processor.tokenizer.bos_token
        images = [Image.fromarray(picture(i["width"], i["height"], i["seed"])) for i in self.shown(case)]
        more = {"images": [images]} if images else {}
        settings = self.processor.image_processor.to_dict()
        more |= {name: settings[name] for name in CROPS if name in settings}
        begun = bos is not None and rendered.startswith(bos)
        inputs = self.processor(text=[rendered], **more, add_special_tokens=not begun, return_tensors="pt")
        inputs.pop("labels", None)
        return inputs

    def shown(self, case: dict) -> list[dict]:
        """The images in the order of the messages."""
        parts = [part for turn in case["messages"] for part in turn["content"]]
        return [case["images"][part["image"]] for part in parts if part["type"] == "image"]

    def generate(self, case: dict) -> tuple[list[int], list[np.ndarray]]:
        """Greedy tokens and the logits that chose each; a token that ends the text ends nothing."""
        inputs = self.inputs(case)
        options = {"do_sample": False, "max_new_tokens": STEPS, "min_new_tokens": STEPS, "eos_token_id": None}
        with torch.no_grad():
            output = self.model.generate(**genai.reference_inputs(self.model, inputs), **options, output_logits=True, return_dict_in_generate=True)
        tokens = output.sequences[0, inputs["input_ids"].shape[1] :].tolist()
        rows = [row[0].numpy() for row in output.logits]
        if tokens != [int(row.argmax()) for row in rows]:
            raise ArithmeticError(f"{case['name']}: {tokens} are not the greedy tokens of their logits")
        return tokens, rows


if __name__ == "__main__":
    main()
