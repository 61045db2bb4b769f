"""Writes `tests/golden/typesetting/glyphs.json`, `pages.json` and `pages/`: what other programs make of texts in the fonts of `data/fonts`.

    python export_scripts/golden_typesetting.py

`glyphs.json` has HarfBuzz' glyphs of runs in one font: id, first byte of the cluster, advance, and offsets, in units of the font.
`pages/` has pages in one font, laid out here by the rules of `src/render/typeset` with HarfBuzz' advances and extents, and filled by
FreeType without hinting; `pages.json` has their specifications.
"""

import json
import math
from pathlib import Path

import freetype
import numpy as np
import uharfbuzz as hb
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[1]
FONTS = REPOSITORY / "data/fonts"
OUT = REPOSITORY / "tests/golden/typesetting"
FEATURES = {"liga": False, "clig": False}
RIGHT_TO_LEFT = ("Arab", "Hebr")

# Font, script, text.
RUNS = [
    ("DejaVuSans", "Latn", "AVATAR To Yo. Wave, Type; fi ffi fl"),
    ("DejaVuSans", "Latn", "cafe\u0301 n\u0303 x\u0302\u0323 a\u0323\u0302 Z\u0353\u030d\u0352 q\u0307"),
    ("DejaVuSans", "Grek", "Ελληνικά ἁπλῶς ᾧ"),
    ("DejaVuSans", "Cyrl", "съешь ещё этих"),
    ("DejaVuSans", "Zyyy", "∑ √2 ≤ ∞ 10⁻³ ½ × ⟨ψ⟩"),
    ("DejaVuSans", "Arab", "مرحبا بالعالم لا إله"),
    ("DejaVuSans", "Arab", "مُحَمَّد"),
    ("DejaVuSans", "Hebr", "שָׁלוֹם עולם (שלום)"),
    ("DejaVuSansMono", "Grek", "απλά λόγια"),
    ("CourierPrime-Regular", "Latn", "If x + 3 = 7, fi cafe\u0301"),
    ("DancingScript-Regular", "Latn", "AV To Yo. The quick brown fox, fi ff"),
    ("DancingScript-Regular", "Latn", "a\u0302\u0301 o\u0323 Vie\u0302\u0323t"),
    ("NotoSansMath-Regular", "Zyyy", "𝒜𝔸𝐱⟦⟧⪯"),
    ("NotoSansDevanagari-Regular", "Deva", "हिन्दी क्षत्रिय विद्यार्थी पढ़ते हैं"),
    ("DroidSansFallback", "Hani", "中文图像，漢字。"),
    ("DroidSansFallback", "Hang", "다람쥐한국"),
    ("DroidSansFallback", "Kana", "カタカナひらが"),
    ("NotoEmoji-Regular", "Zyyy", "😀👩\u200d🔬👍🏽❤\ufe0f🇩🇪1\ufe0f\u20e3👨\u200d👩\u200d👧"),
]

ENGLISH = (
    "A train leaves at 9:40 and travels at 80 km/h; AV, To, Yo. Another leaves the same station at 10:10 and travels at 120 km/h. "
    "When does it catch up? (A) 11:10 (B) 11:30\n    just before noon\n\nQuickly, jump & \"figure\" it out: £5 = €6?"
)
ACCENTS = "Ça, où? Größe ẞ Ångström naïve cafe\u0301 x\u0302 Ạ̀ Việt: ∑ √2 ≤ ∞, 10⁻³ ≠ ½"
GREEK = "Δός μοι πᾶ στῶ καὶ τὰν γᾶν κινάσω, ᾧ ἁπλῶς"
CYRILLIC = "Съешь ещё этих мягких французских булок, да выпей чаю"
ARABIC = "مرحبا بالعالم هذا نص عربي طويل بما يكفي ليمتد على أكثر من سطر واحد\nلا إله"
HEBREW = "שָׁלוֹם עולם זה טקסט בעברית עם מספיק מילים לשתי שורות"

# Name, font, text, script, pixels per inch.
PAGES = [
    *((f"{font}-{dpi}", font, ENGLISH, "Latn", dpi) for font in ("dejavu-sans", "courier-prime", "dancing-script") for dpi in (50, 200)),
    ("accents", "dejavu-sans", ACCENTS, "Latn", 150),
    ("greek", "dejavu-sans", GREEK, "Grek", 150),
    ("cyrillic", "dejavu-sans", CYRILLIC, "Cyrl", 150),
    ("arabic", "dejavu-sans", ARABIC, "Arab", 150),
    ("hebrew", "dejavu-sans", HEBREW, "Hebr", 150),
]
FILES = {"dejavu-sans": "DejaVuSans", "courier-prime": "CourierPrime-Regular", "dancing-script": "DancingScript-Regular"}
SIZE_PT, PAGE_WIDTH_IN, MARGIN_IN = 12, 4.0, 0.25


class Font:
    def __init__(self, name: str) -> None:
        path = str(FONTS / f"{name}.ttf")
        face = hb.Face(hb.Blob.from_file_path(path))
        self.units, self.font, self.outlines = face.upem, hb.Font(face), freetype.Face(path)

    def shape(self, text: str, script: str) -> list[tuple]:
        """Glyph id, cluster, advance, offset to the right, offset upwards; from left to right."""
        if not text:
            return []
        buffer = hb.Buffer()
        buffer.add_utf8(text.encode())
        buffer.script = script
        buffer.direction = "rtl" if script in RIGHT_TO_LEFT else "ltr"
        hb.shape(self.font, buffer, FEATURES)
        pairs = zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
        return [(i.codepoint, i.cluster, p.x_advance, p.x_offset, p.y_offset) for i, p in pairs]


class Line:
    """One line, in ems from its start: its left end, or its right one."""

    def __init__(self, font: Font, text: str, script: str) -> None:
        shaped = font.shape(text, script)
        pen = -sum(advance for _, _, advance, _, _ in shaped) if script in RIGHT_TO_LEFT else 0
        self.glyphs = []
        lefts, rights = [0, pen], [0]
        metrics = font.font.get_font_extents("ltr")
        tops, bottoms = [metrics.ascender], [metrics.descender]
        for glyph, _, advance, right, up in shaped:
            ink = font.font.get_glyph_extents(glyph)
            if ink.width:
                lefts.append(pen + right + ink.x_bearing)
                rights.append(pen + right + ink.x_bearing + ink.width)
                tops.append(up + ink.y_bearing)
                bottoms.append(up + ink.y_bearing + ink.height)
            self.glyphs.append((glyph, (pen + right) / font.units, up / font.units))
            pen += advance
        self.left, self.right = min(lefts) / font.units, max(*rights, pen) / font.units
        self.top, self.bottom = max(tops) / font.units, min(bottoms) / font.units

    def width(self) -> float:
        return self.right - self.left


def lines(font: Font, text: str, script: str, room: float) -> list[Line]:
    """As many words a line as fit."""
    found = []
    for paragraph in text.split("\n"):
        words = paragraph.split(" ")
        start = 0
        while start < len(words):
            end = start + 1
            while end < len(words) and Line(font, " ".join(words[start : end + 1]), script).width() <= room:
                end += 1
            found.append(Line(font, " ".join(words[start:end]), script))
            start = end
    return found


def page(name: str, text: str, script: str, dpi: int) -> np.ndarray:
    font = Font(FILES[name])
    em = SIZE_PT * dpi / 72
    room = (PAGE_WIDTH_IN - 2 * MARGIN_IN) * 72 / SIZE_PT
    font.outlines.set_char_size(SIZE_PT * 64, 0, dpi, dpi)
    margin = math.floor(MARGIN_IN * dpi + 0.5)
    rows = [np.zeros((margin, round(PAGE_WIDTH_IN * dpi)), np.int32)]
    for line in lines(font, text, script, room):
        ascent, descent = math.ceil(line.top * em), math.ceil(-line.bottom * em)
        ink = np.zeros((ascent + descent, rows[0].shape[1]), np.int32)
        start = room - line.right if script in RIGHT_TO_LEFT else -line.left
        for glyph, right, up in line.glyphs:
            x, y = MARGIN_IN * dpi + (start + right) * em, up * em
            font.outlines.load_glyph(glyph, freetype.FT_LOAD_NO_HINTING | freetype.FT_LOAD_NO_BITMAP)
            whole = math.floor(x)
            origin = freetype.Vector(round((x - whole) * 64), round(y * 64))
            outline = font.outlines.glyph.get_glyph()  # owns the pixels
            drawn = outline.to_bitmap(freetype.FT_RENDER_MODE_NORMAL, origin, False)
            bitmap = drawn.bitmap
            if bitmap.width:
                pixels = np.array(bitmap.buffer, np.int32).reshape(bitmap.rows, bitmap.pitch)[:, : bitmap.width]
                top, left = ascent - drawn.top, whole + drawn.left
                ink[top : top + bitmap.rows, left : left + bitmap.width] += pixels
        rows.append(ink)
    rows.append(rows[0])
    return 255 - np.concatenate(rows).clip(0, 255).astype(np.uint8)


def main() -> None:
    (OUT / "pages").mkdir(parents=True, exist_ok=True)
    runs = [
        {"font": font, "script": script, "rtl": script in RIGHT_TO_LEFT, "text": text, "glyphs": Font(font).shape(text, script)}
        for font, script, text in RUNS
    ]
    entries = ",\n".join(json.dumps(run, ensure_ascii=False) for run in runs)
    (OUT / "glyphs.json").write_text(f"[\n{entries}\n]\n")
    specs = {}
    for name, font, text, script, dpi in PAGES:
        specs[name] = {"text": text, "font": font, "size_pt": SIZE_PT, "dpi": dpi, "color": [0, 0, 0]}
        specs[name] |= {"page_width_in": PAGE_WIDTH_IN, "margin_in": MARGIN_IN}
        Image.fromarray(page(font, text, script, dpi)).save(OUT / "pages" / f"{name}.png", optimize=True)
    (OUT / "pages.json").write_text(json.dumps(specs, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
