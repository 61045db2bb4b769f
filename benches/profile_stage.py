"""Where the time of one ONNX file goes, by kind of operator, as ONNX Runtime's profiler sees it.

    python benches/profile_stage.py MODEL/onnx/vision_encoder.onnx                        # one image
    python benches/profile_stage.py MODEL/onnx/decoder_model_merged.onnx --tokens 150     # a prefill
    python benches/profile_stage.py MODEL/onnx/decoder_model_merged.onnx --tokens 1 --past 150

Prints time, share and, for matrix products, the rate and how much of the peak (`gemm.py`, in the same process) that is; `--shapes`
tells products of unlike shapes apart. Products are counted as they are done: padding, full logits and full attention included.
"""

import argparse
import json
import math
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import gemm
import numpy as np
import onnxruntime

ELEMENT = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64, "tensor(bool)": np.bool_}


def feed(session: onnxruntime.InferenceSession, options) -> dict[str, np.ndarray]:
    """An input for each that the file declares: random pixels or embeddings, everything seen, one prompt or image."""
    random = np.random.default_rng(0)

    def value(given) -> np.ndarray:
        kind, shape = ELEMENT[given.type], given.shape
        if given.name == "pixel_values" and len(shape) >= 4:
            return random.standard_normal([1] * (len(shape) - 3) + [3, options.image_size, options.image_size]).astype(kind)
        if given.name == "pixel_attention_mask":
            return np.ones((1, 1, options.image_size, options.image_size), kind)
        if given.name == "inputs_embeds":
            return random.standard_normal((1, options.tokens, shape[2])).astype(kind)
        if given.name == "input_ids":
            return np.arange(options.tokens, dtype=kind)[None]
        if given.name == "attention_mask":
            return np.ones((1, options.past + options.tokens), kind)
        if given.name == "position_ids":
            return np.arange(options.past, options.past + options.tokens, dtype=kind)[None]
        if given.name.startswith("past_key_values."):
            return random.standard_normal((1, shape[1], options.past, shape[3])).astype(kind)
        raise ValueError(f"no value is known for the input {given.name} {shape}; profiled are encoders of fixed views, and decoders")

    return {given.name: value(given) for given in session.get_inputs()}


def flops(operator: str, inputs: list[list[int]], output: list[int]) -> int:
    """Of one call, by the shapes of its tensors; 0 for what is no product."""
    if "MatMul" in operator or operator == "Gemm":
        return 2 * math.prod(output) * inputs[0][-1]
    if operator == "Conv":
        return 2 * math.prod(output) * math.prod(inputs[1][1:])
    if "Attention" in operator and len(inputs) > 2:
        query, key = inputs[0], inputs[1]
        past = inputs[4][2] if len(inputs) > 4 and len(inputs[4]) == 4 else 0
        return 4 * math.prod(query) * (key[-2] + past)
    return 0


def events(path: Path) -> list[dict]:
    """Calls of operators: name, shapes, microseconds."""
    noted = json.loads(path.read_text(encoding="utf-8"))
    return [event for event in noted if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")]


def shapes(noted: list[dict]) -> list[list[int]]:
    return [next(iter(tensor.values())) for tensor in noted]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("file", type=Path)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--tokens", type=int, default=150, help="of the prompt (default: %(default)s)")
    arguments.add_argument("--past", type=int, default=0, help="tokens in the KV cache (default: %(default)s)")
    arguments.add_argument("--image-size", type=int, default=512, help="default: %(default)s")
    arguments.add_argument("--shapes", action="store_true", help="a row for every shape of a product")
    options = arguments.parse_args()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    plain = onnxruntime.InferenceSession(options.file, settings, providers=["CPUExecutionProvider"])
    given = feed(plain, options)
    plain.run(None, given)
    began = time.perf_counter()
    for _ in range(options.runs):
        plain.run(None, given)
    wall = (time.perf_counter() - began) / options.runs * 1e3
    del plain

    peak = gemm.onnxruntime_f32(options.threads)
    with tempfile.TemporaryDirectory() as scratch:
        settings.enable_profiling, settings.profile_file_prefix = True, str(Path(scratch) / "profile")
        session = onnxruntime.InferenceSession(options.file, settings, providers=["CPUExecutionProvider"])
        for _ in range(options.runs):
            session.run(None, given)
        calls = events(Path(session.end_profiling()))
    report(calls, options, wall, peak)


def report(calls: list[dict], options, wall: float, peak: float) -> None:
    """The table; the first of the runs warms up and is left out."""
    each = len(calls) // options.runs
    spent, needed, count = defaultdict(float), defaultdict(int), defaultdict(int)
    for call in calls[each:]:
        noted = call["args"]
        inputs, (output, *_) = shapes(noted["input_type_shape"]), shapes(noted["output_type_shape"]) or [[]]
        work = flops(noted["op_name"], inputs, output)
        kind = (noted["op_name"], f"{inputs[0]} -> {output}" if options.shapes and work else "")
        spent[kind] += call["dur"] / 1e3 / (options.runs - 1)
        needed[kind] += work / (options.runs - 1)
        count[kind] += 1
    total, work = sum(spent.values()), sum(needed.values())
    print(f"{options.file.name}: {wall:.1f} ms a run without the profiler, {total:.1f} ms in operators with it")
    print(f"{options.threads} threads; peak {peak:.0f} GFLOP/s (fp32 product of {gemm.SIZE} x {gemm.SIZE})\n")
    print("| operator | ms | share | calls | GFLOP | GFLOP/s | of peak |\n|---|---|---|---|---|---|---|")
    for kind in sorted(spent, key=spent.get, reverse=True):
        if spent[kind] < 0.002 * total:
            continue
        line(" ".join(kind).strip(), spent[kind], total, count[kind] // (options.runs - 1), needed[kind], peak)
    line("all", total, total, each, work, peak)


def line(name: str, ms: float, total: float, calls: int, work: float, peak: float) -> None:
    rate = work / ms / 1e6
    product = f"{work / 1e9:.2f} | {rate:.0f} | {rate / peak:.0%}" if work else "| |"
    print(f"| {name} | {ms:.2f} | {ms / total:.1%} | {calls} | {product} |")


if __name__ == "__main__":
    main()
