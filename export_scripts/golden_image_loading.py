"""Writes `tests/golden/image-loading/`: small image files in many formats, and the pixels that `transformers.image_utils.load_image`
makes of them.

    python export_scripts/golden_image_loading.py

`expected.json` maps each file's name to `width`, `height`, `rgb` (the RGB bytes in base64) or `same_as` (an earlier file that has the
same pixels), and `tolerance`: how far a channel of a pixel may be from it, which is 0 unless decoders of the format may differ.
"""

import argparse
import base64
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from transformers.image_utils import load_image

from tiny_llava.prompts import REPOSITORY

WIDTH, HEIGHT = 41, 29
JPEG_TOLERANCE = 3
ORIENTATION_TAG = 274
XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="{}"/></x:xmpmeta>'


def content() -> Image.Image:
    """Smooth, unlike its mirror images, and with every degree of transparency."""
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    red, green = 255 * x // (WIDTH - 1), 255 * y // (HEIGHT - 1)
    blue = np.clip(255 - (x - 12) ** 2 - (y - 8) ** 2, 0, 255)
    alpha = np.clip((x + y) * 255 // 60 - 20, 0, 255)
    return Image.fromarray(np.stack([red, green, blue, alpha], axis=-1).astype(np.uint8))


def sharp() -> Image.Image:
    """Stripes of strong colors, which show how a decoder fills in colors that are stored at half the resolution."""
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    channels = [255 * (x // 3 % 2), 255 * (y // 2 % 2), 255 * ((x + y) // 4 % 2)]
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def files() -> dict[str, bytes]:
    rgba = content()
    rgb, gray, gray_alpha = rgba.convert("RGB"), rgba.convert("L"), rgba.convert("LA")
    palette = rgb.quantize(40)
    wide = np.arange(WIDTH * HEIGHT, dtype=np.uint32).reshape(HEIGHT, WIDTH) * 55
    few = Image.fromarray((wide // 55 % 256).astype(np.uint8)).quantize(12)
    gray16 = Image.fromarray(wide.astype(np.uint16))
    colors16 = np.stack([wide, 65535 - wide, wide * 7 % 65536, wide * 3 % 65536], axis=-1).astype(">u2")
    cmyk = rgb.convert("CMYK")
    cmyk.putdata([(*pixel[:3], place % 200) for place, pixel in enumerate(cmyk.get_flattened_data())])

    made = {}

    def save(name: str, image: Image.Image, **options) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, **options)
        made[name] = buffer.getvalue()
        return made[name]

    for name, image in {
        "1": rgb.convert("1"),
        "l": gray,
        "la": gray_alpha,
        "rgb": rgb,
        "rgba": rgba,
        "p": palette,
        "p-4-bits": few,
        "16-bits": gray16,
    }.items():
        save(f"{name}.png", image, format="PNG")
    save("p-transparent-color.png", palette, format="PNG", transparency=3)
    save("p-alpha.png", palette, format="PNG", transparency=bytes(range(0, 200, 5)))
    save("l-transparent-level.png", gray, format="PNG", transparency=100)
    save("rgb-transparent-color.png", rgb, format="PNG", transparency=rgb.getpixel((3, 3)))
    for name, color, channels in (("rgb", 2, [0, 1, 2]), ("la", 4, [0, 3]), ("rgba", 6, [0, 1, 2, 3])):
        made[f"{name}-16-bits.png"] = png(16, color, colors16[:, :, channels].tobytes())
    made["l-16-bits-transparent-level.png"] = png(16, 0, colors16[:, :, 0].tobytes(), (b"tRNS", struct.pack(">H", 550)))
    for bits in (2, 4):
        levels = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 2**bits
        made[f"l-{bits}-bits.png"] = png(bits, 0, packed(levels, bits))

    save("l.jpg", gray, format="JPEG", quality=90)
    for name, sampling in (("444", "4:4:4"), ("422", "4:2:2"), ("420", "4:2:0")):
        save(f"{name}.jpg", rgb, format="JPEG", quality=90, subsampling=sampling)
        save(f"{name}-sharp.jpg", sharp(), format="JPEG", quality=90, subsampling=sampling)
        save(f"{name}-progressive.jpg", rgb, format="JPEG", quality=90, subsampling=sampling, progressive=True)
    save("rgb-not-ycc.jpg", rgb, format="JPEG", quality=90, keep_rgb=True)
    adobe = save("cmyk-adobe.jpg", cmyk, format="JPEG", quality=95)
    at = adobe.index(b"\xff\xee\x00\x0eAdobe")
    made["cmyk-plain.jpg"] = adobe[:at] + adobe[at + 16 :]
    assert adobe[at + 15] == 0
    made["ycck-adobe.jpg"] = adobe[: at + 15] + b"\x02" + adobe[at + 16 :]

    for name, image, compression in (
        ("1", rgb.convert("1"), "group4"),
        ("l", gray, "tiff_deflate"),
        ("la", gray_alpha, "tiff_lzw"),
        ("rgb", rgb, "tiff_lzw"),
        ("rgb-raw", rgb, "raw"),
        ("rgb-packbits", rgb, "packbits"),
        ("rgba", rgba, "tiff_deflate"),
        ("p", palette, "tiff_deflate"),
        ("16-bits", gray16, "tiff_deflate"),
        ("cmyk", cmyk, "tiff_deflate"),
    ):
        save(f"{name}.tiff", image, format="TIFF", compression=compression)

    associated = save("rgba-premultiplied.tiff", rgba, format="TIFF", compression="raw")
    extra_samples = struct.pack("<HHIH", 338, 3, 1, 2)
    assert associated.count(extra_samples) == 1
    made["rgba-premultiplied.tiff"] = associated.replace(extra_samples, struct.pack("<HHIH", 338, 3, 1, 1))

    for name, image in {"1": rgb.convert("1"), "l": gray, "p": palette, "rgb": rgb, "rgba": rgba}.items():
        save(f"{name}.bmp", image, format="BMP")

    save("p.gif", palette, format="GIF")
    save("transparent-color.gif", palette, format="GIF", transparency=3)
    save("interlaced.gif", palette, format="GIF", interlace=1)
    second = palette.transpose(Image.Transpose.ROTATE_180)
    save("animated.gif", palette, format="GIF", save_all=True, append_images=[second], duration=100)
    made["frame-in-a-canvas.gif"] = framed(made["transparent-color.gif"])

    save("lossless.webp", rgb, format="WEBP", lossless=True)
    save("lossless-alpha.webp", rgba, format="WEBP", lossless=True, exact=True)
    save("lossy.webp", rgb, format="WEBP", quality=90)
    save("lossy-alpha.webp", rgba, format="WEBP", quality=90)
    save("sharp-lossy.webp", sharp(), format="WEBP", quality=90)
    turned = rgba.transpose(Image.Transpose.ROTATE_180)
    save("animated.webp", rgba, format="WEBP", lossless=True, exact=True, save_all=True, append_images=[turned], duration=100)

    for orientation in range(1, 9):
        save(f"orientation-{orientation}.jpg", rgb, format="JPEG", quality=95, exif=oriented(orientation))
    for orientation in (5, 8):
        save(f"orientation-{orientation}.png", rgb, format="PNG", exif=oriented(orientation))
    save("orientation-6-palette.png", palette, format="PNG", exif=oriented(6))
    save("orientation-3.webp", rgb, format="WEBP", lossless=True, exif=oriented(3))
    save("orientation-6.tiff", rgb, format="TIFF", tiffinfo={ORIENTATION_TAG: 6})
    save("orientation-7-xmp.jpg", rgb, format="JPEG", quality=95, xmp=XMP.format(7).encode())
    save("orientation-4-cmyk.jpg", cmyk, format="JPEG", quality=95, exif=oriented(4))
    return made


def oriented(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    return exif


def png(bits: int, color: int, pixels: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG of a kind that Pillow reads and does not write."""
    row = len(pixels) // HEIGHT
    rows = b"".join(b"\0" + pixels[y * row : (y + 1) * row] for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, color, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    written = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def packed(levels: np.ndarray, bits: int) -> bytes:
    expanded = (levels[:, :, None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(expanded.reshape(HEIGHT, -1).astype(np.uint8), axis=1).tobytes()


def framed(gif: bytes) -> bytes:
    """The same GIF on a canvas that is larger than its frame."""
    at = gif.index(b"\x2c" + struct.pack("<HHHH", 0, 0, WIDTH, HEIGHT))
    moved = struct.pack("<HHHH", 5, 3, WIDTH, HEIGHT)
    canvas = struct.pack("<HH", WIDTH + 9, HEIGHT + 7)
    return gif[:6] + canvas + gif[10 : at + 1] + moved + gif[at + 9 :]


def tolerance(name: str) -> int:
    return JPEG_TOLERANCE if name.endswith(".jpg") else 0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=Path, default=REPOSITORY / "tests" / "golden" / "image-loading")
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    expected, seen = [], {}
    for name, data in files().items():
        (options.out / name).write_bytes(data)
        image = load_image(str(options.out / name))
        values = {"width": image.width, "height": image.height, "tolerance": tolerance(name)}
        pixels = (image.size, image.tobytes())
        if pixels in seen:
            values["same_as"] = seen[pixels]
        else:
            seen[pixels] = name
            values["rgb"] = base64.b64encode(image.tobytes()).decode()
        expected.append(f"{json.dumps(name)}:{json.dumps(values, separators=(',', ':'))}")
    (options.out / "expected.json").write_text("{\n" + ",\n".join(expected) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
