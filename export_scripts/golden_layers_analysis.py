"""Golden values for the analysis of layers, by numpy alone: a synthetic run with its tables, and what its figures must be.

The suite `conflicts` has 648 conflict cases and 144 cases of controls over 12 layers (arXiv 2511.02243), with ties, cases at
the very edge of a region, and what a real run has: failed cases, cases without rows, layers without a class or a difference,
rows of other presentations. The suite `pairs` has 56 items as text and in two renderings, with mean tokens at five depths
(arXiv 2512.08923). Run it again after a change of definition:

    python export_scripts/golden_layers_analysis.py --out tests/golden/analysis

Needs numpy, and pyarrow to write the tables. The same versions write the same bytes.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GROUPS, DV, DT, LAYERS = 72, 3, 3, 12
WIDTH, MIN_CELL_CASES, BIN_WIDTH = 0.5, 5, 0.25
RESAMPLES = 4000
ITEMS, RENDERINGS, DEPTHS, DIMENSIONS = 56, ["dejavu-50", "dejavu-200"], ["input", "layer-01", "layer-02", "layer-03", "output"], 8
MATRIX = 48


def walk(random, dh_rel, calm):
    """Classes and differences of one case: a lean that settles, with noise that is larger near the balance."""
    noise = 0.5 if calm else 2.0 * np.exp(-abs(dh_rel + 0.25))
    lean = np.linspace(0, -2.5 * (dh_rel + 0.25), LAYERS) + random.normal(0, noise, LAYERS)
    irrelevant = random.random(LAYERS) < np.linspace(0.8, 0.05, LAYERS)
    classes = [None if random.random() < 0.01 else "other" if other else "text" if value > 0 else "vision"
               for value, other in zip(lean, irrelevant)]
    differences = [None if random.random() < 0.02 else round(float(value), 4) for value in lean]
    return classes, differences


def conflicts(random):
    """Rows of `following` and of `layers`."""
    cases, layers = [], []
    for group in range(GROUPS):
        tilt = random.normal(0, 0.5)
        for dv in range(DV):
            for dt in range(DT):
                controls = ["none"] + (["text-irrelevant", "image-irrelevant"] if (dv, dt) == (group % DV, 0) else [])
                for control in controls:
                    suffix = "" if control == "none" else f"-{control}"
                    item = f"g{group:02}-dv{dv}-dt{dt}{suffix}"
                    dh_rel = float(np.clip(np.round((random.normal(0.3 * dt - 0.2 * dv + tilt, 0.6)) * 16) / 16, -2, 2))
                    text = random.random() < 1 / (1 + np.exp(3 * (dh_rel + 0.25)))
                    follows = "other" if random.random() < 0.06 else "text" if text else "vision"
                    failed = random.random() < 0.02
                    missing = random.random() < 0.03
                    cases.append({
                        "run": "golden", "item_id": item, "group_id": f"g{group:02}", "presentation": "conflict",
                        "variant": "none", "control": control, "dv": dv, "dt": dt, "expected_vision": "red",
                        "expected_text": "blue", "y_vision": "red", "y_text": "blue",
                        "y_conflict": {"text": "blue", "vision": "red", "other": "green"}[follows], "h_vision": 0.5, "h_text": 0.5,
                        "dh_rel": None if random.random() < 0.03 else dh_rel, "follows": None if failed else follows,
                        "analysed": control == "none" and not failed and random.random() < 0.9,
                        "status": "error" if failed else "ok",
                    })
                    if failed or missing:
                        continue
                    classes, differences = walk(random, dh_rel, control != "none")
                    if random.random() < 0.015:
                        classes = [None] * LAYERS
                    for layer, (class_, difference) in enumerate(zip(classes, differences), start=1):
                        layers.append(layer_row(item, f"g{group:02}", "conflict", control, layer, class_, difference))
        # The unimodal prompts are probed, too; they have no class.
        for layer in range(1, LAYERS + 1):
            layers.append(layer_row(f"g{group:02}-dt0", f"g{group:02}", "text-only", "none", layer, None, None))
    return cases, layers


def layer_row(item, group, presentation, control, layer, class_, difference):
    word = {"vision": " red", "text": " blue", "other": " the", None: " <b>"}[class_]
    return {"run": "golden", "item_id": item, "group_id": group, "presentation": presentation, "variant": "none",
            "control": control, "layer": layer, "top1_id": len(word), "top1_text": word, "top1_logit": 1.5,
            "top1_option": {"vision": "red", "text": "blue"}.get(class_), "option_logits": [0.5, 0.25],
            "class": class_, "logit_difference": difference}


def falling(x, y):
    """Pool adjacent violators: the falling fit at each distinct x."""
    blocks = []
    for at in np.unique(x):
        blocks.append([y[x == at].sum(), (x == at).sum(), [at]])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] < blocks[-1][0] / blocks[-1][1]:
            total, weight, where = blocks.pop()
            blocks[-1] = [blocks[-1][0] + total, blocks[-1][1] + weight, blocks[-1][2] + where]
    return np.array([[at, total / weight] for total, weight, where in blocks for at in where]).T


def balance_point(x, y):
    at, fitted = falling(x, y)
    level = np.isclose(fitted, 0.5, atol=1e-12)
    if level.any():
        return float((at[level].min() + at[level].max()) / 2)
    return float((at[fitted > 0.5].max() + at[fitted < 0.5].min()) / 2)


def switches(classes):
    """None where no class is known."""
    if all(one is None for one in classes):
        return None
    signs = np.array([{"vision": -1, "text": 1}[one] for one in classes if one in ("vision", "text")])
    return int((np.diff(signs) != 0).sum())


def interval(random, groups, statistic):
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    drawn = [statistic(np.concatenate([members[g] for g in random.integers(0, len(members), len(members))]))
             for _ in range(RESAMPLES)]
    return np.quantile(drawn, [0.025, 0.975]).tolist()


def layer_figures(cases, layers, random):
    of_case = {}
    for row in layers:
        if row["presentation"] == "conflict":
            of_case.setdefault((row["item_id"], row["control"]), {})[row["layer"]] = row
    ran = [case for case in cases if case["status"] == "ok"]
    analysed = [case for case in ran if case["analysed"]]
    decided = [case for case in analysed if case["follows"] in ("text", "vision") and case["dh_rel"] is not None]
    point = balance_point(np.array([case["dh_rel"] for case in decided]),
                          np.array([case["follows"] == "text" for case in decided], float))
    key = lambda case: (case["item_id"], case["control"])
    probed = [case for case in analysed if key(case) in of_case]
    placed = [case for case in probed if case["dh_rel"] is not None]
    near = lambda case: abs(case["dh_rel"] - point) <= WIDTH
    sets = {"conflict": probed, "ambiguous": [case for case in placed if near(case)],
            "clear": [case for case in placed if not near(case)]}
    for control in ["image-irrelevant", "text-irrelevant"]:
        sets[control] = [case for case in ran if case["control"] == control and key(case) in of_case]
    edge = sum(abs(case["dh_rel"] - point) == WIDTH for case in placed)
    assert edge > 0, "no case lies at the very edge of the region: choose another seed"

    classes = lambda case: [row["class"] for _, row in sorted(of_case[key(case)].items())]
    figures, counted = [], {}
    for name, members in sets.items():
        known = [(case, switches(classes(case))) for case in members]
        known = [(case, count) for case, count in known if count is not None]
        groups = np.array([case["group_id"] for case, _ in known])
        counts = np.array([count for _, count in known], float)
        counted[name] = (groups, counts)
        figures.append({
            "name": name, "cases": len(known), "oscillations": float(counts.mean()),
            "interval": interval(random, groups, lambda drawn, counts=counts: counts[drawn].mean()),
            "classes": [[sum(classes(case)[layer] == one for case in members) for one in ("vision", "text", "other")]
                        for layer in range(LAYERS)],
        })
    groups = np.concatenate([counted["ambiguous"][0], counted["clear"][0]])
    counts = np.concatenate([counted["ambiguous"][1], counted["clear"][1]])
    ambiguous = np.arange(len(groups)) < len(counted["ambiguous"][0])
    difference = lambda drawn: counts[drawn][ambiguous[drawn]].mean() - counts[drawn][~ambiguous[drawn]].mean()

    edges = np.arange(-2, 2 + BIN_WIDTH / 2, BIN_WIDTH)
    heat_map = []
    for layer in range(1, LAYERS + 1):
        for bin_ in range(len(edges) - 1):
            last = bin_ == len(edges) - 2
            inside = [case for case in placed
                      if edges[bin_] <= case["dh_rel"] and (case["dh_rel"] < edges[bin_ + 1] or last)]
            values = [of_case[key(case)][layer]["logit_difference"] for case in inside]
            values = np.array([value for value in values if value is not None])
            heat_map.append({"layer": layer, "low": float(edges[bin_]), "cases": len(values),
                             "logit_difference": float(values.mean()) if len(values) >= MIN_CELL_CASES else None})
    return {"balance_point": point, "analysed": len(analysed), "probed": len(probed), "unplaced": len(probed) - len(placed),
            "sets": figures, "difference": float(difference(np.arange(len(groups)))),
            "difference_interval": interval(random, groups, difference), "heat_map": heat_map}


def mean_tokens(random):
    """Mean text and image tokens by depth: alike in the middle, on a grid so that there are ties."""
    vectors = {}
    for depth, noise in zip(DEPTHS, [40, 14, 5, 9, 20]):
        text = random.integers(-16, 17, (ITEMS, DIMENSIONS))
        text[7] = text[6]
        vectors[depth] = {"text": text / 16, **{name: (text + random.integers(-noise, noise + 1, text.shape)) / 16
                                                for name in RENDERINGS}}
    return vectors


def similarities(image, text):
    norms = np.linalg.norm(image, axis=1)[:, None] * np.linalg.norm(text, axis=1)[None]
    return image @ text.T / (norms + 1e-7)


def found(matrix):
    """Share of rows whose own column is strictly the largest."""
    others = np.where(np.eye(len(matrix), dtype=bool), -np.inf, matrix).max(axis=1)
    return float((np.diag(matrix) > others).mean())


def representation_figures(vectors, random):
    rows = []
    groups = np.arange(ITEMS)
    for depth in DEPTHS:
        matrices = [similarities(vectors[depth][name], vectors[depth]["text"]) for name in RENDERINGS]
        cosines = np.stack([np.diag(matrix) for matrix in matrices], axis=1)
        forwards, backwards = np.mean([found(m) for m in matrices]), np.mean([found(m.T) for m in matrices])
        rows.append({"depth": depth, "pairs": ITEMS * len(RENDERINGS), "cosine": float(cosines.mean()),
                     "interval": interval(random, groups, lambda drawn, cosines=cosines: cosines[drawn].mean()),
                     "image_to_text": float(forwards), "text_to_image": float(backwards),
                     "retrieval": float((forwards + backwards) / 2)})
    best = max(rows, key=lambda row: row["retrieval"])["depth"]
    shown = [(2 * place + 1) * ITEMS // (2 * MATRIX) for place in range(MATRIX)]
    variant = sorted(RENDERINGS)[0]
    matrix = similarities(vectors[best][variant][shown], vectors[best]["text"][shown])
    return {"depths": rows, "best_retrieval": best, "best_cosine": max(rows, key=lambda row: row["cosine"])["depth"],
            "matrix": {"depth": best, "variant": variant, "items": [f"item-{at:02}" for at in shown],
                       "similarities": matrix.tolist()}}


def write(folder, table, suite, rows, schema, random):
    folder = folder / f"layers/tables/table={table}/model=golden/suite={suite}"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [rows[at] for at in random.permutation(len(rows))]
    half = len(rows) // 2
    for number, part in enumerate([rows[:half], rows[half:]]):
        pq.write_table(pa.Table.from_pylist(part, schema=schema), folder / f"part-{number:05}.parquet", compression="zstd")


def write_conflicts(folder, cases, layers, random):
    texts, whole, real = pa.string(), pa.int32(), pa.float64()
    key = [(name, texts) for name in ["run", "item_id", "group_id", "presentation", "variant", "control"]]
    write(folder, "following", "conflicts", cases, pa.schema([
        *key, ("dv", whole), ("dt", whole), *((name, texts) for name in
        ["expected_vision", "expected_text", "y_vision", "y_text", "y_conflict"]), ("h_vision", real), ("h_text", real),
        ("dh_rel", real), ("follows", texts), ("analysed", pa.bool_()), ("status", texts)]), random)
    write(folder, "layers", "conflicts", layers, pa.schema([
        *key, ("layer", whole), ("top1_id", whole), ("top1_text", texts), ("top1_logit", real), ("top1_option", texts),
        ("option_logits", pa.list_(pa.float32())), ("class", texts), ("logit_difference", real)]), random)
    outcomes = [{**case, "entropy": 0.5, "correct": None} for case in cases]
    write(folder, "outcomes", "conflicts", outcomes, pa.schema([
        *key, ("dv", whole), ("dt", whole), ("entropy", real), ("correct", pa.bool_()), ("status", texts)]), random)


def write_pairs(folder, vectors, random):
    texts, whole = pa.string(), pa.int32()
    key = [(name, texts) for name in ["run", "item_id", "group_id", "presentation", "variant", "control"]]
    shown = [("text", "none"), *(("image", name) for name in RENDERINGS)]
    row = lambda item, presentation, variant: {
        "run": "golden", "item_id": f"item-{item:02}", "group_id": f"item-{item:02}", "presentation": presentation,
        "variant": variant, "control": "none"}
    outcomes = [{**row(item, *how), "expected": "B", "answer": "B", "correct": True, "status": "ok"}
                for item in range(ITEMS) for how in shown]
    write(folder, "outcomes", "pairs", outcomes, pa.schema([
        *key, ("font", texts), ("dpi", whole), ("color", texts), ("text_tokens", whole), ("vision_tokens", whole), ("expected", texts),
        ("answer", texts), ("correct", pa.bool_()), ("cer", pa.float64()), ("status", texts)]), random)
    embeddings = []
    for depth in DEPTHS:
        for item in range(ITEMS):
            for presentation, variant in shown:
                of = vectors[depth]["text" if presentation == "text" else variant][item].tolist()
                embeddings.append({**row(item, presentation, variant), "depth": depth,
                                   "mean_text": of if presentation == "text" else None,
                                   "mean_image": of if presentation == "image" else None})
    numbers = pa.list_(pa.float32())
    write(folder, "embeddings", "pairs", embeddings, pa.schema([
        *key, ("depth", texts), ("mean_image", numbers), ("mean_text", numbers)]), random)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("tests/golden/analysis"), help="folder of the JSON file and the run")
    out = parser.parse_args().out
    random = np.random.default_rng(34)
    cases, layers = conflicts(random)
    vectors = mean_tokens(random)
    write_conflicts(out, cases, layers, random)
    write_pairs(out, vectors, random)
    figures = {"conflicts": layer_figures(cases, layers, random), "pairs": representation_figures(vectors, random)}
    (out / "layers.json").write_text(json.dumps(figures, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
