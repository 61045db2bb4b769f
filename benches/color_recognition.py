"""crossmodal against plain Python loops: the same model, the same prompts, side by side in one run.

    cargo build --release
    .venv/bin/pip install -r export_scripts/requirements.lock.txt
    .venv/bin/python benches/color_recognition.py --checkpoint CHECKPOINT

Exports the first groups of the suite once, as files that everybody reads. Then, round by round, `crossmodal run` and each peer of
`peers/color_recognition.py` (transformers on the safetensors checkpoint, onnxruntime on the same ONNX files; batches of 1 and 8) answer
all of its prompts. A peer's time starts after its model is loaded, and so does ours. Prints medians of prompts per second and of CPU
seconds, the ratio to the best peer, and how far the answers and entropies of all are apart: so that all did the same work.
"""

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.dataset

REPOSITORY = Path(__file__).resolve().parents[1]
PEER = REPOSITORY / "benches" / "peers" / "color_recognition.py"


def crossmodal(options, suite: Path, out: Path, threads: int) -> tuple[float, float]:
    """Prompts per second and CPU seconds (of the whole process, loading included) of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [options.crossmodal, "run", "--model", options.model, "--suite", suite / "suite.jsonl", "--out", out]
    done = subprocess.run([*map(str, command), "--threads", str(threads), "--progress", "none"], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    rate = float(re.search(r"\(([\d.]+) prompts/s\)", done.stderr)[1])
    return rate, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def peer(options, name: str, suite: Path, batch: int, threads: int, answers: Path) -> tuple[float, float]:
    """The same of a Python loop (its CPU seconds are those of the loop alone)."""
    model = options.checkpoint if name == "transformers" else options.model
    command = [sys.executable, PEER, name, "--suite", suite, "--model", model, "--batch", batch, "--threads", threads, "--answers", answers]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, env=os.environ | {"OMP_NUM_THREADS": str(threads)})
    line = done.stdout.splitlines()[-1]
    return float(re.search(r"([\d.]+) prompts/s", line)[1]), float(re.search(r"([\d.]+) CPU s", line)[1])


def scores_of_run(out: Path) -> dict:
    rows = pyarrow.dataset.dataset(out / "tables" / "table=outcomes").to_table(columns=["item_id", "presentation", "raw_text", "entropy"])
    return {(row["item_id"], row["presentation"]): (row["raw_text"].strip(), row["entropy"]) for row in rows.to_pylist()}


def scores_of_peer(path: Path) -> dict:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {(row["item_id"], row["presentation"]): (row["answer"], row["entropy"]) for row in rows}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--checkpoint", type=Path, required=True, help="safetensors checkpoint of the same weights, for transformers")
    arguments.add_argument("--model", type=Path, default=REPOSITORY / "onnx" / "tiny-llava")
    arguments.add_argument("--crossmodal", type=Path, default=REPOSITORY / "target" / "release" / "crossmodal")
    arguments.add_argument("--groups", type=int, default=8)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--threads", type=int, action="append", help="may be given several times (default: 1 and 2)")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        suite = Path(scratch) / "suite"
        subprocess.run([options.crossmodal, "suite", "export", "color-recognition", "--limit", str(options.groups), "--out", suite], check=True)
        for threads in options.threads or [1, 2]:
            compare(options, suite, Path(scratch), threads)


def compare(options, suite: Path, scratch: Path, threads: int) -> None:
    peers = [(name, batch) for name in ("transformers", "onnxruntime") for batch in (1, 8)]
    measured, scores = {}, {}
    for number in range(options.rounds):
        out = scratch / f"run-{threads}-{number}"
        measured.setdefault("crossmodal", []).append(crossmodal(options, suite, out, threads))
        scores["crossmodal"] = scores_of_run(out)
        for name, batch in peers:
            key, answers = f"{name}, batch {batch}", scratch / "answers.jsonl"
            measured.setdefault(key, []).append(peer(options, name, suite, batch, threads, answers))
            scores[key] = scores_of_peer(answers)
    ours = scores["crossmodal"]
    median = {key: [statistics.median(column) for column in zip(*values)] for key, values in measured.items()}
    print(f"\n{len(ours)} prompts, {threads} thread{'s' if threads > 1 else ''}, median of {options.rounds} rounds\n")
    print("| who | prompts/s | CPU s | crossmodal is faster by | answers that differ | largest entropy difference |")
    print("|---|---|---|---|---|---|")
    for key, (rate, cpu) in median.items():
        theirs = scores[key]
        assert theirs.keys() == ours.keys(), f"{key} did other work"
        differ = sum(theirs[row][0] != ours[row][0] for row in ours)
        entropy = max(abs(theirs[row][1] - ours[row][1]) for row in ours)
        print(f"| {key} | {rate:.0f} | {cpu:.1f} | {median['crossmodal'][0] / rate:.1f}x | {differ} | {entropy:.1e} |", flush=True)


if __name__ == "__main__":
    main()
