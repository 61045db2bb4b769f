"""Trains, exports and measures the tiny LLaVA that ships with the project. One command makes all of `onnx/tiny-llava`:

    python export_scripts/train_tiny_llava.py

It draws the pictures with the project's own renderer, trains for less than an hour on two cores, exports to the three-file
ONNX layout, measures the model on held-out groups, and writes the model card. Seeds and numbers of steps are fixed. What it
makes on the way stays in `--work`; run the command again after an interruption, and it goes on from the last checkpoint.
"""

import os

# Threads that wait must sleep: on a shared machine, spinning ones make two threads slower than one.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import argparse
import time
from pathlib import Path

import torch

from export import SUFFIX, export_model
from parity import ThreeFiles
from tiny_llava import evaluation
from tiny_llava.batches import Encoder
from tiny_llava.card import write_card
from tiny_llava.drawings import load_drawings
from tiny_llava.model import build_model
from tiny_llava.narrator import Narrator
from tiny_llava.outcomes import Outcome, by_onnx, by_torch, eye_outcomes, outcomes
from tiny_llava.prompts import REPOSITORY, Prompts
from tiny_llava.suite import export_suite
from tiny_llava.tokenizer import build_processor, train_tokenizer
from tiny_llava.training import ALL, EYE, Trainer

TRAINING_SEED, TRAINING_GROUPS = 1, 2000
"""The suite's own default seed is 0: what users evaluate is not what the model was trained on."""
PROGRESS_SEED, PROGRESS_GROUPS = 2, 20
HELD_OUT_SEED, HELD_OUT_GROUPS = 3, 100


class HelpFormatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """The docstring as it stands, and the defaults."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    arguments.add_argument("--crossmodal", default="cargo run --release --", help="how to call the project's program")
    arguments.add_argument("--work", type=Path, default=REPOSITORY / "runs" / "tiny-llava", help="data and checkpoints")
    arguments.add_argument("--out", type=Path, default=REPOSITORY / "onnx" / "tiny-llava", help="the model")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--seed", type=int, default=0, help="of the initial weights and of the examples")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)

    began = time.monotonic()
    prompts = Prompts.read()
    processor = build_processor(train_tokenizer(prompts))
    encoder = Encoder(processor, prompts.colors)
    drawings = load_drawings(options.crossmodal, options.work / "training", TRAINING_GROUPS, TRAINING_SEED, prompts.colors)
    progress = options.work / "progress"
    progress_rows = export_suite(options.crossmodal, progress, PROGRESS_GROUPS, PROGRESS_SEED, controls=False)
    held_out = options.work / "held-out"
    held_out_rows = export_suite(options.crossmodal, held_out, HELD_OUT_GROUPS, HELD_OUT_SEED)
    print(f"data ready after {minutes(began):.1f} min: {len(drawings)} drawings, {len(held_out_rows)} held-out rows", flush=True)

    torch.manual_seed(options.seed)
    model = build_model(processor.tokenizer)
    model.set_attn_implementation("eager")  # twice as fast as the fused kernel in a bfloat16 backward pass on CPU
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters", flush=True)

    def report(stage, model, head) -> None:
        if stage is EYE:
            rows = eye_outcomes(model, head, prompts.shapes, prompts.colors, progress_rows, progress)
        else:
            rows = outcomes(by_torch(model), encoder, prompts.colors, progress_rows, progress)
        print(evaluation.brief(rows), flush=True)

    trainer = Trainer(model, Narrator(prompts, drawings), encoder, options.work, options.seed, report)
    for stage in (EYE, ALL):
        trainer.run(stage)
        print(f"{stage.name} done after {minutes(began):.1f} min", flush=True)

    checkpoint = options.work / "checkpoint"
    model.eval().save_pretrained(checkpoint)
    processor.save_pretrained(checkpoint)
    export_model(checkpoint, options.out, ("fp32", "int8"))

    def measure(dtype: str) -> list[Outcome]:
        files = ThreeFiles(options.out / "onnx", SUFFIX[dtype], options.threads)
        logits_of = by_onnx(files, model.config.image_token_id)
        return outcomes(logits_of, encoder, prompts.colors, held_out_rows, held_out)

    fp32, int8 = measure("fp32"), measure("int8")
    write_card(options.out, model, drawings, fp32, int8)
    print(f"{evaluation.tables(fp32)}\nwrote {options.out} after {minutes(began):.1f} min")


def minutes(began: float) -> float:
    return (time.monotonic() - began) / 60


if __name__ == "__main__":
    main()
