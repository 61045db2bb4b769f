"""`rest` and `rest-plus`: a question as text, as image and mixed, answered by one token (A to D); its two pages transcribed.

Rows of the program's own suite, changed in two ways: answers are read off the next token's distribution instead of a chain of thought, so
that everybody does the same work whatever the model says; and the page of the stem alone, which `mixed` shows, is transcribed too.
"""

import json
import subprocess
from pathlib import Path

from . import questions

TRANSCRIPTION_TOKENS = 100
"""Tokens that are written at most for a page."""
OPTIONS = [{"name": letter, "spellings": [letter]} for letter in "ABCD"]


def export(crossmodal: Path, suite: str, items: int, out: Path) -> None:
    """Writes `out/suite.jsonl` and `out/images/`. A question has 5 rows in `rest` and 41 in `rest-plus`."""
    source = out.parent / f"{out.name}-questions.jsonl"
    questions.write(source, items)
    command = [crossmodal, "suite", "export", suite, "--data", f"mmlu={source}", "--prompts", "rest-brief"]
    subprocess.run(
        [*command, "--presentations", "ocr,text,image,mixed", "--limit", str(items), "--out", out], check=True, capture_output=True
    )
    path = out / "suite.jsonl"
    exported = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [row for written in exported for row in rows_of(written, exported)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def rows_of(row: dict, exported: list[dict]) -> list[dict]:
    """What is asked in the place of a row, and with a mixed one its page's transcription."""
    if row["presentation"] == "ocr":
        return [row | {"tags": row["tags"] | {"max_new_tokens": TRANSCRIPTION_TOKENS}}]
    tags = {name: value for name, value in row["tags"].items() if name != "max_new_tokens"}
    scored = row | {"options": OPTIONS, "tags": tags | {"reading": "option-token"}}
    return [scored, stem_transcription(row, exported)] if row["presentation"] == "mixed" else [scored]


def stem_transcription(mixed: dict, exported: list[dict]) -> dict:
    """The transcription of the page that a mixed row shows: that of the whole page, with the other image and without the options."""
    same = (mixed["item_id"], mixed["tags"].get("variant"))
    whole = next(row for row in exported if row["presentation"] == "ocr" and (row["item_id"], row["tags"].get("variant")) == same)
    image = next(part for part in mixed["messages"][0]["content"] if part["type"] == "image")
    instruction = [part for part in whole["messages"][0]["content"] if part["type"] == "text"]
    stem = "\n".join(whole["answer"].splitlines()[: -len(OPTIONS)])
    tags = whole["tags"] | {"max_new_tokens": TRANSCRIPTION_TOKENS}
    messages = [{"role": "user", "content": [image, *instruction]}]
    return whole | {"item_id": f"{mixed['item_id']}/stem", "messages": messages, "answer": stem, "tags": tags}
