"""crossmodal against its peers on the same ONNX files, the same weights and the same prompts, side by side in one run.

    cargo build --release
    .venv/bin/pip install -r export_scripts/requirements.lock.txt pyarrow openvino
    .venv/bin/python benches/random_model.py smolvlm-256m-single runs/checkpoints/smolvlm-256m-single
    .venv/bin/python export_scripts/export.py runs/checkpoints/smolvlm-256m-single runs/models/smolvlm-256m-single
    .venv/bin/python benches/workload.py --model runs/models/smolvlm-256m-single --checkpoint runs/checkpoints/smolvlm-256m-single \\
        --workload rest --items 8 --rounds 3 --threads 1

Exports the workload once (`workloads/`); then, round by round, measures the peak of a matrix product and lets everyone answer all prompts.
Prints medians, ratios to crossmodal, and how far answers are from those of transformers in fp32 one by one; then seconds and model-FLOPs
utilisation by stage.

With `--device cuda` everybody is on one GPU: crossmodal with `--ep cuda` in fp32, and in fp16 where the model has such files; in batches
of 1, 8 and 32 transformers in fp32 (without TF32), bf16 and fp16, and ONNX Runtime where the installed package has CUDA (onnxruntime-gpu).
What counts is the batch that is best: a table of its own shows it. Stages of peers end when the GPU is done.

Time of all counts from the loaded model to the last answer: crossmodal's is what it prints, with all tables written. CPU seconds of a
peer are those of that time alone, of crossmodal those of the whole process, loading and the rehearsal included.
"""

import argparse
import hashlib
import importlib.metadata
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gpu
import onnxruntime
from contestants import REPOSITORY, Peer, all_of, finish, read_answers
from tables import best_batch_table, results_table, stage_table
from transformers import AutoTokenizer
from workloads import WORKLOADS


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", type=Path, required=True, help="exported model")
    arguments.add_argument("--checkpoint", type=Path, required=True, help="its safetensors checkpoint, for transformers")
    arguments.add_argument("--crossmodal", type=Path, default=REPOSITORY / "target" / "release" / "crossmodal")
    arguments.add_argument("--workload", choices=list(WORKLOADS), default="rest")
    arguments.add_argument("--items", type=int, default=2, help="questions, or groups of pictures (default: %(default)s)")
    arguments.add_argument("--rounds", type=int, default=1)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="where models run (default: %(default)s)")
    arguments.add_argument("--only", nargs="+", help="those whose name has one of these in it, such as 'onnxruntime f32'")
    arguments.add_argument("--run-arguments", default="", metavar="ARGS", help="for all runs of crossmodal, such as '--precision int8'")
    arguments.add_argument(
        "--variant", action="append", default=[], metavar="NAME=ARGS", help="one more row of crossmodal; may be repeated"
    )
    arguments.add_argument("--work", type=Path, help="folder for suites and reference answers; what is there is used again")
    options = arguments.parse_args()
    if options.device == "cuda":
        gpu.require()
    with tempfile.TemporaryDirectory() as scratch:
        measure(options, options.work or Path(scratch))


def measure(options, work: Path) -> None:
    suite = work / f"{options.workload}-{options.items}"
    if not (suite / "suite.jsonl").exists():
        WORKLOADS[options.workload](crossmodal=options.crossmodal, items=options.items, out=suite)
    everyone = all_of(options)
    reference = reference_answers(options, suite)
    meter = gpu.memory_meter() if options.device == "cuda" else None
    peaks, outcomes = [], {one.name: [] for one in everyone}
    for number in range(options.rounds):
        program = [sys.executable, REPOSITORY / "benches" / "gemm.py"]
        measured = finish([*program, "--threads", options.threads, "--device", options.device], os.environ)
        peaks.append(json.loads(measured.stdout))
        for one in everyone:
            with tempfile.TemporaryDirectory(dir=work) as place, gpu.PeakMemory(meter) as memory:
                outcome = one.run(suite, Path(place) / "run")
            outcome.gpu_bytes = memory.bytes
            outcomes[one.name].append(outcome)
            print(f"round {number + 1}, {one.name}: {outcome.wall:.1f} s, {outcome.cpu:.1f} CPU s", file=sys.stderr, flush=True)
    peak = {kind: statistics.median(each[kind] for each in peaks) for kind in peaks[0]}
    asked = f"{options.workload}, {options.items} items, {len(reference)} prompts"
    print(f"\n{asked}, {options.threads} threads, median of {options.rounds} rounds")
    if options.device == "cuda":
        print(f"{gpu.name()}; {versions('torch', 'transformers')}")
        print(f"peak: {peak['f32']:.0f} GFLOP/s in fp32 without TF32, {peak['bf16']:.0f} in bf16, {peak['fp16']:.0f} in fp16 (torch)\n")
    else:
        print(versions("torch", "transformers", "openvino"))
        print(f"peak: {peak['f32']:.0f} GFLOP/s in fp32 (onnxruntime), {peak['bf16']:.0f} in bf16 (torch)\n")
    print(results_table(outcomes, reference, AutoTokenizer.from_pretrained(options.model)))
    if options.device == "cuda":
        print(best_batch_table(everyone, outcomes))
    print(stage_table(everyone, outcomes, options.model, peak))


def versions(*packages: str) -> str:
    """Theirs, after that of ONNX Runtime, which several packages bring."""
    known = ((package, importlib.metadata.version(package)) for package in packages)
    return ", ".join(f"{name} {version}" for name, version in [("onnxruntime", onnxruntime.__version__), *known])


def reference_answers(options, suite: Path) -> dict:
    """Those of transformers in fp32, one prompt at a time, on the same device: of an untimed run, made once for these prompts and these
    weights."""
    digest = hashlib.sha256((suite / "suite.jsonl").read_bytes())
    for weights in sorted(options.checkpoint.glob("*.safetensors")):
        digest.update(f"{weights.resolve()} {weights.stat().st_mtime_ns}".encode())
    where = "" if options.device == "cpu" else f"-{options.device}"
    answers = suite.with_name(f"{suite.name}-reference{where}-{digest.hexdigest()[:12]}.jsonl")
    if not answers.exists():
        Peer("transformers", "f32", 1, options.checkpoint, os.cpu_count(), options.device).run(suite, answers.with_suffix(""))
    return read_answers(answers)


if __name__ == "__main__":
    main()
