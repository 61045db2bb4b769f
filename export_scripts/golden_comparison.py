"""Golden values for the comparison of two runs (`src/analysis/comparison`), computed here row by row from their definitions.

Makes a reference run and a run of the same suite, with conflict cases and the same content shown in several ways; the second
differs by noise in probabilities, other answers, other letters in texts, failures, and rows that only one of them has:

    python export_scripts/golden_comparison.py --out tests/golden/comparison

Shares no code with the program: numpy and scikit-learn give percentiles, bootstraps and isotonic fits, and the edit distance
is the textbook's. The same versions write the same bytes.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from golden_analysis import crossing, isotonic

SUITE = "golden"
FINGERPRINT = "5eed" * 16
MODELS = {"reference": "tiny-fp32", "run": "tiny-int8"}
COLORS = ["red", "green", "blue"]
LETTERS = ["A", "B", "C"]
KEY = ["item_id", "group_id", "presentation", "variant", "control"]
RESAMPLES = 4000


def entropy(logprobs):
    return float(-sum(math.exp(p) * p for p in logprobs))


def scored(random, sharpness, best):
    """Log-probabilities of three options, of which `best` is the likeliest, and their entropy."""
    logits = random.normal(0, 0.4, 3)
    logits[best] = logits.max() + sharpness
    return logits - np.log(np.exp(logits).sum())


def answered(row, options, logprobs, rng_token):
    """Adds what a model says whose distribution over the options this is."""
    best = int(np.argmax(logprobs))
    answer = options[best]
    return {**row, "options": options, "option_logprobs": np.float32(logprobs).tolist(), "entropy": entropy(logprobs),
            "top1_token": 100 + best + rng_token, "answer": answer, "status": "ok",
            "correct": None if row["expected"] is None else answer == row["expected"]}


def failed(row):
    silent = {name: None for name in ("raw_text", "answer", "correct", "option_logprobs", "entropy", "top1_token", "cer", "finish_reason")}
    return {**row, **silent, "status": "error"}


def conflict_prompts(random):
    """Vision-only, text-only and conflict prompts: (row, logprobs), a designed answer each; cases as (conflict, vision, text)."""
    prompts, cases = [], []
    for group in range(30):
        for case in range(3):
            vision, text = random.permutation(3)[:2]
            item = f"c-{group:02}-{case}"
            base = {"item_id": item, "group_id": f"g-{group:02}", "variant": "none", "control": "none",
                    "finish_reason": "answer-token", "raw_text": "x", "expected": None, "cer": None}
            ease = random.gamma(1.5, 1.2, 2)
            h = [scored(random, e, int(right)) for e, right in zip(ease, (vision, text))]
            lean = (entropy(h[0]) - entropy(h[1])) * 4 + random.normal(0, 0.7) + 0.4
            both = scored(random, 1.0, int(text if lean > 0 else vision) if random.random() < 0.95 else 3 - vision - text)
            at = len(prompts)
            for presentation, expected, logprobs in (
                ("vision-only", COLORS[vision], h[0]), ("text-only", COLORS[text], h[1]), ("conflict", None, both),
            ):
                prompts.append(({**base, "presentation": presentation, "expected": expected}, COLORS, logprobs))
            cases.append((at + 2, at, at + 1, COLORS[vision], COLORS[text]))
    for control in range(8):
        row = {"item_id": f"k-{control}", "group_id": f"k-{control}", "presentation": "conflict", "variant": "none",
               "control": "text-irrelevant", "finish_reason": "answer-token", "raw_text": "x", "expected": "red", "cer": None}
        prompts.append((row, COLORS, scored(random, 1.0, 0)))
    return prompts, cases


def content_prompts(random):
    """The same content as text, image and mixed in two renderings, and transcribed."""
    prompts = []
    for item in range(40):
        right = int(random.integers(3))
        skill = random.beta(2, 2)
        base = {"item_id": f"r-{item:02}", "group_id": f"r-{item // 2:02}", "control": "none", "finish_reason": "stop",
                "expected": LETTERS[right] if item % 9 else None, "cer": None}
        for presentation, variant in [("text", "none"), *((p, v) for p in ("image", "mixed", "ocr") for v in ("small", "large"))]:
            best = right if random.random() < skill else int(random.integers(3))
            words = " ".join(random.choice(["so", "thus", "größer", "x=3", "the answer is"], int(random.integers(2, 9))))
            row = {**base, "presentation": presentation, "variant": variant, "raw_text": f"{words} {LETTERS[best]}"}
            if presentation == "ocr":
                row |= {"expected": "page", "cer": 0.0 if random.random() < 0.6 else 0.125}
            prompts.append((row, LETTERS, scored(random, 0.6, best)))
    return prompts


def make_runs(random):
    """Rows of `outcomes` and `following` of both runs."""
    conflicts, cases = conflict_prompts(random)
    prompts = conflicts + content_prompts(random)
    runs = {"reference": [], "run": []}
    for number, (row, options, logprobs) in enumerate(prompts):
        row = {**row, "prompt_hash": f"p{number}", "image_hash": None if number % 2 else f"i{number}"}
        one = answered(row, options, logprobs, 0)
        noisy = logprobs + random.normal(0, 0.3 if row["item_id"].startswith("r") else 0.12, 3)
        other = answered(row, options, noisy - np.log(np.exp(noisy).sum()), int(random.random() < 0.02))
        if number % 37 == 5:  # other letters somewhere in the text
            text = list(row["raw_text"])
            text[len(text) // 2] = "#"
            other["raw_text"] = "".join(text) + ("!" if number % 2 else "")
        if number % 23 == 3:
            for side in (one, other) if number % 2 else (other,):
                side |= {"answer": None, "correct": None if side["expected"] is None else False}
        if number % 71 == 9:
            other["prompt_hash"] += "*"
        if row["presentation"] == "ocr" and number % 11 == 0:
            other["cer"] = 0.25
        one = failed(one) if number % 61 == 7 else one
        other = failed(other) if number % 47 == 7 else other
        runs["reference"].append(one)
        runs["run"].append(other)
    following = {side: [case_row(rows, case) for case in cases] for side, rows in runs.items()}
    missing = {"reference": {"c-04-1", "r-07"}, "run": {"c-11-2", "c-20-0", "r-30"}}
    for side, items in missing.items():
        runs[side] = [row for row in runs[side] if row["item_id"] not in items]
        following[side] = [row for row in following[side] if row["item_id"] not in items]
    return runs, following


def case_row(rows, case):
    conflict, vision, text = (rows[at] for at in case[:3])
    ok = all(row["status"] == "ok" for row in (conflict, vision, text))
    follows = None
    if ok and vision["answer"] and text["answer"] and vision["answer"] != text["answer"]:
        follows = {text["answer"]: "text", vision["answer"]: "vision"}.get(conflict["answer"], "other")
    hv, ht = vision["entropy"], text["entropy"]
    return {**{name: conflict[name] for name in KEY}, "dv": 0, "dt": 0, "expected_vision": case[3], "expected_text": case[4],
            "y_conflict": conflict["answer"], "h_vision": hv, "h_text": ht, "follows": follows,
            "dh_rel": 2 * (ht - hv) / (ht + hv) if hv and ht else None,
            "analysed": follows is not None and vision["answer"] == case[3] and text["answer"] == case[4],
            "status": "ok" if ok else "error"}


def edit_distance(one, other):
    before = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            row.append(min(row[-1] + 1, before[j] + 1, before[j - 1] + (a != b)))
        before = row
    return before[-1]


def spread(changes):
    if not changes:
        return None
    sizes = np.abs(changes)
    return {"values": len(changes), "mean": float(sizes.mean()), "p95": float(np.percentile(sizes, 95)),
            "max": float(sizes.max()), "mean_change": float(np.mean(changes))}


def mean(values):
    return float(np.mean(values)) if len(values) else None


def change(reference, run):
    found = {"reference": reference, "run": run}
    return {**found, "change": None if None in found.values() else run - reference}


def prompt_figures(reference, run):
    """`reference` and `run`: rows by key."""
    keys = [key for key in reference if key in run]
    both = [(reference[key], run[key]) for key in keys]
    pairs = [(a, b) for a, b in both if a["status"] == b["status"] == "ok"]
    texts = [(a["raw_text"], b["raw_text"]) for a, b in pairs if a["finish_reason"] != "answer-token"]
    right = [(a["correct"], b["correct"]) for a, b in pairs if a["correct"] is not None and b["correct"] is not None]
    same = [a["answer"] == b["answer"] for a, b in pairs]
    options = [float(y) - float(x) for a, b in pairs for x, y in zip(a["option_logprobs"], b["option_logprobs"])]
    return {
        "joined": len(both), "only_reference": len(reference) - len(both), "only_run": len(run) - len(both),
        "failed_reference": sum(a["status"] != "ok" for a, _ in both), "failed_run": sum(b["status"] != "ok" for _, b in both),
        "compared": len(pairs), "other_prompt": sum(a["prompt_hash"] != b["prompt_hash"] for a, b in pairs),
        "same_answers": sum(same), "both_unparsed": sum(a["answer"] is b["answer"] is None for a, b in pairs),
        "answer_agreement": mean(same), "top1_agreement": mean([a["top1_token"] == b["top1_token"] for a, b in pairs]),
        "option_logprob": spread(options), "entropy": spread([b["entropy"] - a["entropy"] for a, b in pairs]),
        "texts": None if not texts else {
            "texts": len(texts), "same": mean([a == b for a, b in texts]),
            "distance": mean([edit_distance(a, b) / max(len(a), len(b)) for a, b in texts]),
        },
        "scored": len(right), "accuracy": change(mean([a for a, _ in right]), mean([b for _, b in right])),
    }


def tfr(cases):
    text, vision = (sum(case["follows"] == name for case in cases) for name in ("text", "vision"))
    return text / (text + vision) if text + vision else None


def balance(cases):
    cases = [case for case in cases if case["follows"] in ("text", "vision") and case["dh_rel"] is not None]
    x, y = np.array([case["dh_rel"] for case in cases]), np.array([float(case["follows"] == "text") for case in cases])
    return crossing(*isotonic(x, y)) if len(cases) else None


def following_figures(reference, run, random):
    by_item = {row["item_id"]: row for row in run}
    both = [(row, by_item[row["item_id"]]) for row in reference if row["item_id"] in by_item]
    both = [(a, b) for a, b in both if a["status"] == b["status"] == "ok"]
    decided = [(a, b) for a, b in both if a["follows"] or b["follows"]]
    sides = [[pair[side] for pair in both if pair[side]["analysed"]] for side in (0, 1)]
    shift = change(*(balance(side) for side in sides))
    groups = sorted({row["group_id"] for side in sides for row in side})
    of_group = [{group: [row for row in side if row["group_id"] == group] for group in groups} for side in sides]
    tfr_changes, shifts = [], []
    for _ in range(RESAMPLES):
        drawn = random.choice(groups, len(groups))
        resampled = [[row for group in drawn for row in side[group]] for side in of_group]
        tfr_changes.append(tfr(resampled[1]) - tfr(resampled[0]))
        points = [balance(side) for side in resampled]
        if None not in points:
            shifts.append(points[1] - points[0])
    figures = {
        "cases": len(both), "decided": len(decided), "same": sum(a["follows"] == b["follows"] for a, b in decided),
        "agreement": mean([a["follows"] == b["follows"] for a, b in decided]),
        "analysed_reference": len(sides[0]), "analysed_run": len(sides[1]), "tfr": change(*(tfr(side) for side in sides)),
        "balance_reference": {"kind": "crossing", "value": shift["reference"]},
        "balance_run": {"kind": "crossing", "value": shift["run"]}, "balance_shift": shift["change"],
    }
    return figures, {"tfr": np.percentile(tfr_changes, [2.5, 97.5]).tolist(), "balance_shift": np.percentile(shifts, [2.5, 97.5]).tolist()}


def consistency_figures(reference, run):
    """Over the renderings whose text, image and mixed answers both runs have and neither failed on."""
    def answered(key):
        return key in reference and key in run and reference[key]["status"] == run[key]["status"] == "ok"

    subsets = {"all": ([], []), "ocr_correct": ([], [])}
    items = sorted({(row["item_id"], row["group_id"]) for row in reference.values() if row["item_id"].startswith("r-")})
    for item, group in items:
        for variant in ("small", "large"):
            keys = [(item, group, shown, "none" if shown == "text" else variant, "none") for shown in ("text", "image", "mixed")]
            page = (item, group, "ocr", variant, "none")
            if not all(map(answered, keys)):
                continue
            for side, rows in enumerate((reference, run)):
                answers = [rows[key] for key in keys]
                subsets["all"][side].append(answers)
                if answered(page) and rows[page]["cer"] == 0.0:
                    subsets["ocr_correct"][side].append(answers)
    return {name: {"comparisons_reference": len(sides[0]), "comparisons_run": len(sides[1]),
                   **{rate: change(*(of(side) for side in sides)) for rate, of in RATES.items()}} for name, sides in subsets.items()}


def rer(comparisons):
    return mean([None not in (said := {row["answer"] for row in rows}) and len(said) == 1 for rows in comparisons])


def right(comparisons):
    marks = [[row["correct"] for row in rows] for rows in comparisons]
    return [of for of in marks if None not in of]


def mmc(comparisons):
    return mean([any(of) for of in right(comparisons)])


def cfr(comparisons):
    return mean([not all(of) for of in right(comparisons) if any(of)])


RATES = {"rer": rer, "mmc": mmc, "cfr": cfr}


def accuracy_interval(reference, run, random):
    by_group = {}
    for key in reference.keys() & run.keys():
        a, b = reference[key], run[key]
        if a["status"] == b["status"] == "ok" and a["correct"] is not None and b["correct"] is not None:
            sums = by_group.setdefault(a["group_id"], [0, 0])
            sums[0] += int(b["correct"]) - int(a["correct"])
            sums[1] += 1
    sums = np.array([by_group[group] for group in sorted(by_group)])
    drawn = sums[random.integers(0, len(sums), (RESAMPLES, len(sums)))].sum(axis=1)
    return np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5]).tolist()


def name_of(presentation, control):
    return presentation if control == "none" else f"{presentation}, {control}"


def of_kind(rows, kind):
    return {key: row for key, row in rows.items() if (key[2], key[4]) == kind}


def write(folder, side, table, rows, schema):
    model = MODELS[side]
    folder = folder / side / f"tables/table={table}/model={model}/suite={SUITE}"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"run": f"{model}-1", **row} for row in rows]
    rows = rows if side == "reference" else rows[::-1]  # the order of rows is of no account
    data = pa.Table.from_pylist(rows, schema=schema.with_metadata({"crossmodal.suite_fingerprint": FINGERPRINT}))
    half = len(data) // 2
    for number, part in enumerate([data.slice(0, half), data.slice(half)]):
        pq.write_table(part, folder / f"part-{number:05}.parquet", compression="zstd")


def write_runs(out, runs, following):
    text, number, integer = pa.string(), pa.float64(), pa.int32()
    key = [(name, text) for name in ["run", *KEY]]
    outcomes = pa.schema([*key, *((name, text) for name in ("task", "font", "color")),
        *((name, integer) for name in ("dpi", "dv", "dt", "text_tokens", "vision_tokens")),
        *((name, text) for name in ("prompt_hash", "image_hash", "expected", "raw_text", "answer", "finish_reason", "status")),
        ("correct", pa.bool_()), ("options", pa.list_(text)), ("option_logprobs", pa.list_(pa.float32())),
        ("entropy", number), ("top1_token", integer), ("cer", number)])
    cases = pa.schema([*key, ("dv", integer), ("dt", integer),
        *((name, text) for name in ("expected_vision", "expected_text", "y_conflict", "follows", "status")),
        *((name, number) for name in ("h_vision", "h_text", "dh_rel")), ("analysed", pa.bool_())])
    for side in MODELS:
        write(out, side, "outcomes", runs[side], outcomes)
        write(out, side, "following", following[side], cases)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("tests/golden/comparison"), help="folder of expected.json and of both runs")
    out = parser.parse_args().out
    random = np.random.default_rng(20)
    runs, following = make_runs(random)
    write_runs(out, runs, following)
    reference, run = ({tuple(row[name] for name in KEY): row for row in runs[side]} for side in MODELS)
    kinds = sorted({(key[2], key[4]) for key in [*reference, *run]})
    figures, intervals = following_figures(following["reference"], following["run"], random)
    prompts = prompt_figures(reference, run)
    expected = {
        "verdict": {"kind": "answers-differ", "differ": prompts["compared"] - prompts["same_answers"], "compared": prompts["compared"]},
        "suite": SUITE, "prompts": prompts,
        "by_presentation": {name_of(*kind): prompt_figures(of_kind(reference, kind), of_kind(run, kind)) for kind in kinds},
        "following": figures, "consistency": consistency_figures(reference, run),
        "intervals": {"accuracy": accuracy_interval(reference, run, random), **intervals},
    }
    (out / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
