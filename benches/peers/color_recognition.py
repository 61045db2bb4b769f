"""The color recognition suite in plain Python, as one would write it without crossmodal: what we measure ourselves against.

    crossmodal suite export color-recognition --out SUITE --groups 20 --seed 0
    python benches/peers/color_recognition.py onnxruntime  --suite SUITE --model onnx/tiny-llava --batch 1 --batch 8
    python benches/peers/color_recognition.py transformers --suite SUITE --model CHECKPOINT      --batch 1 --batch 8

The loop: open the PNG, let transformers' processor make pixels and tokens, one forward pass, take the logits of the last
position. `transformers` runs the safetensors checkpoint (`export_scripts/train_tiny_llava.py` leaves it in its `--work`),
`onnxruntime` the three ONNX files. Prints prompts per second and CPU seconds (user and system, all threads) of the loop alone,
then writes answer and entropy of every row to `--answers FILE`, so that scores can be compared and not only speed.
"""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image
from transformers import AutoProcessor, LlavaForConditionalGeneration


def transformers_peer(model_dir: Path, suffix: str, threads: int) -> Callable:
    """A function from the processor's output to the logits of the last position, float32 [batch, vocabulary]."""
    torch.set_num_threads(threads)
    model = LlavaForConditionalGeneration.from_pretrained(model_dir, dtype=torch.float32).eval()

    @torch.no_grad()
    def forward(inputs) -> np.ndarray:
        return model(**inputs, logits_to_keep=1).logits[:, -1].numpy()

    return forward


def onnxruntime_peer(model_dir: Path, suffix: str, threads: int) -> Callable:
    """The same on the exported files `*{suffix}.onnx`."""
    torch.set_num_threads(threads)
    config = json.loads((model_dir / "config.json").read_text(encoding="utf-8"))
    image_token = config.get("image_token_id", config.get("image_token_index"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads

    def session(name: str) -> onnxruntime.InferenceSession:
        return onnxruntime.InferenceSession(model_dir / "onnx" / f"{name}{suffix}.onnx", options, providers=["CPUExecutionProvider"])

    vision, embedding, decoder = map(session, ("vision_encoder", "embed_tokens", "decoder_model_merged"))
    past = [i for i in decoder.get_inputs() if i.name.startswith("past_key_values.")]

    def forward(inputs) -> np.ndarray:
        ids, mask = inputs["input_ids"].numpy(), inputs["attention_mask"].numpy()
        embeds = embedding.run(None, {"input_ids": ids})[0]
        if "pixel_values" in inputs:
            features = vision.run(None, {"pixel_values": inputs["pixel_values"].numpy()})[0]
            embeds[ids == image_token] = features.reshape(-1, features.shape[-1])
        feed = {"inputs_embeds": embeds, "attention_mask": mask, "position_ids": (mask.cumsum(-1) - 1).clip(0)}
        feed |= {i.name: np.zeros((len(ids), i.shape[1], 0, i.shape[3]), np.float32) for i in past}
        return decoder.run(["logits"], feed)[0][:, -1]

    return forward


PEERS = {"transformers": transformers_peer, "onnxruntime": onnxruntime_peer}


def run(forward: Callable, processor, suite: Path, items: list[dict], batch: int) -> list[dict]:
    """One row of answers per item, in the suite's order."""
    rows = []
    for start in range(0, len(items), batch):
        chunk = items[start : start + batch]
        images = []
        for item in chunk:
            for part in item["messages"][0]["content"]:
                if part["type"] == "image":
                    with Image.open(suite / part["image"]) as image:
                        images.append(image.convert("RGB"))
        prompts = [processor.apply_chat_template(item["messages"], add_generation_prompt=True) for item in chunk]
        logits = forward(processor(images=images or None, text=prompts, padding=True, return_tensors="pt"))
        logp = logits - logits.max(-1, keepdims=True)
        logp -= np.log(np.exp(logp).sum(-1, keepdims=True))
        entropies = -(np.exp(logp) * logp).sum(-1)
        for item, token, entropy in zip(chunk, logits.argmax(-1), entropies):
            answer = processor.tokenizer.decode([int(token)]).strip()
            rows.append({"item_id": item["item_id"], "presentation": item["presentation"], "answer": answer, "entropy": float(entropy)})
    return rows


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("peer", choices=list(PEERS))
    arguments.add_argument("--suite", type=Path, required=True, help="folder with suite.jsonl")
    arguments.add_argument("--model", type=Path, required=True, help="checkpoint (transformers) or exported model (onnxruntime)")
    arguments.add_argument("--suffix", default="", help="precision of the ONNX files, such as _int8")
    arguments.add_argument("--batch", type=int, action="append", help="may be given several times (default: 1 and 8)")
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--limit", type=int, help="only the first rows")
    arguments.add_argument("--answers", type=Path, help="where to write answers and entropies (JSON lines)")
    options = arguments.parse_args()
    lines = (options.suite / "suite.jsonl").read_text(encoding="utf-8").splitlines()
    items = [json.loads(line) for line in lines[: options.limit]]
    processor = AutoProcessor.from_pretrained(options.model)
    forward = PEERS[options.peer](options.model, options.suffix, options.threads)
    for batch in options.batch or [1, 8]:
        run(forward, processor, options.suite, items[: 2 * batch], batch)  # warm-up
        before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        rows = run(forward, processor, options.suite, items, batch)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        judged = [row["answer"] == item["answer"] for row, item in zip(rows, items) if item["answer"] is not None]
        print(
            f"{options.peer}{options.suffix} batch {batch}: {len(rows)} prompts, {len(rows) / wall:.1f} prompts/s, "
            f"{cpu:.2f} CPU s ({1000 * cpu / len(rows):.2f} ms a prompt), accuracy {np.mean(judged):.3f} of {len(judged)}"
        )
    if options.answers:
        options.answers.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
