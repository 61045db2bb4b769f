"""Who answers a workload: crossmodal, with arguments of its variants, and the Python loops of `peers/workload.py`."""

import json
import os
import re
import resource
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import onnxruntime
import pyarrow.dataset

REPOSITORY = Path(__file__).resolve().parents[1]
PEER = REPOSITORY / "benches" / "peers" / "workload.py"
PRECISIONS = {
    "cpu": (("transformers", "f32"), ("transformers", "bf16"), ("onnxruntime", "f32"), ("openvino", "f32"), ("openvino", "bf16")),
    "cuda": (("transformers", "f32"), ("transformers", "bf16"), ("transformers", "fp16"), ("onnxruntime", "f32")),
}
BATCHES = {"cpu": (1, 8), "cuda": (1, 8, 32)}
HALF = "crossmodal fp16"

Key = tuple[str, str, str]
"""Item, presentation and variant of a prompt."""


@dataclass
class Outcome:
    """One run over all prompts."""

    prompts: int
    wall: float
    """Seconds from the loaded model to the last answer."""
    cpu: float
    """User and system seconds of all threads: of a peer's timed part, of crossmodal's whole process."""
    stages: dict[str, float]
    """Wall seconds: `vision`, `prefill`, `decode`."""
    answers: dict[Key, dict] = field(repr=False)
    """`logp` and `entropy` of a score; `tokens` (of a peer) or `text` (of crossmodal) of what was written."""
    gpu_bytes: int | None = None
    """Most of a GPU's memory that was taken, loading included."""


@dataclass(frozen=True)
class Crossmodal:
    """`crossmodal run` with further arguments."""

    name: str
    program: Path
    model: Path
    threads: int
    device: str
    arguments: str = ""
    encodes_once: bool = True

    @property
    def precision(self) -> str:
        """The one whose peak is its own: a processor computes fp16 in f32."""
        return "fp16" if self.device == "cuda" and re.search(r"--precision[ =]fp16", self.arguments) else "f32"

    def run(self, suite: Path, out: Path) -> Outcome:
        command = [self.program, "run", "--model", self.model, "--suite", suite / "suite.jsonl", "--out", out, "--progress", "none"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        provider = ["--ep", "cuda"] if self.device == "cuda" and not re.search(r"--ep\b", self.arguments) else []
        # On the ONNX Runtime of this Python, as the peers are, unless the environment names another.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        done = finish([*command, "--threads", self.threads, *provider, *shlex.split(self.arguments)], os.environ | {"PATH": path})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = re.search(r"(\d+) prompts in ([\d.]+) s", done.stderr)
        rows = pyarrow.dataset.dataset(out / "tables" / "table=outcomes").to_table().to_pylist()
        failed = [row["error"] for row in rows if row["status"] != "ok"]
        if said is None or failed:
            raise RuntimeError(f"{self.name}: {len(failed)} prompts failed: {failed[:1] or done.stderr}")
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return Outcome(int(said[1]), float(said[2]), cpu, stages_of_log(out / "log" / "units.jsonl"), dict(map(answer_of_row, rows)))


def stages_of_log(path: Path) -> dict[str, float]:
    """Of all units; copies of the model that ran side by side share the time."""
    units = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    names = {"vision": "vision_secs", "prefill": "decoder_secs", "decode": "generation_secs"}
    return {stage: sum(unit.get(name, 0.0) / unit["sessions"] for unit in units) for stage, name in names.items()}


def answer_of_row(row: dict) -> tuple[Key, dict]:
    key = (row["item_id"], row["presentation"], row["variant"])
    tokens = {"text_tokens": row["text_tokens"], "vision_tokens": row["vision_tokens"], "generated_tokens": row["generated_tokens"]}
    sizes = tokens | {"image": row["image_hash"]}
    if row["presentation"] == "ocr":
        return key, sizes | {"text": row["raw_text"]}
    return key, sizes | {"logp": row["option_logprobs"], "entropy": row["entropy"]}


@dataclass(frozen=True)
class Peer:
    """A loop in a process of its own."""

    peer: str
    precision: str
    batch: int
    model: Path
    threads: int
    device: str
    encodes_once: bool = False

    @property
    def name(self) -> str:
        return f"{self.peer} {self.precision}, batch {self.batch}"

    def run(self, suite: Path, out: Path) -> Outcome:
        answers = out.with_suffix(".jsonl")
        command = [sys.executable, PEER, self.peer, "--suite", suite, "--model", self.model, "--precision", self.precision]
        command += ["--batch", self.batch, "--threads", self.threads, "--device", self.device, "--answers", answers]
        done = finish(command, os.environ | {"OMP_NUM_THREADS": str(self.threads)})
        measured = json.loads(done.stdout.splitlines()[-1])
        return Outcome(**measured, answers=read_answers(answers))


def read_answers(path: Path) -> dict[Key, dict]:
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {tuple(row.pop("key")): row for row in rows}


def finish(command: list, environment) -> subprocess.CompletedProcess:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{shlex.join(map(str, command))}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return done


def all_of(options) -> list:
    """Everyone that the arguments of `workload.py` ask for, crossmodal first. Says who is left out because the machine or the model
    lacks something."""
    half = {HALF: "--precision fp16"} if options.device == "cuda" and "--precision" not in options.run_arguments else {}
    variants = {"crossmodal": ""} | half | dict(variant.split("=", 1) for variant in options.variant)
    ours = [
        Crossmodal(name, options.crossmodal, options.model, options.threads, options.device, f"{options.run_arguments} {arguments}")
        for name, arguments in variants.items()
    ]
    folder = {"transformers": options.checkpoint, "onnxruntime": options.model, "openvino": options.model}
    peers = [
        Peer(peer, precision, batch, folder[peer], options.threads, options.device)
        for peer, precision in PRECISIONS[options.device]
        for batch in BATCHES[options.device]
    ]
    wanted = [one for one in [*ours, *peers] if not options.only or any(part in one.name for part in options.only)]
    if not wanted:
        raise SystemExit(f"--only {' '.join(options.only)} fits none of: {'; '.join(one.name for one in [*ours, *peers])}")
    reasons = {one: reason for one in wanted if (reason := lacking(one))}
    for one, reason in reasons.items():
        print(f"{one.name} is left out: {reason}")
    if len(reasons) == len(wanted):
        raise SystemExit("nobody is left to be measured")
    return [one for one in wanted if one not in reasons]


def lacking(one: Crossmodal | Peer) -> str | None:
    """What keeps a contestant of a GPU from running; nothing does with what a `--variant` asks for."""
    if one.name == HALF and not (one.model / "onnx" / "decoder_model_merged_fp16.onnx").exists():
        return f"{one.model} has no fp16 files (export_scripts/export.py ... --dtype fp32 --dtype fp16)"
    on_gpu = isinstance(one, Peer) and one.peer == "onnxruntime" and one.device == "cuda"
    if on_gpu and "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return f"onnxruntime {onnxruntime.__version__} is a package without CUDA (onnxruntime-gpu has it)"
    return None
