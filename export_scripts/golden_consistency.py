"""Golden values for the consistency analysis of `src/analysis`, computed here from the definitions of arXiv 2512.08923.

Makes a run with 2,000 synthetic rows (missing and failed rows, unparseable answers, items without an expected answer,
several tasks, fonts, resolutions and colors, and items that are not shown mixed) and embeddings with ties, and computes
every figure of it row by row with numpy and scipy, sharing no code with the program:

    python export_scripts/golden_consistency.py --out tests/golden/analysis

Needs numpy, scipy and pyarrow. The same versions write the same bytes.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import stats

ROWS = 2000
MODALITIES = ["text", "image", "mixed"]
COLORS = ["red", "green", "blue", "yellow"]
LOOKS = [("dejavu-sans", 50), ("dejavu-sans", 100), ("dejavu-sans", 200), ("courier-prime", 100), ("courier-prime", 200)]
TASKS = {"mmlu": list("ABCD"), "arc": list("ABCD"), "gsm-symbolic": ["12", "15", "20"], "soebench": ["3", "7", "9"], None: list("AB")}


def synthetic_rows(random):
    rows = []
    for number in range(110):
        task = list(TASKS)[[0, 1, 2, 3, 0, 1, 2, 3, 3, 0, 4][number % 11]]
        answers = TASKS[task]
        expected = None if random.random() < 0.1 else answers[number % len(answers)]
        shown_mixed = task != "soebench" or number % 2 == 0
        skill = random.beta(4, 2)
        favourite = str(random.choice(answers))
        silence = 0.9 if random.random() < 0.06 else 0.04
        base = {"run": "golden", "item_id": f"item-{number:03}", "group_id": f"group-{number // 2:03}", "task": task,
                "control": "none", "expected": expected}

        def row(presentation, look, ease):
            font, dpi, color = look if look else (None, None, None)
            variant = "none" if look is None else f"{font}-{dpi}" + ("" if color == "black" else f"-{color}")
            failed = random.random() < 0.03
            unparsed = random.random() < silence
            right = random.random() < skill * ease
            answer = (expected if right and expected else favourite if random.random() < 0.7 else str(random.choice(answers)))
            answer = None if failed or unparsed or presentation == "ocr" else answer
            correct = None if failed or expected is None or presentation == "ocr" else answer == expected
            counted = not failed and task != "arc"
            text_tokens = int(random.integers(40, 160)) if look is None else int(random.integers(10, 30))
            cer = None
            if presentation == "ocr" and not failed:
                cer = 0.0 if random.random() < 0.3 + dpi / 400 else float(random.integers(1, 40)) / float(random.integers(41, 97))
            return {**base, "presentation": presentation, "variant": variant, "font": font, "dpi": dpi, "color": color,
                    "text_tokens": text_tokens if counted else None,
                    "vision_tokens": None if not counted else 0 if look is None else dpi * 2 + int(random.integers(0, 9)),
                    "answer": answer, "correct": correct, "cer": cer,
                    "parse_status": None if failed or presentation == "ocr" else "unparsed" if answer is None else "parsed",
                    "status": "error" if failed else "ok"}

        looks = [(font, dpi, "black") for font, dpi in LOOKS] + [("dejavu-sans", 200, COLORS[number % 4])]
        rows.append(row("text", None, 1.0))
        for look in looks:
            ease = 0.5 + look[1] / 500
            rows.append(row("ocr", look, 1.0))
            rows.append(row("image", look, ease))
            if shown_mixed:
                rows.append(row("mixed", look, 0.5 + ease / 2))
        rows.append(row("ocr-first", looks[2], 0.9))
        rows.append(row("ocr-first", looks[4], 0.8))
    # Rows go missing until 2,000 are left; they stay in random order.
    order = random.permutation(len(rows))
    return [rows[at] for at in order[:ROWS]]


def synthetic_embeddings(random, rows):
    """Whole sixteenths, so that products are exact and equal vectors are equally alike."""
    items = sorted({row["item_id"] for row in rows})[:40]
    vectors = {}
    for depth, noise in [("input", 24), ("output", 6)]:
        for at, item in enumerate(items):
            text = random.integers(-16, 17, 8)
            # Every ninth text is that of the item before: neither can be told from the other.
            vectors[item, "text", "none", depth] = vectors[items[at - 1], "text", "none", depth] if at % 9 == 8 else text / 16
            text = vectors[item, "text", "none", depth]
            for variant in sorted({row["variant"] for row in rows if row["item_id"] == item and row["presentation"] == "image"}):
                vectors[item, "image", variant, depth] = (text * 16 + random.integers(-noise, noise + 1, 8)) / 16
    vectors.pop((items[7], "text", "none", "output"))
    return vectors


# From here on: the definitions.


def mean(values):
    values = list(values)
    return float(np.mean(values)) if values else None


class Data:
    def __init__(self, rows):
        self.rows = rows
        self.by_key = {(row["item_id"], row["presentation"], row["variant"]): row for row in rows}
        assert len(self.by_key) == len(rows)
        self.items = sorted({row["item_id"] for row in rows})
        self.of_item = defaultdict(list)
        for row in rows:
            self.of_item[row["item_id"]].append(row)

    def get(self, item, presentation, variant):
        return self.by_key.get((item, presentation, variant))

    def variants(self, item):
        return sorted({row["variant"] for row in self.of_item[item] if row["presentation"] != "text"})

    def comparisons(self):
        """Complete comparisons, and the incomplete ones with their reason."""
        complete, incomplete = [], []
        for item in self.items:
            mixed = any(row["presentation"] == "mixed" for row in self.of_item[item])
            for variant in self.variants(item):
                shown = [row for row in self.of_item[item] if row["variant"] == variant][0]
                transcription = self.get(item, "ocr", variant)
                cer = transcription["cer"] if transcription and transcription["status"] == "ok" else None
                one = {"item": item, "group": shown["group_id"], "task": shown["task"] or "none", "variant": variant,
                       "font": shown["font"], "dpi": shown["dpi"], "color": shown["color"], "cer": cer, "rows": {}}
                reason = None
                for modality in MODALITIES[: 3 if mixed else 2]:
                    row = self.get(item, modality, "none" if modality == "text" else variant)
                    if row is None or row["status"] != "ok":
                        reason = reason or (modality, "missing" if row is None else "failed")
                    else:
                        one["rows"][modality] = row
                (incomplete if reason else complete).append({**one, "reason": reason})
        return complete, incomplete


def agree(rows, unparsed_agree):
    answers = [row["answer"] for row in rows]
    if None in answers:
        return unparsed_agree and all(answer is None for answer in answers)
    return len(set(answers)) == 1


def scored(comparison):
    return all(row["correct"] is not None for row in comparison["rows"].values())


def metrics(complete, incomplete, unparsed_agree):
    known = [one for one in complete if scored(one)]
    rights = [[row["correct"] for row in one["rows"].values()] for one in known]
    covered = [right for right in rights if any(right)]
    return {
        "comparisons": len(complete), "incomplete": len(incomplete), "scored": len(known), "covered": len(covered),
        "rer": mean(agree(one["rows"].values(), unparsed_agree) for one in complete),
        "mmc": len(covered) / len(known) if known else None,
        "all_right": mean(all(right) for right in rights),
        "cfr": mean(not all(right) for right in covered),
        "accuracy": {modality: mean(one["rows"][modality]["correct"] for one in known if modality in one["rows"])
                     for modality in MODALITIES},
        "unparsed": {modality: mean(one["rows"][modality]["answer"] is None for one in complete if modality in one["rows"])
                     for modality in MODALITIES},
    }


def macro_mean(by_task):
    def over_tasks(*path):
        values = []
        for task in by_task.values():
            for step in path:
                task = task[step]
            values.append(task)
        return mean(value for value in values if value is not None)

    return {
        **{name: over_tasks(name) for name in ["rer", "mmc", "all_right", "cfr"]},
        **{name: {modality: over_tasks(name, modality) for modality in MODALITIES} for name in ["accuracy", "unparsed"]},
    }


def modality_test(complete, first, second):
    pairs = defaultdict(list)
    for one in complete:
        if scored(one) and first in one["rows"] and second in one["rows"]:
            pairs[one["item"]].append([one["rows"][modality]["correct"] for modality in (first, second)])
    means = np.array([np.mean(np.array(pair, dtype=float), axis=0) for pair in pairs.values()])
    found = stats.ttest_rel(means[:, 0], means[:, 1])
    return {"first": first, "second": second, "items": len(means), "difference": float((means[:, 0] - means[:, 1]).mean()),
            "t": float(found.statistic), "degrees_of_freedom": int(found.df), "p_value": float(found.pvalue)}


def subset(complete, incomplete, unparsed_agree):
    def split(key):
        names = sorted({one[key] for one in complete + incomplete})
        part = lambda of, name: [one for one in of if one[key] == name]
        return {name: metrics(part(complete, name), part(incomplete, name), unparsed_agree) for name in names}

    by_task = split("task")
    return {
        "pooled": metrics(complete, incomplete, unparsed_agree), "macro_mean": macro_mean(by_task), "by_task": by_task,
        "by_variant": split("variant"),
        "tests": [modality_test(complete, *pair) for pair in [("text", "image"), ("text", "mixed"), ("image", "mixed")]],
    }


def transcription(rows):
    made = [row for row in rows if row["status"] == "ok"]
    return {"transcriptions": len(made), "failed": len(rows) - len(made), "cer": mean(row["cer"] for row in made),
            "perfect": mean(row["cer"] == 0 for row in made)}


def measures(comparison, unparsed_agree):
    known = scored(comparison)
    return {"accuracy": float(comparison["rows"]["image"]["correct"]) if known else None, "cer": comparison["cer"],
            "rer": float(agree(comparison["rows"].values(), unparsed_agree))}


def effects(complete, unparsed_agree):
    black = [one for one in complete if one["color"] == "black"]
    colored = [one for one in complete if one["color"] != "black"]
    looks = {(one["item"], one["font"], one["dpi"]) for one in colored}
    partners = [one for one in black if (one["item"], one["font"], one["dpi"]) in looks]
    factors = [
        ("dpi", 200, {dpi: [one for one in black if one["dpi"] == dpi] for dpi in sorted({one["dpi"] for one in black})}),
        ("font", "dejavu-sans", {font: [one for one in black if one["font"] == font]
                                 for font in sorted({one["font"] for one in black})}),
        ("color", "black", {"black": partners, "colored": colored,
                            **{color: [one for one in colored if one["color"] == color] for color in sorted(COLORS)}}),
    ]
    found = []
    for factor, reference, levels in factors:
        for level, comparisons in levels.items():
            row = {"factor": factor, "level": str(level), "reference": level == reference, "comparisons": len(comparisons),
                   "at_level": {}, "difference": None if level == reference else {}}
            for name in ["accuracy", "cer", "rer"]:
                def by_item(of):
                    values = defaultdict(list)
                    for one in of:
                        value = measures(one, unparsed_agree)[name]
                        if value is not None:
                            values[one["item"]].append(value)
                    return {item: np.mean(value) for item, value in values.items()}

                values = [measures(one, unparsed_agree)[name] for one in comparisons]
                row["at_level"][name] = mean(value for value in values if value is not None)
                if level != reference:
                    at_level, at_reference = by_item(comparisons), by_item(levels[reference])
                    row["difference"][name] = mean(at_level[item] - at_reference[item] for item in at_level if item in at_reference)
            found.append(row)
    return found


def ocr_first(data):
    known = lambda row: row is not None and row["status"] == "ok" and row["correct"] is not None
    rows = [row for row in data.rows if row["presentation"] == "ocr-first"]

    def change(other):
        differences = defaultdict(list)
        for row in rows:
            partner = other(row)
            if known(row) and known(partner):
                differences[row["item_id"]].append(float(row["correct"]) - float(partner["correct"]))
        return mean(np.mean(value) for value in differences.values())

    return {
        "scored": sum(map(known, rows)), "failed": sum(row["status"] != "ok" for row in rows),
        "accuracy": mean(row["correct"] for row in rows if known(row)),
        "against_image": change(lambda row: data.get(row["item_id"], "image", row["variant"])),
        "against_text": change(lambda row: data.get(row["item_id"], "text", "none")),
    }


def variant_agreement(data, unparsed_agree):
    alike = []
    for item in data.items:
        images = [data.get(item, "image", variant) for variant in data.variants(item)]
        if len(images) >= 2 and all(image is not None and image["status"] == "ok" for image in images):
            alike.append(agree(images, unparsed_agree))
    return {"items": len(alike), "share": mean(alike)}


def token_sums(one):
    """Text tokens and right, vision tokens, all tokens and right of the image; or None where they are not known."""
    text, image = one["rows"]["text"], one["rows"]["image"]
    if None in (text["text_tokens"], image["vision_tokens"], image["text_tokens"]):
        return None
    return text["text_tokens"], image["vision_tokens"], image["text_tokens"], scored(one), text["correct"], image["correct"]


def tokens(complete):
    counted = [sums for sums in map(token_sums, complete) if sums]
    known = [sums for sums in counted if sums[3]]
    right_text, right_image = sum(sums[4] for sums in known), sum(sums[5] for sums in known)
    text, vision = sum(sums[0] for sums in known), sum(sums[1] for sums in known)
    image = vision + sum(sums[2] for sums in known)
    per = lambda total, right: total / right if right else None
    over = lambda one, other: None if one is None or other is None else one / other
    return {
        "comparisons": len(counted), "text_prompt": mean(sums[0] for sums in counted),
        "image_prompt_vision": mean(sums[1] for sums in counted), "image_prompt_text": mean(sums[2] for sums in counted),
        "text_per_right": per(text, right_text), "vision_per_right": per(vision, right_image),
        "image_per_right": per(image, right_image),
        "vision_ratio": over(per(vision, right_image), per(text, right_text)),
        "image_ratio": over(per(image, right_image), per(text, right_text)),
    }


def representations(vectors):
    found = []
    for depth in ["input", "output"]:
        cosines, forwards, backwards = [], [], []
        for variant in sorted({key[2] for key in vectors if key[1] == "image" and key[3] == depth}):
            items = sorted(key[0] for key in vectors if key[1:] == ("image", variant, depth))
            items = [item for item in items if (item, "text", "none", depth) in vectors]
            image = np.array([vectors[item, "image", variant, depth] for item in items])
            text = np.array([vectors[item, "text", "none", depth] for item in items])
            norms = np.linalg.norm(image, axis=1)[:, None] * np.linalg.norm(text, axis=1)[None, :]
            similar = image @ text.T / (norms + 1e-7)
            own = np.diag(similar)
            cosines.extend(own)
            others = similar.copy()
            np.fill_diagonal(others, -np.inf)
            forwards.append((own > others.max(axis=1)).mean())
            backwards.append((own > others.max(axis=0)).mean())
        found.append({"depth": depth, "pairs": len(cosines), "cosine": mean(cosines), "image_to_text": mean(forwards),
                      "text_to_image": mean(backwards), "retrieval": mean(forwards + backwards)})
    return found


def intervals(complete, random, resamples=4000):
    """Percentile bootstrap by group, of figures whose numerator and denominator vary together."""
    members = defaultdict(list)
    for one in complete:
        members[one["group"]].append(one)
    groups = sorted(members)

    def ratio(parts):
        """The interval of a quotient of sums, from (numerator, denominator) of a comparison."""
        sums = np.array([np.sum([parts(one) for one in members[group]], axis=0) for group in groups], dtype=float)
        drawn = random.integers(0, len(groups), (resamples, len(groups)))
        totals = sums[drawn].sum(axis=1)
        return np.quantile(totals[:, 0] / totals[:, 1], [0.025, 0.975]).tolist()

    rights = lambda one: [row["correct"] for row in one["rows"].values()] if scored(one) else []
    return {
        "rer": ratio(lambda one: (agree(one["rows"].values(), False), 1)),
        "mmc": ratio(lambda one: (any(rights(one)), scored(one))),
        "cfr": ratio(lambda one: (any(rights(one)) and not all(rights(one)), any(rights(one)))),
        "vision_per_right": ratio(lambda one: (s[1] * s[3], bool(s[5]) * s[3]) if (s := token_sums(one)) else (0, 0)),
    }


def consistency(random, folder):
    rows = synthetic_rows(random)
    vectors = synthetic_embeddings(random, rows)
    write_run(folder / "consistency", rows, vectors)
    data = Data(rows)
    complete, incomplete = data.comparisons()
    reasons = defaultdict(int)
    for one in incomplete:
        reasons["-".join(one["reason"])] += 1
    gated = lambda of: [one for one in of if one["cer"] == 0]
    ocr = [row for row in rows if row["presentation"] == "ocr"]
    of_variant = lambda of, variant: [one for one in of if one["variant"] == variant]
    # Complete comparisons without token counts (imported answers) have no row.
    counted = lambda variant: any(token_sums(one) for one in of_variant(complete, variant))
    variants = sorted({one["variant"] for one in complete})
    sections = lambda unparsed_agree: {
        "all": subset(complete, incomplete, unparsed_agree), "ocr_correct": subset(gated(complete), gated(incomplete), unparsed_agree),
        "effects": effects(complete, unparsed_agree), "variant_agreement": variant_agreement(data, unparsed_agree),
    }
    return {
        "items": sum(bool(data.variants(item)) for item in data.items),
        "without_mixed": sum("mixed" not in one["rows"] for one in complete), "incomplete": reasons,
        "disagree": sections(False), "agree": sections(True),
        "ocr": {"all": transcription(ocr),
                **{variant: transcription(of_variant(ocr, variant)) for variant in sorted({row["variant"] for row in ocr})}},
        "ocr_first": ocr_first(data),
        "tokens": {"all": tokens(complete), **{variant: tokens(of_variant(complete, variant)) for variant in filter(counted, variants)}},
        "representations": representations(vectors), "intervals": intervals(complete, random),
    }


def write_run(folder, rows, vectors):
    integers, texts = pa.int32(), pa.string()
    schema = pa.schema([
        *((name, texts) for name in ["run", "item_id", "group_id", "presentation", "variant", "control", "task", "font"]),
        ("dpi", integers), ("color", texts), ("text_tokens", integers), ("vision_tokens", integers), ("expected", texts),
        ("answer", texts), ("parse_status", texts), ("correct", pa.bool_()), ("cer", pa.float64()), ("status", texts),
    ])
    write(folder, "outcomes", pa.Table.from_pylist(rows, schema=schema))
    groups = {row["item_id"]: row["group_id"] for row in rows}
    schema = pa.schema([
        *((name, texts) for name in ["run", "item_id", "group_id", "presentation", "variant", "control", "depth"]),
        ("mean_image", pa.list_(pa.float32())), ("mean_text", pa.list_(pa.float32())),
    ])
    rows = [{"run": "golden", "item_id": item, "group_id": groups[item], "presentation": presentation, "variant": variant,
             "control": "none", "depth": depth, "mean_text": vector if presentation == "text" else -vector,
             "mean_image": vector if presentation == "image" else None}
            for (item, presentation, variant, depth), vector in vectors.items()]
    write(folder, "embeddings", pa.Table.from_pylist(rows, schema=schema))


def write(folder, name, table):
    folder = folder / f"tables/table={name}/model=golden/suite=rest"
    folder.mkdir(parents=True, exist_ok=True)
    half = len(table) // 2
    for number, part in enumerate([table.slice(0, half), table.slice(half)]):
        pq.write_table(part, folder / f"part-{number:05}.parquet", compression="zstd")


def student_t(random):
    cases = [{"t": float(t), "degrees_of_freedom": df, "p_value": float(2 * stats.t.sf(abs(t), df))}
             for df in [1, 2, 5, 30, 149, 14_041] for t in np.round(random.normal(0, 3, 5), 3)]
    tests = []
    for count, levels in [(5, 2), (40, 2), (150, 11), (2000, 11)]:
        first, second = (random.integers(0, levels, count) / (levels - 1) for _ in range(2))
        found = stats.ttest_rel(first, second)
        tests.append({"differences": (first - second).tolist(), "t": float(found.statistic), "p_value": float(found.pvalue)})
    return {"distribution": cases, "tests": tests}


def pearson(random):
    cases = []
    for count, noise in [(3, 0.4), (5, 0.1), (15, 0.5), (100, 3.0)]:
        x = random.random(count)
        y = 0.2 + x + noise * random.normal(size=count)
        found = stats.pearsonr(x, y)
        cases.append({"x": x.tolist(), "y": y.tolist(), "r": float(found.statistic), "p_value": float(found.pvalue)})
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("tests/golden/analysis"), help="folder of the JSON files and the run")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for seed, (name, make) in enumerate({
        "consistency": lambda random: consistency(random, out), "student_t": student_t, "pearson": pearson,
    }.items(), start=10):
        values = make(np.random.default_rng(seed))
        (out / f"{name}.json").write_text(json.dumps(values, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
