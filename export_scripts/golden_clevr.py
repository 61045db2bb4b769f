"""A small folder in the layout of CLEVR v1.0, for the tests of the suites shape-recognition and material-recognition.

    python export_scripts/golden_clevr.py tests/golden/clevr

Twelve scenes, three of each visual tier, with drawings in the place of renderings. In every scene the red, the blue and the
green object are the only ones of their color, and of the size that the tier asks for.
"""

import json
import random
import sys
from pathlib import Path

from PIL import Image, ImageDraw

COLORS = {
    "gray": "#575757",
    "red": "#ad2323",
    "blue": "#2a4bd7",
    "green": "#1d6914",
    "brown": "#814a19",
    "purple": "#8126c0",
    "cyan": "#29d0d0",
    "yellow": "#ffee33",
}
TARGETS = [("red", "cube", "rubber"), ("blue", "sphere", "metal"), ("green", "cylinder", "rubber")]
# Number of objects and the targets' size, by visual tier.
TIERS = [((3, 4, 4), "large"), ((6, 7, 8), "large"), ((6, 7, 8), "small"), ((10, 10, 10), "small")]
WIDTH, HEIGHT = 48, 32
DIRECTIONS = {
    "left": [-0.66, -0.75, 0.0],
    "right": [0.66, 0.75, 0.0],
    "front": [0.75, -0.66, 0.0],
    "behind": [-0.75, 0.66, 0.0],
}


def make_object(color, shape, material, size, rng):
    x, y = rng.uniform(-3, 3), rng.uniform(-3, 3)
    return {
        "color": color,
        "size": size,
        "rotation": round(rng.uniform(0, 360), 3),
        "shape": shape,
        "3d_coords": [round(x, 3), round(y, 3), 0.7 if size == "large" else 0.35],
        "material": material,
        "pixel_coords": [int((x + 3.5) * 7), int((y + 3.5) * 4.5), 10.0],
    }


def make_scene(index, count, size, rng):
    objects = [make_object(*target, size, rng) for target in TARGETS]
    others = [color for color in COLORS if color not in {target[0] for target in TARGETS}]
    while len(objects) < count:
        shape, material = rng.choice(["cube", "sphere", "cylinder"]), rng.choice(["rubber", "metal"])
        objects.append(make_object(rng.choice(others), shape, material, rng.choice(["large", "small"]), rng))
    rng.shuffle(objects)

    def toward(direction, one, other):
        step = [b - a for a, b in zip(one["3d_coords"], other["3d_coords"])]
        return sum(d * s for d, s in zip(DIRECTIONS[direction], step)) > 0.2

    return {
        "split": "val",
        "image_index": index,
        "image_filename": f"CLEVR_val_{index:06d}.png",
        "objects": objects,
        "relationships": {
            direction: [
                [other for other in range(count) if other != one and toward(direction, objects[one], objects[other])]
                for one in range(count)
            ]
            for direction in DIRECTIONS
        },
        "directions": DIRECTIONS,
    }


def draw(scene):
    image = Image.new("RGB", (WIDTH, HEIGHT), "#b0b0b0")
    pen = ImageDraw.Draw(image)
    for item in scene["objects"]:
        x, y, _ = item["pixel_coords"]
        half = 4 if item["size"] == "large" else 2
        box = (x - half, y - half, x + half, y + half)
        outline = "#ffffff" if item["material"] == "metal" else None
        shape = {"cube": pen.rectangle, "sphere": pen.ellipse, "cylinder": pen.rounded_rectangle}[item["shape"]]
        shape(box, fill=COLORS[item["color"]], outline=outline)
    return image


def main(folder):
    rng = random.Random(0)
    counts = [(count, size) for number, size in TIERS for count in number]
    scenes = [make_scene(index, count, size, rng) for index, (count, size) in enumerate(counts)]
    (folder / "scenes").mkdir(parents=True, exist_ok=True)
    (folder / "images/val").mkdir(parents=True, exist_ok=True)
    for scene in scenes:
        draw(scene).save(folder / "images/val" / scene["image_filename"])
    info = {"date": "made for tests", "version": "1.0", "split": "val", "license": "none"}
    text = json.dumps({"info": info, "scenes": scenes}, separators=(",", ":"))
    (folder / "scenes/CLEVR_val_scenes.json").write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
