"""Training pictures: drawn by the project's renderer, taken apart into layers, and painted anew for every use.

In the suite no distractor has the target's color, so that in a crowded picture the odd color gives the target away. A model
trained on such pictures learns to count colors and finds 70 distractors easier than four. So each drawing is kept as layers of
coverage (the target; the distractors, dealt to a few layers), and every time it is shown each layer gets a color at random:
then nothing but the shape tells the target. Held-out pictures are the suite's own, unpainted.
"""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from .suite import export_suite, image_of
from .tokenizer import IMAGE_SIZE, PATCH_SIZE

DISTRACTOR_LAYERS = 7
WHITE = 255
MAX_SHIFT = 3
PAPER, BLENDED = 255, 254
"""Marks, beside the palette's indices, of a white pixel and of an edge pixel that blends two colors."""


@dataclass(frozen=True)
class Drawings:
    layers: np.ndarray
    """uint8 [n, 1 + DISTRACTOR_LAYERS, 64, 64]: how much of a pixel a layer covers, 255 = all; layer 0 is the target"""
    target: list[str]
    """The shape that the question asks for."""
    dv: np.ndarray
    """int64 [n], visual difficulty 0..13"""
    palette: np.ndarray
    """float32 [colors, 3], RGB of the answers"""

    def __len__(self) -> int:
        return len(self.target)

    def paint(self, rng, drawings, colors) -> tuple[np.ndarray, np.ndarray]:
        """Shows `drawings` with their targets in `colors` (indices), the rest at random, mirrored and moved a little.

        Returns pixels, uint8 [n, 64, 64, 3], and the target's coverage of the image tokens, float32 [n, 64], summing to 1.
        """
        layers = np.stack([move(rng, self.layers[i]) for i in drawings]).astype(np.float32) / 255
        dealt = rng.integers(len(self.palette), size=layers.shape[:2])
        dealt[:, 0] = colors
        ink = self.palette[dealt] - WHITE
        pixels = WHITE + np.einsum("nlhw,nlc->nhwc", layers, ink, optimize=True)
        side = IMAGE_SIZE // PATCH_SIZE
        covered = layers[:, 0].reshape(-1, side, PATCH_SIZE, side, PATCH_SIZE).sum((2, 4)).reshape(-1, side * side)
        return pixels.clip(0, 255).round().astype(np.uint8), covered / covered.sum(1, keepdims=True)


def move(rng, layers: np.ndarray) -> np.ndarray:
    """[layers, h, w], mirrored every other time and moved by up to `MAX_SHIFT` pixels: no shape changes its name by that."""
    _, height, width = layers.shape
    if rng.random() < 0.5:
        layers = layers[:, :, ::-1]
    dy, dx = rng.integers(-MAX_SHIFT, MAX_SHIFT + 1, 2)
    out = np.zeros_like(layers)
    out[:, max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)] = layers[
        :, max(-dy, 0) : height - max(dy, 0), max(-dx, 0) : width - max(dx, 0)
    ]
    return out


def load_drawings(command: str, out: Path, groups: int, seed: int, colors: tuple[str, ...]) -> Drawings:
    """Exports `groups` groups of pictures with the renderer and takes them apart; both are cached in `out`."""
    items = export_suite(command, out, groups, seed, presentations="vision-only", controls=False)
    palette = find_palette(out, items, colors)
    cache = out / "layers.npy"
    if not cache.exists():
        with ProcessPoolExecutor() as pool:
            layers = np.stack(list(pool.map(partial(take_apart, out, palette, colors), items, chunksize=64)))
        np.save(cache, layers)
    return Drawings(
        layers=np.load(cache, mmap_mode="r"),
        target=[item["tags"]["target"] for item in items],
        dv=np.array([item["tags"]["dv"] for item in items]),
        palette=palette.astype(np.float32),
    )


def find_palette(folder: Path, items: list[dict], colors: tuple[str, ...]) -> np.ndarray:
    """uint8 [colors, 3]: the commonest non-white pixel of a dv 0 picture, where the target stands alone."""
    palette = []
    for color in colors:
        item = next(i for i in items if i["tags"]["dv"] == 0 and i["vision_answer"] == color)
        pixels = read_rgb(folder / image_of(item)).reshape(-1, 3)
        ink = pixels[(pixels != WHITE).any(1)]
        _, first, counts = np.unique(pack(ink), return_index=True, return_counts=True)
        palette.append(ink[first[counts.argmax()]])
    return np.stack(palette)


def take_apart(folder: Path, palette: np.ndarray, colors: tuple[str, ...], item: dict) -> np.ndarray:
    """The layers of one picture, uint8 [1 + DISTRACTOR_LAYERS, 64, 64]. Each connected patch of one color goes to one layer."""
    color_of = snap(read_rgb(folder / image_of(item)), palette)
    target = colors.index(item["vision_answer"])
    layer_of = np.where(color_of == target, np.uint8(1), np.uint8(0))  # 0 paper, 1 target, 2.. distractors
    dealer = np.random.default_rng([int(part) for part in item["item_id"].replace("dv", "").split("-")[1:]])
    for color in set(np.unique(color_of)) - {target, PAPER}:
        patches, count = ndimage.label(color_of == color)
        deal = np.concatenate([[0], dealer.integers(2, 2 + DISTRACTOR_LAYERS, count)]).astype(np.uint8)
        layer_of += deal[patches]
    layers = np.zeros((1 + DISTRACTOR_LAYERS, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    for layer in set(np.unique(layer_of)) - {0}:
        mask = Image.fromarray((layer_of == layer).astype(np.uint8) * 255)
        layers[layer - 1] = mask.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC)
    return layers


def snap(pixels: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """uint8 [h, w] index into the palette, or `PAPER`. A blended edge pixel takes the color of the next pure one to its left."""
    packed = pack(pixels)
    index = np.full(packed.shape, BLENDED, np.uint8)
    index[packed == pack(np.full(3, WHITE, np.uint8))] = PAPER
    for i, color in enumerate(palette):
        index[packed == pack(color)] = i
    rows, columns = np.nonzero(index == BLENDED)
    for row, column in zip(rows, columns):
        index[row, column] = index[row, column - 1] if column else PAPER
    return index


def pack(rgb: np.ndarray) -> np.ndarray:
    """uint8 [..., 3] -> uint32 [...], 0xRRGGBB"""
    r, g, b = (rgb[..., i].astype(np.uint32) for i in range(3))
    return r << 16 | g << 8 | b


def read_rgb(path: Path) -> np.ndarray:
    """uint8 [h, w, 3]"""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def read_small(path: Path) -> np.ndarray:
    """uint8 [64, 64, 3]: the picture as the image processor resizes it."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC))
