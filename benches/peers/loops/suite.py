"""The rows of an exported suite, and batches of them."""

import json
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from PIL import Image


@dataclass(frozen=True)
class Row:
    """What is asked once."""

    key: tuple[str, str, str]
    """Item, presentation and variant."""
    messages: list[dict]
    images: list[Path]
    options: list[dict]
    """`name` and `spellings` of each."""
    max_new_tokens: int
    """0 where only the next token's distribution is asked."""

    @property
    def kind(self) -> tuple[str, bool]:
        """Rows of one kind are batched together."""
        return self.key[1], bool(self.images)

    @property
    def length(self) -> int:
        """Characters of its texts, by which batches are made of rows of like length."""
        return sum(len(part.get("text", "")) for message in self.messages for part in message["content"])

    def open_images(self) -> list[Image.Image]:
        return [Image.open(path).convert("RGB") for path in self.images]


def read(folder: Path) -> list[Row]:
    """The rows of `folder/suite.jsonl`, in its order."""
    return [row(json.loads(line), folder) for line in (folder / "suite.jsonl").read_text(encoding="utf-8").splitlines()]


def row(fields: dict, folder: Path) -> Row:
    tags = fields["tags"]
    parts = [part for message in fields["messages"] for part in message["content"]]
    options = [option if isinstance(option, dict) else usual_spellings(option) for option in fields["options"]]
    return Row(
        key=(fields["item_id"], fields["presentation"], tags.get("variant", "none")),
        messages=fields["messages"],
        images=[folder / part["image"] for part in parts if part["type"] == "image"],
        options=options,
        max_new_tokens=tags["max_new_tokens"] if tags["reading"] == "transcript" else 0,
    )


def usual_spellings(name: str) -> dict:
    """What crossmodal takes an option for that is a name alone."""
    return {"name": name, "spellings": [name, name.lower(), name[:1].upper() + name[1:], name.upper()]}


def batches(rows: list[Row], size: int) -> list[list[Row]]:
    """All rows, those of a kind together and sorted by length."""
    ordered = sorted(rows, key=lambda row: (row.kind, row.length))
    kinds = [list(rows) for _, rows in groupby(ordered, key=lambda row: row.kind)]
    return [kind[start : start + size] for kind in kinds for start in range(0, len(kind), size)]
