"""An exported suite in plain Python, as one would write it without crossmodal: what we measure ourselves against.

    python benches/peers/workload.py onnxruntime  --suite SUITE --model MODEL      --batch 8 --answers answers.jsonl
    python benches/peers/workload.py transformers --suite SUITE --model CHECKPOINT --batch 1 --answers answers.jsonl --precision bf16

`transformers` runs the safetensors checkpoint, `onnxruntime` and `openvino` the three ONNX files. Rows of a kind are batched together,
sorted by length and padded on the left; the images of a batch are encoded in one call, and again for every prompt that shows them. Loads,
warms up on a batch of each kind, then times the whole list, from opening the PNG files to reading the answers. Prints one JSON object:
prompts, wall seconds, CPU seconds (user and system, of all threads), and wall seconds by stage. `benches/workload.py` calls this.

With `--device cuda` the model (not OpenVINO's) is on a GPU. Images are prepared on the processor, and each stage is waited for.
"""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
import torch
from loops.answers import scored, written
from loops.stages import Stages
from loops.suite import Row, batches, read
from transformers import AutoImageProcessor, AutoProcessor

WARM_UP_TOKENS = 3


def load(peer: str, options, stages: Stages):
    """The model with `score` and `write`."""
    if peer == "transformers":
        from loops.torch_model import TorchModel

        return TorchModel(options.model, options.device, options.precision, options.threads, stages)
    from loops.three_files import ThreeFiles

    if peer == "openvino":
        from loops import openvino_graph

        return ThreeFiles(options.model, lambda path: openvino_graph.load(path, options.threads, options.precision), options.suffix, stages)
    from loops import onnxruntime_graph

    return ThreeFiles(options.model, lambda path: onnxruntime_graph.load(path, options.device, options.threads), options.suffix, stages)


def answer(model, processor, rows: list[Row], most: int | None = None) -> list[dict]:
    """The answers to a batch of one kind; `most` limits what is written."""
    prompts = [processor.apply_chat_template(row.messages, add_generation_prompt=True) for row in rows]
    images = [row.open_images() for row in rows] if rows[0].images else None
    inputs = processor(text=prompts, images=images, padding=True, padding_side="left", return_tensors="pt")
    limit = max(row.max_new_tokens for row in rows)
    if limit == 0:
        return [scored(row, logits, processor.tokenizer) for row, logits in zip(rows, model.score(inputs))]
    tokens = model.write(inputs, min(limit, most or limit))
    return [written(row, until_stop(ids, processor.tokenizer.eos_token_id)) for row, ids in zip(rows, tokens)]


def until_stop(tokens: np.ndarray, stop: int) -> list[int]:
    """Up to the first stop token, and with it."""
    stops = np.flatnonzero(tokens == stop)
    return tokens[: stops[0] + 1 if len(stops) else None].tolist()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("peer", choices=["transformers", "onnxruntime", "openvino"])
    arguments.add_argument("--suite", type=Path, required=True, help="folder with suite.jsonl")
    arguments.add_argument("--model", type=Path, required=True, help="checkpoint (transformers) or exported model")
    arguments.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    arguments.add_argument("--precision", choices=["f32", "bf16", "fp16"], default="f32", help="of transformers and openvino")
    arguments.add_argument("--suffix", default="", help="precision of the ONNX files, such as _int8")
    arguments.add_argument("--batch", type=int, default=1)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--answers", type=Path, required=True, help="where to write the answers (JSON lines)")
    options = arguments.parse_args()
    if options.device == "cuda" and (options.peer == "openvino" or not torch.cuda.is_available()):
        arguments.error("--device cuda needs an NVIDIA GPU that torch sees, and transformers or onnxruntime on it")
    torch.set_num_threads(options.threads)
    processor = AutoProcessor.from_pretrained(options.model)
    # Pillow's resizing, which crossmodal has too: what differs between the answers is then the model's arithmetic.
    processor.image_processor = AutoImageProcessor.from_pretrained(options.model, backend="pil")
    stages = Stages(torch.cuda.synchronize) if options.device == "cuda" else Stages()
    model = load(options.peer, options, stages)
    todo = batches(read(options.suite), options.batch)
    for first in {rows[0].kind: rows for rows in reversed(todo)}.values():
        answer(model, processor, first, most=WARM_UP_TOKENS)
    stages.seconds.clear()

    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    answers = [given for rows in todo for given in answer(model, processor, rows)]
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)

    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    options.answers.write_text("".join(json.dumps(given) + "\n" for given in answers), encoding="utf-8")
    print(json.dumps({"prompts": len(answers), "wall": wall, "cpu": cpu, "stages": stages.seconds}))


if __name__ == "__main__":
    main()
