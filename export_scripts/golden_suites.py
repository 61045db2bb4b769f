"""Writes `tests/golden/suites/`: the same few rows as JSON Lines and as Parquet, the latter by other programs and in other shapes.

    python export_scripts/golden_suites.py tests/golden/suites

- `rows.jsonl`: the rows, with images as files beside it.
- `datasets/`: two parts, written by Hugging Face `datasets` with the Image feature (bytes in the rows), tags as a struct.
- `pyarrow/map.parquet`: large strings and dictionaries, images by path, tags as a map of strings, options by name, no compression.
- `pyarrow/json.parquet`: tags as JSON text, content as plain text, a pandas index.

Needs `datasets` beside pyarrow and Pillow.
"""

import json
import sys
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

SPELLED = [{"name": "red", "spellings": ["red", "Red", "scarlet"]}, {"name": "blue", "spellings": ["blue", "azure"]}]
LETTERS = ["A", "B"]
CONFLICT = {"group_id": "g1", "options": SPELLED, "vision_answer": "red", "text_answer": "blue"}
RENDERED = {"variant": "sans-100", "font": "DejaVu Sans", "dpi": 100, "color": "black", "task": "arc"}
TAGS = {
    "control": "string",
    "dv": "int32",
    "dt": "int32",
    "target": "string",
    "task": "string",
    "variant": "string",
    "font": "string",
    "dpi": "int32",
    "color": "string",
    "reading": "string",
    "max_new_tokens": "int32",
}


def text(words):
    return {"type": "text", "text": words}


def image(name):
    return {"type": "image", "image": name}


def row(item, presentation, content, **fields):
    messages = fields.pop("before", []) + [{"role": "user", "content": content}]
    return {"item_id": item, "group_id": item, "presentation": presentation, "messages": messages, "tags": {}} | fields


ROWS = [
    row("v", "vision-only", [image("red.png"), text("What color?")], answer="red", **CONFLICT | {"tags": {"dv": 3}}),
    row("t", "text-only", [text("It is blue. What color?")], answer="blue", **CONFLICT | {"tags": {"dt": 1}}),
    row("c", "conflict", [image("red.png"), text("It is blue. What color?")], **CONFLICT | {"tags": {"dv": 3, "dt": 1, "target": "square"}}),
    row("q", "ocr", [image("page.jpg"), text("Transcribe.")], answer="Which?\nA. one\nB. two", tags=RENDERED | {"max_new_tokens": 64}),
    row("q", "ocr-first", [{"type": "written", "written": "ocr"}, text("Answer.")], options=LETTERS, answer="B", tags=RENDERED),
    row("q", "image", [image("page.jpg"), image("red.png")], options=LETTERS, answer="B", tags=RENDERED),
    row("q", "text", [text("Which?\nA. one\nB. two")], options=LETTERS, answer="B", tags={"task": "arc", "reading": "option-token"}),
    row("n", "text", [text("How many?")], answer="1,024", before=[{"role": "system", "content": [text("Be brief.")]}]),
]  # fmt: skip


def pictures(folder):
    Image.new("RGB", (5, 4), "red").save(folder / "red.png")
    page = Image.linear_gradient("L").resize((16, 12)).convert("RGB")
    page.save(folder / "page.jpg", quality=90)


def with_all_fields(row):
    options = [{"name": o, "spellings": []} if isinstance(o, str) else o for o in row.get("options", [])]
    answers = {name: row.get(name) for name in ("answer", "vision_answer", "text_answer")}
    return row | answers | {"options": options, "tags": {name: row["tags"].get(name) for name in TAGS}}


def with_images(row, make):
    """The row with every part in the same shape."""

    def part(part):
        shown = make(part["image"]) if "image" in part else None
        return {"type": part["type"], "text": part.get("text"), "image": shown, "written": part.get("written")}

    messages = [{"role": m["role"], "content": [part(p) for p in m["content"]]} for m in row["messages"]]
    return row | {"messages": messages}


def by_datasets(folder):
    string = datasets.Value("string")
    part = {"type": string, "text": string, "image": datasets.Image(), "written": string}
    names = ("item_id", "group_id", "presentation", "answer", "vision_answer", "text_answer")
    features = datasets.Features(
        {name: string for name in names}
        | {
            "messages": datasets.List({"role": string, "content": datasets.List(part)}),
            "options": datasets.List({"name": string, "spellings": datasets.List(string)}),
            "tags": {name: datasets.Value(dtype) for name, dtype in TAGS.items()},
        }
    )
    (folder / "datasets").mkdir(exist_ok=True)
    rows = [
        with_images(with_all_fields(row), lambda name: {"bytes": (folder / name).read_bytes(), "path": name})
        for row in ROWS
    ]
    for number, part in enumerate((rows[:4], rows[4:])):
        target = folder / f"datasets/part-{number}.parquet"
        datasets.Dataset.from_list(part, features=features).to_parquet(target)


def by_pyarrow(folder):
    (folder / "pyarrow").mkdir(exist_ok=True)
    plain = [row for row in ROWS if row["group_id"] != "g1"]
    messages = pa.large_list(pa.struct([("role", pa.dictionary(pa.int8(), pa.string())), ("content", pa.large_list(pa.struct([("type", pa.large_string()), ("text", pa.large_string()), ("image", pa.string()), ("written", pa.string())])))]))  # fmt: skip
    schema = pa.schema(
        [
            ("item_id", pa.large_string()),
            ("group_id", pa.string()),
            ("presentation", pa.dictionary(pa.int16(), pa.string())),
            ("messages", messages),
            ("options", pa.list_(pa.string())),
            ("answer", pa.string()),
            ("tags", pa.map_(pa.string(), pa.string())),
        ]
    )
    rows = [
        with_images(row, lambda name: name) | {"tags": [(name, str(value)) for name, value in row["tags"].items()]}
        for row in plain
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "pyarrow/map.parquet", compression="none", row_group_size=2)
    (folder / "pyarrow/page.jpg").write_bytes((folder / "page.jpg").read_bytes())
    (folder / "pyarrow/red.png").write_bytes((folder / "red.png").read_bytes())

    def bare(message):
        texts = [part["text"] for part in message["content"]]
        return {"role": message["role"], "content": texts[0]}

    rows = [
        {name: row.get(name) for name in ("item_id", "group_id", "presentation", "answer")}
        | {"messages": [bare(message) for message in row["messages"]], "tags": json.dumps(row["tags"]), "__index_level_0__": 7}
        for row in ROWS
        if row["item_id"] == "n"
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "pyarrow/json.parquet", compression="zstd")


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    pictures(folder)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    by_datasets(folder)
    by_pyarrow(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
