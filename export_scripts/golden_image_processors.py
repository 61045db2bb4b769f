"""Writes `tests/golden/image-processors/FAMILY.json`: what transformers' image processors make of images given by a formula.

    python export_scripts/golden_image_processors.py [FAMILY ...]

Each file has the image processor's settings as `save_pretrained` writes them (`config`), what the family's processor needs to know to
expand an image's placeholder (`processor`), and `cases`. The Pillow backend is used throughout; transformers has none for the Phi families, whose
published processors are written anew in `phi3_v/` and `phi4mm/`. A case:

- `width`, `height`, `seed`, `kind`: the image, see `drawn`; a test draws it itself;
- `tensors`: each tensor that the image processor returns, with `dtype` and `shape`; a small one in full (`values`), of a large one
  `samples`, pairs of a flat index and a value, and its `mean`;
- `tokens`: how many image tokens the placeholder becomes; `expanded`: what it becomes, as runs of [token or text, count];
- or `error`: what the reference raises instead.
"""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import argparse
import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
import transformers
from PIL import Image

from phi3_v.processor import Phi3VImageProcessor
from phi4mm.processor import Phi4MMImageProcessor, Phi4MMProcessor
from tiny_llava.prompts import REPOSITORY

SIZES = (
    (1, 1),
    (1, 2000),
    (2000, 1),
    (17, 31),
    (336, 336),
    (1024, 768),
    (4000, 3000),
    (500, 499),
    (333, 1000),
    (64, 900),
)
"""(width, height) of the noisy images of every family."""
SMOOTH_SIZES = ((1024, 768), (333, 1000), (500, 499))
"""(width, height) of the smooth images of every family."""
RANDOM_SAMPLES = 96
SMALL = 64
"""A tensor of at most as many elements is written in full."""

CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
IMAGENET_MEAN, IMAGENET_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
HALF = [0.5, 0.5, 0.5]


@dataclass
class Family:
    images: str
    """The image processor's class, with the Pillow backend."""
    settings: dict
    processor: str
    """The class whose `replace_image_token` expands a placeholder."""
    attributes: dict
    """What that class has read from `processor_config.json` and the tokenizer."""
    image_token: str
    call: dict = field(default_factory=dict)
    """What that class passes to the image processor."""
    sizes: tuple = ()
    """(width, height) of more noisy images."""


@dataclass
class Phi:
    images: Phi3VImageProcessor | Phi4MMImageProcessor
    image_token: str | None
    """What an image's tokens are in the text; none where they are ids without one."""
    sizes: tuple
    """(width, height) of more noisy images."""


def llava(**settings) -> Family:
    return Family(
        "LlavaImageProcessorPil",
        {"size": {"shortest_edge": 336}, "crop_size": {"height": 336, "width": 336}} | settings,
        "LlavaProcessor",
        {"patch_size": 14, "num_additional_image_tokens": 1, "vision_feature_select_strategy": "default", "image_token": "<image>"},
        "<image>",
    )


def qwen(family: str, sizes: tuple, **settings) -> Family:
    attributes = {"image_token": "<|image_pad|>"}
    return Family("Qwen2VLImageProcessorPil", settings, f"{family}Processor", attributes, "<|image_pad|>", sizes=sizes)


def idefics3(family: str, longest_edge: int, tile: int, tokens: int, **settings) -> Family:
    return Family(
        f"{family}ImageProcessorPil",
        {"size": {"longest_edge": longest_edge}, "max_image_size": {"longest_edge": tile}} | settings,
        f"{family}Processor",
        {
            "image_seq_len": tokens,
            "image_token": "<image>",
            "fake_image_token": "<fake_token_around_image>",
            "global_image_token" if family == "SmolVLM" else "global_image_tag": "<global-img>",
        },
        "<image>",
        call={"return_row_col_info": True},
        sizes=((2048, 513), (512, 512)),
    )


def gemma3(pan_and_scan: bool) -> Family:
    full = "\n\n<start_of_image>" + "<image_soft_token>" * 256 + "<end_of_image>\n\n"
    return Family(
        "Gemma3ImageProcessorPil",
        {
            "size": {"height": 896, "width": 896},
            "do_pan_and_scan": pan_and_scan,
            "pan_and_scan_min_crop_size": 256,
            "pan_and_scan_max_num_crops": 4,
            "pan_and_scan_min_ratio_to_activate": 1.2,
        },
        "Gemma3Processor",
        {"image_seq_length": 256, "image_token": "<start_of_image>", "full_image_sequence": full},
        "<image_soft_token>",
        # exactly two and a half images wide; crops just too narrow; one more pixel than three crops hold
        sizes=((1280, 512), (600, 240), (769, 257), (307, 256)) if pan_and_scan else (),
    )


def paligemma(side: int) -> Family:
    return Family(
        "SiglipImageProcessorPil",
        {"size": {"height": side, "width": side}, "image_seq_length": (side // 14) ** 2},
        "PaliGemmaProcessor",
        {"image_token": "<image>", "image_seq_length": (side // 14) ** 2},
        "<image>",
    )


FAMILIES: dict[str, Family | Phi] = {
    "llava": llava(),
    "llava_pad": llava(do_pad=True),
    "llava_next": Family(
        "LlavaNextImageProcessorPil",
        {
            "size": {"shortest_edge": 336},
            "crop_size": {"height": 336, "width": 336},
            "image_grid_pinpoints": [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]],
        },
        "LlavaNextProcessor",
        {"patch_size": 14, "num_additional_image_tokens": 1, "vision_feature_select_strategy": "default", "image_token": "<image>"},
        "<image>",
        sizes=((673, 337),),
    ),
    "llava_onevision": Family(
        "LlavaOnevisionImageProcessorPil",
        {
            "size": {"height": 384, "width": 384},
            "image_mean": HALF,
            "image_std": HALF,
            "image_grid_pinpoints": [[384 * rows, 384 * columns] for rows in range(1, 7) for columns in range(1, 7)],
        },
        "LlavaOnevisionProcessor",
        {
            "num_image_tokens": 729,
            "vision_feature_select_strategy": "full",
            "vision_aspect_ratio": "anyres_max_9",
            "image_token": "<image>",
        },
        "<image>",
        # the map of (1700, 1700) is shrunken to 80 x 80, which is 81 x 81 but for Python's division of floats
        sizes=((673, 337), (1700, 1700)),
    ),
    # (70, 98) and (80, 112) are halves of the factor: 2.5 and 3.5 times 28 or 32
    "qwen2_vl": qwen("Qwen2VL", ((70, 98), (200, 1)), size={"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 1280}),
    "qwen2_5_vl": qwen("Qwen2_5_VL", ((70, 98),), min_pixels=3136, max_pixels=12845056),
    "qwen3_vl": qwen(
        "Qwen3VL",
        ((80, 112), (720, 1008)),
        size={"shortest_edge": 65536, "longest_edge": 16777216},
        patch_size=16,
        image_mean=HALF,
        image_std=HALF,
    ),
    "internvl": Family(
        "GotOcr2ImageProcessorPil",
        {
            "size": {"height": 448, "width": 448},
            "image_mean": IMAGENET_MEAN,
            "image_std": IMAGENET_STD,
            "crop_to_patches": True,
            "min_patches": 1,
            "max_patches": 12,
        },
        "InternVLProcessor",
        {
            "image_seq_length": 256,
            "image_token": "<IMG_CONTEXT>",
            "start_image_token": "<img>",
            "end_image_token": "</img>",
        },
        "<IMG_CONTEXT>",
        # the square grids are equally near: how many tiles depends on the area
        sizes=((600, 600), (1000, 1000), (1280, 720)),
    ),
    "smolvlm": idefics3("SmolVLM", 2048, 512, 64),
    "smolvlm_plain": idefics3("SmolVLM", 2048, 512, 64, do_image_splitting=False),
    "idefics3": idefics3("Idefics3", 1456, 364, 169),
    "gemma3": gemma3(pan_and_scan=True),
    "gemma3_plain": gemma3(pan_and_scan=False),
    "paligemma_224": paligemma(224),
    "paligemma_448": paligemma(448),
    # one pixel wider than high; tall, which is transposed there and back; nine columns in one row
    "phi3_v": Phi(Phi3VImageProcessor(num_crops=16), None, ((337, 336), (768, 1024), (900, 100))),
    # six by six tiles and one pixel more; padding of less than a patch, and of just one
    "phi4mm": Phi(Phi4MMImageProcessor(), Phi4MMProcessor.image_token, ((2688, 2689), (448, 435), (434, 448), (900, 19))),
}


def drawn(kind: str, width: int, height: int, seed: int) -> Image.Image:
    x, y = np.arange(width, dtype=np.int64)[None, :], np.arange(height, dtype=np.int64)[:, None]
    channels = []
    for c in range(3):
        if kind == "noise":
            channel = (3 * x * x + 5 * y * y + (c + 1) * x * y + 17 * seed + 50 * c) % 256
        else:
            across, down = (x * 255) // max(1, width - 1), (y * 255) // max(1, height - 1)
            channel = (across * (c + 1) + down * (3 - c)) // 4
        channels.append(channel.astype(np.uint8))
    return Image.fromarray(np.stack(channels, axis=-1))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("families", nargs="*", metavar="FAMILY", help=f"all unless given: {', '.join(FAMILIES)}")
    arguments.add_argument("--out", type=Path, default=REPOSITORY / "tests" / "golden" / "image-processors")
    options = arguments.parse_args()
    Image.MAX_IMAGE_PIXELS = None
    warnings.simplefilter("ignore")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.families or FAMILIES:
        written = golden(FAMILIES[name])
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in written.pop("cases"))
        head = json.dumps(written, separators=(",", ":"), sort_keys=True)
        (options.out / f"{name}.json").write_text(f'{head[:-1]},"cases":[\n{lines}\n]}}\n', encoding="utf-8")
        print(name, flush=True)


def golden(family: Family | Phi) -> dict:
    if isinstance(family, Phi):
        return golden_phi(family)
    images = getattr(transformers, family.images)(**family.settings)
    cls = getattr(transformers, family.processor)
    # No tokenizer is at hand, and none is needed to expand a placeholder.
    processor = cls.__new__(cls)
    processor.image_processor = images
    for name, value in family.attributes.items():
        setattr(processor, name, value)

    def process(image: Image.Image) -> tuple[dict, str]:
        tensors = images(image, return_tensors="np", **family.call)
        return tensors, processor.replace_image_token(tensors, image_idx=0)

    cases = [case(process, family.image_token, *drawing, seed) for seed, drawing in enumerate(drawings(family.sizes))]
    attributes = {name: value for name, value in family.attributes.items() if name != "full_image_sequence"}
    config = json.loads(images.to_json_string())
    return {"config": config, "processor": attributes | {"processor_class": family.processor}, "cases": cases}


def golden_phi(family: Phi) -> dict:
    # A character of its own stands for ids that are no text.
    token = family.image_token or "\0"

    def process(image: Image.Image) -> tuple[dict, str]:
        tensors = family.images([image])
        if counts := tensors.pop("num_img_tokens", None):
            return tensors, token * counts[0]
        return tensors, token * family.images.tokens(*tensors["image_sizes"][0].tolist())

    cases = [case(process, token, *drawing, seed) for seed, drawing in enumerate(drawings(family.sizes))]
    for written in cases:
        if family.image_token is None and "expanded" in written:
            written["expanded"] = []
    return {"config": family.images.to_dict(), "processor": {}, "cases": cases}


def drawings(more: tuple) -> list[tuple[str, int, int]]:
    return [("noise", *size) for size in (*SIZES, *more)] + [("smooth", *size) for size in SMOOTH_SIZES]


def case(process: Callable, image_token: str, kind: str, width: int, height: int, seed: int) -> dict:
    written = {"kind": kind, "width": width, "height": height, "seed": seed}
    try:
        tensors, expanded = process(drawn(kind, width, height, seed))
    except (ValueError, ZeroDivisionError, IndexError, TypeError) as error:
        return written | {"error": f"{type(error).__name__}: {error}"}
    return written | {
        "tensors": {name: digest(np.asarray(tensor), seed) for name, tensor in tensors.items()},
        "tokens": expanded.count(image_token),
        "expanded": runs(expanded),
    }


def digest(tensor: np.ndarray, seed: int) -> dict:
    written = {"dtype": str(tensor.dtype), "shape": list(tensor.shape)}
    flat = tensor.reshape(-1)
    if flat.size <= SMALL:
        return written | {"values": [number(value) for value in flat]}
    row = tensor.shape[-1]
    ends = {0, 1, row - 1, row, flat.size // 2, flat.size - row, flat.size - 2, flat.size - 1}
    places = ends | set(np.random.default_rng(seed).integers(0, flat.size, RANDOM_SAMPLES).tolist())
    samples = [[place, number(flat[place])] for place in sorted(places)]
    return written | {"samples": samples, "mean": float(flat.mean(dtype=np.float64))}


def number(value: np.generic) -> int | float:
    """The shortest decimal that reads back as this number."""
    return int(value) if np.issubdtype(value.dtype, np.integer) else float(str(value))


def runs(expanded: str) -> list:
    pieces = re.findall(r"<[^<>]*>|[^<]+", expanded)
    assert "".join(pieces) == expanded
    return [[piece, len(list(group))] for piece, group in groupby(pieces)]


if __name__ == "__main__":
    main()
