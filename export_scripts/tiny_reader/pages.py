"""Pages as the program typesets them, drawn with Pillow, with what each patch of the picture shows.

1.5 in wide, margins of 0.1 in, 12 pt, lines broken between words, the page as high as its text. For training, widths and heights are
moved a little, so that the small differences between Pillow and the program's own typesetting do not matter.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .tokenizer import GRID, IMAGE_SIZE

FONTS = {"DejaVu Sans": "DejaVuSans.ttf", "Courier Prime": "CourierPrime-Regular.ttf", "Dancing Script": "DancingScript-Regular.ttf"}
FULL_DPI = 200
"""All pages are drawn at this resolution; lower ones are averaged from it."""
DPIS = (200, 100, 50)
COLORS = {"red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0)}
BLACK = (0, 0, 0)
EM = 12 / 72 * FULL_DPI
WIDTH, MARGIN = 1.5 * FULL_DPI, 0.1 * FULL_DPI

TRAINING_LOOKS = (
    ("DejaVu Sans", 200, 0.66), ("DejaVu Sans", 100, 0.16), ("DejaVu Sans", 50, 0.04),
    ("Courier Prime", 200, 0.05), ("Courier Prime", 100, 0.02), ("Courier Prime", 50, 0.01),
    ("Dancing Script", 200, 0.04), ("Dancing Script", 100, 0.01), ("Dancing Script", 50, 0.01),
)  # fmt: skip
"""Font, resolution, share of the training pages."""
COLORED = 0.05
"""Share of the training pages that are not black."""


@dataclass(frozen=True)
class Page:
    ink: np.ndarray
    """uint8 [height, width]: 255 where ink covers the pixel"""
    boxes: np.ndarray
    """float [pieces, 5]: left, top, right, bottom in shares of the page, and the line's index"""


class Printer:
    """Draws pages, and remembers the words that it has drawn."""

    def __init__(self, folder: Path):
        self.fonts = {name: ImageFont.truetype(folder / file, EM, layout_engine=ImageFont.Layout.BASIC) for name, file in FONTS.items()}
        self.word = lru_cache(maxsize=1 << 13)(self._word)

    def _word(self, font: str, word: str) -> tuple[np.ndarray, float]:
        """The ink of a word, from 8 px left of its origin and in a line's height, and its advance in pixels."""
        face = self.fonts[font]
        ascent, descent = face.getmetrics()
        advance = face.getlength(word)
        image = Image.new("L", (int(advance) + 24, ascent + descent + 8))
        ImageDraw.Draw(image).text((8, 0), word, fill=255, font=face)
        return np.asarray(image), advance

    def page(self, text: str, font: str, dpi: int, rng=None) -> Page:
        """`rng` moves margin, width and line height a little."""
        move = (lambda most: float(rng.uniform(-most, most))) if rng is not None else (lambda most: 0.0)
        width, margin, pitch = WIDTH + move(2), MARGIN + move(1), 1 + move(0.008)
        shift = move(1)
        lines = self.lines(text, font, width - 2 * margin)
        ascent, descent = self.fonts[font].getmetrics()
        line_height = exact_line_height(font) * EM * pitch
        height = 2 * margin + line_height * len(lines)
        ink = np.zeros((round(height) + 16, round(width) + 16), np.uint8)
        space = self.word(font, " ")[1]
        boxes = []
        for n, words in enumerate(lines):
            top, x = margin + n * line_height, margin + shift
            row = max(0, round(top + (line_height - ascent - descent) / 2))
            for word in words:
                picture, advance = self.word(font, word)
                left = max(0, round(x) - 8)
                part = ink[row : row + picture.shape[0], left : left + picture.shape[1]]
                np.maximum(part, picture[: part.shape[0], : part.shape[1]], out=part)
                for piece in pieces(word):
                    end = x + self.word(font, piece)[1]
                    boxes.append((x / width, top / height, end / width, (top + line_height) / height, n))
                    x = end
                x += space
        ink = ink[: round(height), : round(width)]
        if dpi < FULL_DPI:
            ink = np.asarray(Image.fromarray(ink).reduce(FULL_DPI // dpi))
        return Page(ink, np.array(boxes))

    def lines(self, text: str, font: str, room: float) -> list[list[str]]:
        """Greedy line breaking between words."""
        space = self.word(font, " ")[1]
        lines = []
        for paragraph in text.split("\n"):
            line, used = [], 0.0
            for word in paragraph.split(" "):
                advance = self.word(font, word)[1]
                if line and used + space + advance > room:
                    lines.append(line)
                    line, used = [], 0.0
                used += advance + (space if line else 0.0)
                line.append(word)
            lines.append(line)
        return lines


def exact_line_height(font: str) -> float:
    """Ascent and descent as the font's file has them, in em."""
    return {"DejaVu Sans": 1.164, "Courier Prime": 1.123, "Dancing Script": 1.2}[font]


@lru_cache(maxsize=1 << 12)
def pieces(word: str) -> tuple[str, ...]:
    """The parts of a word that are tokens: the word, and the sign at its end."""
    return (word[:-1], word[-1]) if len(word) > 1 and word[-1] in ".?,:" else (word,)


def squeezed(ink: np.ndarray, color=BLACK) -> np.ndarray:
    """uint8 [side, side, 3]: the page as the image processor squeezes it."""
    small = np.asarray(Image.fromarray(ink).resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC), np.float32)
    return (255.5 - small[..., None] / 255 * (255 - np.array(color, np.float32))).astype(np.uint8)


def picture(ink: np.ndarray, color=BLACK) -> Image.Image:
    """The page as an RGB image."""
    return Image.fromarray((255.5 - ink[..., None] / np.float32(255) * (255 - np.array(color, np.float32))).astype(np.uint8))


def covering(boxes: np.ndarray) -> np.ndarray:
    """int64 [patches]: the piece of text nearest to each patch's center in its line, -1 where there is none near it."""
    centers = (np.arange(GRID) + 0.5) / GRID
    y, x = (c.reshape(-1, 1) for c in np.meshgrid(centers, centers, indexing="ij"))
    in_line = (boxes[:, 1] <= y) & (y < boxes[:, 3])
    away = np.maximum(np.maximum(boxes[:, 0] - x, x - boxes[:, 2]), 0.0)
    away = np.where(in_line, away, 1.0)
    nearest = away.argmin(1)
    return np.where(away.min(1) < 0.6 / GRID, nearest, -1)


def random_look(rng) -> tuple[str, int, tuple[int, int, int]]:
    """Font, resolution and color of a training page."""
    font, dpi, _ = TRAINING_LOOKS[rng.choice(len(TRAINING_LOOKS), p=[look[2] for look in TRAINING_LOOKS])]
    color = list(COLORS.values())[rng.integers(len(COLORS))] if rng.random() < COLORED else BLACK
    return font, dpi, color
