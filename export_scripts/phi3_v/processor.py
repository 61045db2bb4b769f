"""From images and a prompt to what the model takes, pixel for pixel as the published processor."""

import json
import math
import re
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import PreTrainedTokenizerFast

from .model import CROP

MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
WHITE = (255, 255, 255)
PLACEHOLDER = re.compile(r"<\|image_(\d+)\|>")


class Phi3VImageProcessor:
    """`num_crops` is the largest number of crops of an image; a crop and the whole image have `num_img_tokens` tokens each."""

    def __init__(self, num_crops: int = 4, num_img_tokens: int = 144, image_mean=MEAN, image_std=STD, **_):
        self.num_crops, self.num_img_tokens = num_crops, num_img_tokens
        self.image_mean, self.image_std = image_mean, image_std

    def to_dict(self) -> dict:
        return {
            "image_processor_type": "Phi3VImageProcessor",
            "processor_class": "Phi3VProcessor",
            "num_crops": self.num_crops,
            "num_img_tokens": self.num_img_tokens,
            "image_mean": self.image_mean,
            "image_std": self.image_std,
            "do_convert_rgb": True,
        }

    def __call__(self, images: list[Image.Image]) -> dict[str, torch.Tensor]:
        padded = [normalise(self.fit(image.convert("RGB")), self.image_mean, self.image_std) for image in images]
        pixel_values = torch.zeros(len(images), self.num_crops + 1, 3, CROP, CROP)
        for image, crops in zip(padded, pixel_values):
            seen = torch.cat([whole(image, CROP), tiles(image, CROP)])
            crops[: len(seen)] = seen
        return {"pixel_values": pixel_values, "image_sizes": torch.tensor([image.shape[1:] for image in padded])}

    def fit(self, image: Image.Image) -> Image.Image:
        """Enlarged or shrunk to as many crops in its longer direction as fit, and padded in the other one to whole crops."""
        if tall := image.width < image.height:
            image = image.transpose(Image.Transpose.TRANSPOSE)
        ratio = image.width / image.height
        scale = 1
        while scale * math.ceil(scale / ratio) <= self.num_crops:
            scale += 1
        width = (scale - 1) * CROP
        height = int(width / ratio)
        rows = math.ceil(height / CROP)
        padded = Image.new("RGB", (width, rows * CROP), WHITE)
        padded.paste(image.resize((width, height), Image.Resampling.BILINEAR), (0, (rows * CROP - height) // 2))
        return padded.transpose(Image.Transpose.TRANSPOSE) if tall else padded

    def tokens(self, height: int, width: int) -> int:
        """Of a padded image."""
        rows, columns = height // CROP, width // CROP
        return (rows * columns + 1) * self.num_img_tokens + 1 + (rows + 1) * math.isqrt(self.num_img_tokens)


def normalise(image: Image.Image, mean: list[float], std: list[float]) -> torch.Tensor:
    """float32 [3, height, width]"""
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255)
    return (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)


def whole(image: torch.Tensor, side: int) -> torch.Tensor:
    """The normalised image as one crop [1, 3, side, side]."""
    return torch.nn.functional.interpolate(image[None], size=(side, side), mode="bicubic")


def tiles(image: torch.Tensor, side: int) -> torch.Tensor:
    """Its crops row by row [n, 3, side, side]."""
    _, height, width = image.shape
    grid = image.reshape(3, height // side, side, width // side, side).permute(1, 3, 0, 2, 4)
    return grid.reshape(-1, 3, side, side)


def number_images(messages: list[dict], after: str) -> list[dict]:
    """Messages whose content is one text, as the templates of the Phi family take it: the i-th image is `<|image_i|>` and `after`."""
    texts, count = [], 0
    for message in messages:
        parts = message["content"] if isinstance(message["content"], list) else [{"type": "text", "text": message["content"]}]
        text = ""
        for part in parts:
            if part["type"] == "image":
                count += 1
                text += f"<|image_{count}|>{after}"
            else:
                text += part["text"]
        texts.append({**message, "content": text})
    return texts


def pad_left(rows: list[list[int]], pad: int) -> dict[str, torch.Tensor]:
    length = max(map(len, rows))
    ids = torch.tensor([[pad] * (length - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (length - len(row)) + [1] * len(row) for row in rows])
    return {"input_ids": ids, "attention_mask": mask}


class Phi3VProcessor:
    """The text around images is tokenized in pieces, each with its own `<s>`; image i is so many times the id -i."""

    after_image = "\n"
    """What follows a placeholder where a prompt is made of messages, as on the model's card."""

    def __init__(self, image_processor: Phi3VImageProcessor, tokenizer: PreTrainedTokenizerFast):
        self.image_processor, self.tokenizer = image_processor, tokenizer
        self.chat_template = tokenizer.chat_template

    @classmethod
    def from_pretrained(cls, folder: Path | str) -> "Phi3VProcessor":
        settings = json.loads((Path(folder) / "preprocessor_config.json").read_text(encoding="utf-8"))
        return cls(Phi3VImageProcessor(**settings), PreTrainedTokenizerFast.from_pretrained(folder))

    def save_pretrained(self, folder: Path) -> None:
        self.tokenizer.save_pretrained(folder)
        settings = json.dumps(self.image_processor.to_dict(), indent=2)
        (folder / "preprocessor_config.json").write_text(settings + "\n", encoding="utf-8")

    def apply_chat_template(self, messages: list[dict], **options) -> str:
        return self.tokenizer.apply_chat_template(number_images(messages, self.after_image), tokenize=False, **options)

    def __call__(self, text: list[str], images: list[list[Image.Image]] | None = None, **_) -> dict[str, torch.Tensor]:
        """One list of images per text. Rows of different lengths are padded on the left."""
        images = images or [[] for _ in text]
        pictures = [image for row in images for image in row]
        seen = self.image_processor(pictures) if pictures else {}
        tokens = iter(self.image_processor.tokens(*size) for size in seen.get("image_sizes", torch.empty(0, 2)).tolist())
        rows = [self.ids(prompt, [next(tokens) for _ in row]) for prompt, row in zip(text, images)]
        return {**pad_left(rows, self.tokenizer.pad_token_id), **seen}

    def ids(self, prompt: str, tokens: list[int]) -> list[int]:
        """The ids of a prompt whose images have so many tokens."""
        pieces = PLACEHOLDER.split(prompt)  # text, number, text, number, ..., text
        numbers = [int(number) for number in pieces[1::2]]
        if numbers != list(range(1, len(tokens) + 1)):
            raise ValueError(f"the prompt shows the images {numbers}, expected 1 to {len(tokens)} in order")
        ids = self.tokenizer(pieces[0]).input_ids
        for number, count, piece in zip(numbers, tokens, pieces[2::2]):
            ids += [-number] * count + self.tokenizer(piece).input_ids
        return ids
