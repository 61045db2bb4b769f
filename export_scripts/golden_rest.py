"""Writes `tests/golden/rest/`: small data files in the schemas in which REST's tasks are published, and the items that they hold.

    python export_scripts/golden_rest.py

The Parquet files are written by `datasets`, as the Hugging Face Hub has them: `cais/mmlu`, `allenai/ai2_arc`, `apple/GSM-Symbolic`
and `openai/gsm8k`. `mmlu-other-types.parquet` has the rows of `mmlu.parquet` in Arrow's other types of text and lists. The questions are
our own. `expected.json` maps each file's name to its items, as this script makes them of the rows: `content` (whole question),
`answer` (a label, or a number as Python writes it; null where there is none), and `dropped` (too long or with LaTeX, said here by hand).

Needs `datasets`, which brings pyarrow.
"""

import argparse
import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Dataset, Features, Sequence, Value

LONG = "Long " + "x" * 800

MMLU = [
    {"question": "How many sides has a hexagon?", "subject": "geometry", "choices": ["five", "six", "seven", "eight"], "answer": 1},
    {"question": "Which organ pumps blood?", "subject": "anatomy", "choices": ["lung", "liver", "heart", "skin"], "answer": 2},
    {"question": LONG, "subject": "anatomy", "choices": ["a", "b", "c", "d"], "answer": 0, "dropped": "long"},
    {"question": "What is $x^2$ for x = 2?", "subject": "algebra", "choices": ["1", "2", "4", "8"], "answer": 2, "dropped": "latex"},
    {"question": "A pen costs $2, a cup $3. Both cost", "subject": "algebra", "choices": ["$1", "$5", "$6", "$23"], "answer": 1},
    {"question": "Which is a gas?\r\nAt 20 \u00b0C.", "subject": "chemistry", "choices": ["iron", " salt ", "neon", "ice"], "answer": 2},
    {"question": "What has no answer?", "subject": "logic", "choices": ["a", "b", "c", "d"], "answer": -1},
]

ARC = [
    {"id": "Mercury_1", "question": "Which gives light?", "choices": {"text": ["Moon", "mirror", "Sun", "window"], "label": ["A", "B", "C", "D"]}, "answerKey": "C"},
    {"id": "NYSEDREGENTS_2", "question": "What is ice?", "choices": {"text": ["solid", "liquid", "gas", "none"], "label": ["1", "2", "3", "4"]}, "answerKey": "1"},
    {"id": "MCAS_3", "question": "Which is heavier?", "choices": {"text": ["air", "iron", "wood"], "label": ["A", "B", "C"]}, "answerKey": "B"},
    {"id": "no-key", "question": "What has no key?", "choices": {"text": ["a lock", "a door"], "label": ["A", "B"]}, "answerKey": ""},
    {"id": "one-option", "question": "What is left?", "choices": {"text": ["this"], "label": ["A"]}, "answerKey": "A"},
]

GSM = [
    {"id": 0, "instance": 0, "question": "Mia has 3 boxes with 12 pens each. She gives 7 away. How many are left?", "answer": "3 * 12 = <<3*12=36>>36\n36 - 7 = <<36-7=29>>29\n#### 29"},
    {"id": 0, "instance": 1, "question": "A house of $1,200,000 loses $3.50. What is it worth?", "answer": "It is worth less.\n#### 1,199,996.50"},
    {"id": 1, "instance": 0, "question": "It was 5 degrees, and 9 degrees are lost. What is it now?", "answer": "5 - 9 = <<5-9=-4>>-4\n#### -4"},
    {"id": 2, "instance": 0, "question": "If a ride costs $2, how much do 6 rides cost?", "answer": "6 * 2 = <<6*2=12>>12\n#### 12.0"},
    {"id": 3, "instance": 0, "question": "Nobody knows. How many?", "answer": "We cannot say."},
]


def number(text):
    """A number as Python's decimals write it."""
    value = Decimal(text.replace(",", ""))
    return str(value.to_integral_value() if value == value.to_integral_value() else value.normalize())


def choice(stem, labels, texts):
    stem = stem.replace("\r\n", "\n")
    return "\n".join([stem] + [f"{label}. {text.strip()}" for label, text in zip(labels, texts)])


def mmlu_item(row):
    answer = "ABCD"[row["answer"]] if row["answer"] >= 0 else None
    return {"content": choice(row["question"], "ABCD", row["choices"]), "answer": answer, "dropped": row.get("dropped")}


def arc_item(row):
    labels = row["choices"]["label"]
    answer = row["answerKey"] if row["answerKey"] in labels else None
    content = choice(row["question"], labels, row["choices"]["text"])
    return {"content": content, "answer": answer, "dropped": None}


def gsm_item(row):
    answer = number(row["answer"].split("#### ")[1]) if "#### " in row["answer"] else None
    return {"content": row["question"], "answer": answer, "dropped": None}


def without(rows, *names):
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("tests/golden/rest"))
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    text = Value("string")
    mmlu_rows = without(MMLU, "dropped")
    mmlu = Features({"question": text, "subject": text, "choices": Sequence(text), "answer": ClassLabel(names=["A", "B", "C", "D"])})
    Dataset.from_list(mmlu_rows, features=mmlu).to_parquet(out / "mmlu.parquet")

    arc = Features({"id": text, "question": text, "choices": Sequence({"text": text, "label": text}), "answerKey": text})
    Dataset.from_list(ARC, features=arc).to_parquet(out / "arc.parquet")

    symbolic = [
        row | {"original_id": 100 + row["id"], "original_question": row["question"], "original_answer": row["answer"], "canary": "do not train"}
        for row in GSM
    ]
    Dataset.from_list(symbolic).to_parquet(out / "gsm-symbolic.parquet")
    Dataset.from_list(without(GSM, "id", "instance")).to_parquet(out / "gsm8k.parquet")

    other = pa.schema([
        ("question", pa.large_string()),
        ("subject", pa.dictionary(pa.int32(), pa.string())),
        ("choices", pa.large_list(pa.dictionary(pa.int8(), pa.large_string()))),
        ("answer", pa.int32()),
    ])
    pq.write_table(pa.Table.from_pylist(mmlu_rows, schema=other), out / "mmlu-other-types.parquet")

    def lines(name, rows):
        (out / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8", newline="\n")

    lines("gsm-symbolic.jsonl", symbolic)
    lines("mmlu-letters.jsonl", [row | {"answer": "ABCD"[row["answer"]] if row["answer"] >= 0 else None} for row in mmlu_rows])
    options = lambda row: [{"text": text, "label": label} for text, label in zip(*row["choices"].values())]
    (out / "arc-list.json").write_text(json.dumps([row | {"choices": options(row)} for row in ARC], indent=1) + "\n", newline="\n")

    mmlu_items, arc_items, gsm_items = list(map(mmlu_item, MMLU)), list(map(arc_item, ARC)), list(map(gsm_item, GSM))
    expected = {
        "mmlu.parquet": mmlu_items,
        "mmlu-other-types.parquet": mmlu_items,
        "mmlu-letters.jsonl": mmlu_items,
        "arc.parquet": arc_items,
        "arc-list.json": arc_items,
        "gsm-symbolic.parquet": gsm_items,
        "gsm-symbolic.jsonl": gsm_items,
        "gsm8k.parquet": gsm_items,
    }
    (out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", newline="\n")


if __name__ == "__main__":
    main()
