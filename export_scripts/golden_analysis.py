"""Golden values for the statistics of `src/analysis`, from implementations that share no code with it.

scikit-learn gives the isotonic and the logistic fits, scipy Spearman's rho, numpy the counts, bins, bootstrap and
permutations, on synthetic conflict cases with ties, missing values and answers that follow neither modality
(arXiv 2511.02243 defines the figures). Run it again after a change of definition:

    python export_scripts/golden_analysis.py --out tests/golden/analysis

Needs numpy, scipy and scikit-learn. The same versions write the same bytes.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

BIN_WIDTH = 0.25
MIN_BIN_CASES = 10


def isotonic(x, y, weight=None):
    """The decreasing fit at each distinct x."""
    model = IsotonicRegression(increasing=False).fit(x, y, sample_weight=weight)
    distinct = np.unique(x)
    return distinct, model.predict(distinct)


def crossing(x, fitted):
    """Middle of the gap in which the fit passes one half, of the level stretch where it is one half, or None."""
    level = np.isclose(fitted, 0.5, atol=1e-12)
    if level.any():
        return float((x[level].min() + x[level].max()) / 2)
    above = fitted > 0.5
    if above.all() or not above.any():
        return None
    return float((x[above].max() + x[~above].min()) / 2)


def logistic(x, y):
    model = LogisticRegression(C=np.inf, tol=1e-13, max_iter=10_000, solver="newton-cholesky")
    model.fit(np.asarray(x)[:, None], y)
    return float(model.intercept_[0]), float(model.coef_[0, 0])


def share_distance(shares, weights):
    fitted = IsotonicRegression(increasing=False).fit_transform(np.arange(len(shares)), shares, sample_weight=weights)
    return float(np.average(np.abs(shares - fitted), weights=weights))


def isotonic_cases(random):
    cases = []
    for count, positions in [(30, 40), (200, 25), (60, 4)]:
        x = np.sort(random.integers(0, positions, count) / 8 - 2)
        y = np.round(np.clip(0.5 - 0.3 * x + random.normal(0, 0.4, count), -1, 2), 3)
        weight = random.integers(1, 6, count)
        distinct, fitted = isotonic(x, y, weight)
        cases.append({
            "x": x.tolist(), "y": y.tolist(), "weight": weight.tolist(),
            "at": distinct.tolist(), "fitted": fitted.tolist(), "crossing": crossing(distinct, fitted),
        })
    return cases


def logistic_cases(random):
    cases = []
    for count, intercept, slope in [(40, 0.2, -1.0), (500, -0.9, -2.5), (300, 2.5, 0.4), (120, 0.0, -9.0)]:
        x = np.round(random.uniform(-2, 2, count), 2)
        y = random.random(count) < 1 / (1 + np.exp(-(intercept + slope * x)))
        found = logistic(x, y)
        cases.append({"x": x.tolist(), "positive": y.tolist(), "intercept": found[0], "slope": found[1]})
    return cases


def spearman_cases(random):
    cases = []
    for count, levels in [(12, 30), (150, 9), (80, 2)]:
        x = random.integers(0, 30, count)
        y = (x + random.integers(-15, 15, count)) * levels // 60
        cases.append({"x": x.tolist(), "y": y.tolist(), "rho": float(spearmanr(x, y).statistic)})
    return cases


def permutation_cases(random):
    cases = []
    for cases_per_bin, labelled in [
        ([20, 30, 25, 40], [13, 15, 14, 19]),
        ([20, 20, 20], [9, 12, 10]),
        ([50, 22, 31, 28, 64], [40, 17, 20, 19, 30]),
    ]:
        sizes = np.array(cases_per_bin)
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        labels = np.concatenate([np.arange(n) < k for n, k in zip(cases_per_bin, labelled)]).astype(int)
        observed = share_distance(np.array(labelled) / sizes, sizes)
        shuffles = 4000
        as_small = sum(
            share_distance(np.add.reduceat(random.permutation(labels), starts) / sizes, sizes) <= observed + 1e-12
            for _ in range(shuffles)
        )
        cases.append({
            "cases": cases_per_bin, "labelled": labelled, "distance": observed,
            "p_value": (1 + as_small) / (1 + shuffles),
        })
    return cases


def conflict_rows(random, groups=60, cases_per_group=8):
    """Columns of a table of conflict cases; the law is a logistic curve with a balance point near -0.35."""
    rows = {name: [] for name in
            ["item_id", "group_id", "dv", "dt", "h_vision", "h_text", "dh_rel", "follows", "analysed", "status"]}
    for group in range(groups):
        lean = random.normal(0, 0.8)
        for case in range(cases_per_group):
            h_vision, h_text = np.round(random.gamma(1.2, 0.6, 2), 1)
            if random.random() < 0.04:
                h_vision = h_text = 0.0
            total = h_vision + h_text
            dh_rel = None if total == 0 else round(float(2 * (h_text - h_vision) / total), 6)
            log_odds = -0.7 - 2.0 * (dh_rel or 0.0) + lean
            follows = "text" if random.random() < 1 / (1 + np.exp(-log_odds)) else "vision"
            if random.random() < 0.08:
                follows = "other"
            failed = random.random() < 0.03
            for name, value in {
                "item_id": f"g{group:02}-c{case}", "group_id": f"g{group:02}", "dv": int(random.integers(0, 4)),
                "dt": int(random.integers(0, 3)), "h_vision": float(h_vision), "h_text": float(h_text),
                "dh_rel": dh_rel, "follows": None if failed or random.random() < 0.02 else follows,
                "analysed": bool(not failed and random.random() < 0.9), "status": "error" if failed else "ok",
            }.items():
                rows[name].append(value)
    return rows


def curve(x, text, groups, random, resamples):
    edges = np.arange(-2, 2 + BIN_WIDTH / 2, BIN_WIDTH)
    which = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(edges) - 2)
    bins = [
        {"cases": int((which == b).sum()),
         "mean_dh_rel": float(x[which == b].mean()) if (which == b).any() else None,
         "share": float(text[which == b].mean()) if (which == b).sum() >= MIN_BIN_CASES else None}
        for b in range(len(edges) - 1)
    ]
    filled = [one for one in bins if one["share"] is not None]
    at, fitted = isotonic(x, text)
    intercept, slope = logistic(x, text)
    found = {
        "cases": len(x), "bins": bins, "at": at.tolist(), "fitted": fitted.tolist(), "balance_point": crossing(at, fitted),
        "intercept": intercept, "slope": slope, "rho": float(spearmanr(x, text).statistic),
        "distance": share_distance(*(np.array([one[key] for one in filled]) for key in ("share", "cases"))),
    }
    if resamples:
        members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
        points, logistic_points = [], []
        for _ in range(resamples):
            drawn = np.concatenate([members[g] for g in random.integers(0, len(members), len(members))])
            point = crossing(*isotonic(x[drawn], text[drawn]))
            if point is not None:
                points.append(point)
            fit = logistic(x[drawn], text[drawn])
            logistic_points.append(-fit[0] / fit[1])
        found["balance_point_interval"] = np.quantile(points, [0.025, 0.975]).tolist()
        found["logistic_balance_point_interval"] = np.quantile(logistic_points, [0.025, 0.975]).tolist()
    return found


def following(random):
    rows = conflict_rows(random)
    column = {name: np.array(values, dtype=object) for name, values in rows.items()}
    analysed = column["analysed"].astype(bool) & (column["status"] == "ok")
    text, vision = analysed & (column["follows"] == "text"), analysed & (column["follows"] == "vision")
    placed = (text | vision) & np.array([value is not None for value in rows["dh_rel"]])
    x = column["dh_rel"][placed].astype(float)
    y = text[placed].astype(float)
    groups = column["group_id"][placed].astype(str)
    total = (column["h_text"] + column["h_vision"])[placed].astype(float)
    median = float(np.median(total))
    low = total <= median

    decided = text | vision
    members = [np.flatnonzero(column["group_id"] == group) for group in np.unique(column["group_id"].astype(str))]
    ratios = []
    for _ in range(4000):
        drawn = np.concatenate([members[g] for g in random.integers(0, len(members), len(members))])
        ratios.append(text[drawn].sum() / decided[drawn].sum())
    cells = []
    for dv in range(4):
        for dt in range(3):
            cell = analysed & (column["dv"] == dv) & (column["dt"] == dt)
            dh_rel = [value for value, inside in zip(rows["dh_rel"], cell) if inside and value is not None]
            cells.append({"dv": dv, "dt": dt, "analysed": int(cell.sum()), "text": int((cell & text).sum()),
                          "vision": int((cell & vision).sum()), "mean_dh_rel": float(np.mean(dh_rel))})
    return {
        "rows": rows,
        "counts": {"cases": len(analysed), "failed": int((column["status"] == "error").sum()),
                   "analysed": int(analysed.sum()), "text": int(text.sum()), "vision": int(vision.sum()),
                   "other": int((analysed & ~decided).sum())},
        "tfr": float(text.sum() / decided.sum()), "tfr_interval": np.quantile(ratios, [0.025, 0.975]).tolist(),
        "other_rate": float((analysed & ~decided).sum() / analysed.sum()),
        "curve": curve(x, y, groups, random, 1000),
        "low": curve(x[low], y[low], groups[low], random, 0),
        "high": curve(x[~low], y[~low], groups[~low], random, 0),
        "cells": cells,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("tests/golden/analysis"), help="folder of the JSON files")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for seed, (name, make) in enumerate({
        "isotonic": isotonic_cases, "logistic": logistic_cases, "spearman": spearman_cases,
        "permutation": permutation_cases, "following": following,
    }.items()):
        values = make(np.random.default_rng(seed))
        (out / f"{name}.json").write_text(json.dumps(values, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
