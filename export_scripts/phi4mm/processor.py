"""From images and a prompt to what the model takes, pixel for pixel as the published processor.

transformers' own resizes tensors with torchvision, and differs from it by a 255th here and there.
"""

import json
import math
from pathlib import Path

import torch
from PIL import Image
from transformers import PreTrainedTokenizerFast

from phi3_v.processor import PLACEHOLDER, WHITE, normalise, number_images, pad_left, tiles, whole

from .model import CROP, PATCH

SIDE = CROP // PATCH
"""Patches in a row of a crop; a token stands for 2 x 2 of them."""
SHORTEST = 10
"""Pixels of a side after resizing, below which an image is refused."""


class Phi4MMImageProcessor:
    """`dynamic_hd` is the largest number of crops of an image."""

    def __init__(self, dynamic_hd: int = 36, **_):
        self.dynamic_hd = dynamic_hd

    def to_dict(self) -> dict:
        return {"image_processor_type": "Phi4MMImageProcessor", "processor_class": "Phi4MMProcessor", "dynamic_hd": self.dynamic_hd}

    def __call__(self, images: list[Image.Image]) -> dict:
        crops, masks, sizes, tokens = [], [], [], []
        for image in images:
            padded, mask = self.fit(image.convert("RGB"))
            pixels = normalise(padded, [0.5] * 3, [0.5] * 3)
            crops.append(torch.cat([whole(pixels, CROP), tiles(pixels, CROP)]))
            masks.append(torch.cat([torch.ones(1, SIDE, SIDE), tiles(mask.expand(3, -1, -1), SIDE)[:, 0]]))
            sizes.append(pixels.shape[1:])
            rows, columns = int(mask[::2, 0].sum()), int(mask[0, ::2].sum())
            tokens.append((SIDE // 2) * (SIDE // 2 + 1) + 1 + rows * (columns + 1))
        most = max(map(len, crops))
        pixel_values = torch.stack([torch.cat([c, torch.zeros(most - len(c), 3, CROP, CROP)]) for c in crops])
        mask = torch.stack([torch.cat([m, torch.ones(most - len(m), SIDE, SIDE)]) for m in masks])
        return {"pixel_values": pixel_values, "image_attention_mask": mask, "image_sizes": torch.tensor(sizes), "num_img_tokens": tokens}

    def fit(self, image: Image.Image) -> tuple[Image.Image, torch.Tensor]:
        """The image on whole crops, with padding at its right or lower side, and which patches are not padding."""
        columns, rows = self.grid(*image.size)
        across, down = columns * CROP / image.width, rows * CROP / image.height
        if across < down:
            width, height = columns * CROP, int(image.height * across)
        else:
            width, height = int(image.width * down), rows * CROP
        if min(width, height) < SHORTEST:
            raise ValueError(f"an image of {image.width} x {image.height} pixels is too long and narrow")
        padded = Image.new("RGB", (columns * CROP, rows * CROP), WHITE)
        padded.paste(image.resize((width, height), Image.Resampling.BILINEAR))
        mask = torch.ones(rows * SIDE, columns * SIDE)
        mask[:, mask.shape[1] - (columns * CROP - width) // PATCH :] = 0
        mask[mask.shape[0] - (rows * CROP - height) // PATCH :] = 0
        return padded, mask

    def grid(self, width: int, height: int) -> tuple[int, int]:
        """Columns and rows of crops: what the image covers, or where that is too many the closest shape."""
        columns, rows = math.ceil(width / CROP), math.ceil(height / CROP)
        if columns * rows <= self.dynamic_hd:
            return columns, rows
        shapes = [(i, j) for i in range(1, self.dynamic_hd + 1) for j in range(1, self.dynamic_hd + 1) if i * j <= self.dynamic_hd]
        best, smallest = (1, 1), float("inf")
        for i, j in sorted(shapes, key=lambda shape: shape[0] * shape[1]):
            difference = abs(width / height - i / j)
            if difference < smallest:
                best, smallest = (i, j), difference
            elif difference == smallest and width * height > 0.5 * CROP * CROP * i * j:
                best = (i, j)
        return best


class Phi4MMProcessor:
    """Placeholders become one special token each, which is repeated after the text was tokenized as a whole."""

    after_image = ""
    """What follows a placeholder where a prompt is made of messages, as on the model's card."""
    image_token = "<|endoftext10|>"

    def __init__(self, image_processor: Phi4MMImageProcessor, tokenizer: PreTrainedTokenizerFast):
        self.image_processor, self.tokenizer = image_processor, tokenizer
        self.chat_template = tokenizer.chat_template
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)

    @classmethod
    def from_pretrained(cls, folder: Path | str) -> "Phi4MMProcessor":
        settings = json.loads((Path(folder) / "preprocessor_config.json").read_text(encoding="utf-8"))
        return cls(Phi4MMImageProcessor(**settings), PreTrainedTokenizerFast.from_pretrained(folder))

    def save_pretrained(self, folder: Path) -> None:
        self.tokenizer.save_pretrained(folder)
        settings = json.dumps(self.image_processor.to_dict(), indent=2)
        (folder / "preprocessor_config.json").write_text(settings + "\n", encoding="utf-8")

    def apply_chat_template(self, messages: list[dict], **options) -> str:
        return self.tokenizer.apply_chat_template(number_images(messages, self.after_image), tokenize=False, **options)

    def __call__(self, text: list[str], images: list[list[Image.Image]] | None = None, **_) -> dict[str, torch.Tensor]:
        """One list of images per text. Rows of different lengths are padded on the left."""
        pictures = [image for row in images or [] for image in row]
        seen = self.image_processor(pictures) if pictures else {}
        counts = iter(seen.pop("num_img_tokens", []))
        rows = []
        for prompt in text:
            ids = self.tokenizer(PLACEHOLDER.sub(self.image_token, prompt)).input_ids
            rows.append([i for token in ids for i in [token] * (next(counts) if token == self.image_token_id else 1)])
        return {**pad_left(rows, self.tokenizer.pad_token_id), **seen}
