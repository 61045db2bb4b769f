"""Are the logits of two runs the same? One Markdown row; fails where they are farther apart than allowed.

    python benches/compare_logits.py NAME EXPECTED_RUN FOUND_RUN [--tolerance 1e-3]

Both runs need all logits: `crossmodal run ... --tables outcomes,logits --top-k all`. Compared by token, prompt by prompt. With
`--tolerance` the largest absolute difference decides; without, nothing fails, and the row says how far half precision goes.
"""

import argparse
import sys
from pathlib import Path

import numpy
import pyarrow.dataset

KEY = ("item_id", "group_id", "presentation", "variant", "control")


def logits(run: Path) -> dict[tuple, numpy.ndarray]:
    """Of each prompt, in the order of token ids."""
    rows = pyarrow.dataset.dataset(run / "tables" / "table=logits").to_table().to_pylist()
    ordered = {}
    for row in rows:
        if row["token_ids"]:
            order = numpy.argsort(row["token_ids"])
            ordered[tuple(row[name] for name in KEY)] = numpy.array(row["logits"])[order]
    return ordered


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("name")
    arguments.add_argument("expected", type=Path)
    arguments.add_argument("found", type=Path)
    arguments.add_argument("--tolerance", type=float)
    options = arguments.parse_args()
    expected, found = logits(options.expected), logits(options.found)
    if not expected or expected.keys() != found.keys():
        sys.exit(f"{options.name}: {len(expected)} prompts in {options.expected}, {len(found)} in {options.found}: not the same ones")
    farthest = max(float(numpy.abs(expected[key] - found[key]).max()) for key in expected)
    agree = sum(int(expected[key].argmax() == found[key].argmax()) for key in expected)
    print(f"| {options.name} | {len(expected)} | {farthest:.2e} | {100 * agree / len(expected):.1f} % |")
    # A NaN is no smaller than anything.
    if options.tolerance is not None and not farthest <= options.tolerance:
        sys.exit(f"{options.name}: logits are {farthest:.2e} apart, at most {options.tolerance:.0e} is allowed")


if __name__ == "__main__":
    main()
