"""The color recognition suite as the project's own program draws and words it: `crossmodal suite export`."""

import json
import shlex
import subprocess
from pathlib import Path

from .prompts import REPOSITORY


def export_suite(
    command: str, out: Path, groups: int, seed: int, presentations: str | None = None, controls: bool = True
) -> list[dict]:
    """Writes the suite into `out`, unless a complete one is there already; returns the lines of `suite.jsonl`."""
    done = out / "complete"
    if not done.exists():
        arguments = ["suite", "export", "color-recognition", "--out", str(out.resolve()), "--groups", str(groups), "--seed", str(seed)]
        if presentations:
            arguments += ["--presentations", presentations]
        if not controls:
            arguments.append("--no-controls")
        subprocess.run([*shlex.split(command), *arguments], cwd=REPOSITORY, check=True)
        done.touch()
    with (out / "suite.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def image_of(item: dict) -> str | None:
    """The path of an item's image, relative to the suite's folder; None without an image."""
    return next((part["image"] for message in item["messages"] for part in message["content"] if part["type"] == "image"), None)


def text_of(item: dict) -> str:
    """The text of an item's user turn."""
    return next(part["text"] for message in item["messages"] for part in message["content"] if part["type"] == "text")
