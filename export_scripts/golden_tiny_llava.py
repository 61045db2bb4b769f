"""Writes `tests/golden/tiny-llava/`: what transformers says, for the Rust tests to compare with.

    crossmodal suite export color-recognition --out SUITE --groups 2 --seed 0
    python export_scripts/golden_tiny_llava.py --suite SUITE --checkpoint runs/tiny-llava/checkpoint

- `cases.json`: 50 rows of that suite with the prompt, its token ids, the SHA-256 of the image's RGB bytes and the greedy answer;
  `logits.npy`: float32 [50, vocabulary], the logits at the last position of the prompt, from transformers in float32, batch 1.
- `pixels.json` and `pixels/`: images of awkward sizes, given by a formula, through the image processor's Pillow backend:
  `NAME.u8.npy`, uint8 [3, 64, 64], resized only; for the smallest two also `NAME.f32.npy`, float32 [3, 64, 64], as the model gets it.

A test draws the suite and the images itself, so no picture is stored here.
"""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import AutoTokenizer, CLIPImageProcessorPil, LlavaForConditionalGeneration, LlavaProcessor

from tiny_llava.drawings import read_rgb
from tiny_llava.prompts import REPOSITORY
from tiny_llava.suite import image_of

CASES = {"vision-only": 15, "text-only": 8, "conflict": 27}
"""Rows of each presentation, spread evenly over those that the suite has."""
PIXEL_SIZES = ((1, 1), (17, 31), (64, 64), (224, 224), (800, 600))
"""(width, height)"""
FORMULA = "pixel (x, y) = [(5x + 3y) mod 256, (x * y) mod 256, (x xor y) mod 256]"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--suite", type=Path, required=True)
    arguments.add_argument("--checkpoint", type=Path, required=True)
    arguments.add_argument("--out", type=Path, default=REPOSITORY / "tests" / "golden" / "tiny-llava")
    options = arguments.parse_args()
    settings = json.loads((options.checkpoint / "processor_config.json").read_text(encoding="utf-8"))
    images = CLIPImageProcessorPil(**settings["image_processor"])
    model = LlavaForConditionalGeneration.from_pretrained(options.checkpoint, dtype=torch.float32).eval()
    processor = LlavaProcessor.from_pretrained(options.checkpoint, image_processor=images)
    options.out.mkdir(parents=True, exist_ok=True)
    write_cases(model, processor, options.suite, options.out)
    write_pixels(images, options.out)


def write_cases(model, processor: LlavaProcessor, suite: Path, out: Path) -> None:
    items = [json.loads(line) for line in (suite / "suite.jsonl").read_text(encoding="utf-8").splitlines()]
    chosen = []
    for presentation, count in CASES.items():
        rows = [item for item in items if item["presentation"] == presentation]
        chosen += [rows[i] for i in np.linspace(0, len(rows) - 1, count).round().astype(int)]
    cases, logits = [], []
    for item in chosen:
        prompt = processor.apply_chat_template(item["messages"], add_generation_prompt=True)
        image = read_rgb(suite / image_of(item)) if image_of(item) else None
        inputs = processor(images=None if image is None else Image.fromarray(image), text=prompt, return_tensors="pt")
        with torch.no_grad():
            logits.append(model(**inputs).logits[0, -1].numpy())
            generated = model.generate(**inputs)[0, inputs.input_ids.shape[1] :]
        cases.append(
            {
                "item_id": item["item_id"],
                "presentation": item["presentation"],
                "prompt": prompt,
                "input_ids": inputs.input_ids[0].tolist(),
                "image_sha256": None if image is None else hashlib.sha256(image.tobytes()).hexdigest(),
                "generated_ids": generated.tolist(),
            }
        )
    lines = ",\n".join(json.dumps(case) for case in cases)
    (out / "cases.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    np.save(out / "logits.npy", np.stack(logits).astype(np.float32))


def write_pixels(processor: CLIPImageProcessorPil, out: Path) -> None:
    folder = out / "pixels"
    folder.mkdir(exist_ok=True)
    for i, (width, height) in enumerate(PIXEL_SIZES):
        image, name = Image.fromarray(formula_image(width, height)), f"{width}x{height}"
        resized = processor(image, do_rescale=False, do_normalize=False, return_tensors="np").pixel_values[0]
        np.save(folder / f"{name}.u8.npy", resized.astype(np.uint8))
        if i < 2:
            np.save(folder / f"{name}.f32.npy", processor(image, return_tensors="np").pixel_values[0].astype(np.float32))
    description = {"formula": FORMULA, "sizes": PIXEL_SIZES}
    (out / "pixels.json").write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def formula_image(width: int, height: int) -> np.ndarray:
    """uint8 [height, width, 3], see `FORMULA`."""
    y, x = np.mgrid[:height, :width]
    return (np.stack([5 * x + 3 * y, x * y, x ^ y], axis=-1) % 256).astype(np.uint8)


if __name__ == "__main__":
    main()
