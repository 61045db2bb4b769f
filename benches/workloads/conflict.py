"""`conflict`: color recognition, where many prompts show one image: the question alone, three conflicting texts, and their controls."""

import json
import subprocess
from pathlib import Path

DIFFICULTIES = (0, 6, 10)
"""Visual difficulties (dv) that are kept: one of the large pictures and two of the crowded small ones."""


def export(crossmodal: Path, suite: str, items: int, out: Path) -> None:
    """Writes `out/suite.jsonl` and `out/images/`. A group has 42 rows: 9 texts, and 11 prompts for each of 3 images."""
    subprocess.run([crossmodal, "suite", "export", suite, "--limit", str(items), "--out", out], check=True, capture_output=True)
    path = out / "suite.jsonl"
    rows = [line for line in path.read_text(encoding="utf-8").splitlines() if json.loads(line)["tags"].get("dv", 0) in DIFFICULTIES]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
