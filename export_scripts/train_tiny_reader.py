"""Trains, exports and measures the tiny reader that ships with the project: a model that reads rendered words in part, and answers
short questions. One command makes all of `onnx/tiny-reader`:

    python export_scripts/train_tiny_reader.py

It draws pages with Pillow in the fonts of `data/fonts`, trains for about an hour on two free cores, exports to the three-file ONNX
layout, measures the model on `data/questions`, and writes the model card. Seeds and numbers of steps are fixed. What it makes on the
way stays in `--work`; run the command again after an interruption, and it goes on from the last checkpoint. The shipped questions
are never drawn for training as they stand; what they are made of is.
"""

import os

# Threads that wait must sleep: on a shared machine, spinning ones make two threads slower than one.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import argparse
import time
from pathlib import Path

import torch
from transformers import LlavaForConditionalGeneration

import parity
from export import SUFFIX, export_model
from families.host import Host
from parity import ThreeFiles
from tiny_reader.card import HISTORY, write_card
from tiny_reader.contents import REPOSITORY
from tiny_reader.examples import Encoder
from tiny_reader.half_weights import rounded, store_in_half
from tiny_reader.measuring import MAIN, Said, brief, by_onnx, by_torch, measure
from tiny_reader.model import build_model
from tiny_reader.pages import Printer
from tiny_reader.sight import Artist
from tiny_reader.tokenizer import build_processor, build_tokenizer
from tiny_reader.training import ALL, EYE, MIND, Trainer


class HelpFormatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """The docstring as it stands, and the defaults."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    arguments.add_argument("--fonts", type=Path, default=REPOSITORY / "data" / "fonts", help="the folder of the fonts")
    arguments.add_argument("--work", type=Path, default=REPOSITORY / "runs" / "tiny-reader", help="checkpoints")
    arguments.add_argument("--out", type=Path, default=REPOSITORY / "onnx" / "tiny-reader", help="the model")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--seed", type=int, default=0, help="of the initial weights and of the examples")
    arguments.add_argument("--only-export", action="store_true", help="export and measure the checkpoint that is there")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    checkpoint = options.work / "checkpoint"

    began = time.monotonic()
    processor = build_processor(build_tokenizer())
    encoder, printer = Encoder(processor), Printer(options.fonts)
    if not options.only_export:
        train(options, encoder, printer, checkpoint)
        print(f"trained after {minutes(began):.1f} min", flush=True)
    export_model(checkpoint, options.out)
    for graph in (options.out / "onnx").glob("*.onnx"):
        store_in_half(graph)
    model = LlavaForConditionalGeneration.from_pretrained(checkpoint, attn_implementation="sdpa").eval()
    report = parity.check(model, processor, Host(model), options.out / "onnx", SUFFIX["fp32"])
    parity.require(report)
    files = ThreeFiles(options.out / "onnx", SUFFIX["fp32"], options.threads)
    tokenizer = processor.tokenizer
    said = measure(by_onnx(files, tokenizer.convert_tokens_to_ids("<image>"), tokenizer.eos_token_id), encoder, printer)
    agree(said, measure(by_torch(model), encoder, printer, (MAIN,)))
    write_card(options.out, said, model.num_parameters(), report, HISTORY if options.only_export else "")
    print(f"{brief(said)}\nwrote {options.out} after {minutes(began):.1f} min")


def agree(by_graphs: list[Said], by_transformers: list[Said]) -> None:
    """The exported model must say what transformers' own `generate` says."""
    graphs = [s for s in by_graphs if s.look == MAIN]
    different = sum((a.transcript, a.answers) != (b.transcript, b.answers) for a, b in zip(graphs, by_transformers, strict=True))
    print(f"{different} of {len(graphs)} questions are answered differently by transformers and by the graphs", flush=True)
    if different:
        raise ArithmeticError(f"transformers and the graphs differ on {different} questions")


def train(options, encoder: Encoder, printer: Printer, checkpoint: Path) -> None:
    torch.manual_seed(options.seed)
    model = build_model(encoder.tokenizer)
    model.set_attn_implementation("eager")  # twice as fast as the fused kernel in a bfloat16 backward pass on CPU
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters", flush=True)

    def report(stage) -> None:
        if stage is ALL:
            model.eval()
            print(brief(measure(by_torch(model), encoder, printer, (MAIN,))), flush=True)
            model.train()

    trainer = Trainer(model, encoder, Artist(encoder.tokenizer, printer), options.work, options.seed, report)
    for stage in (MIND, EYE, ALL):
        trainer.run(stage)
    rounded(model)
    model.eval().save_pretrained(checkpoint)
    build_processor(build_tokenizer()).save_pretrained(checkpoint)  # a tokenizer that has padded once would save that as a setting


def minutes(began: float) -> float:
    return (time.monotonic() - began) / 60


if __name__ == "__main__":
    main()
