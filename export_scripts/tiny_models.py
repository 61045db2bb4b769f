"""Makes the fixtures of the tests: for each family a tiny model with random weights, exported to ONNX.

    python export_scripts/tiny_models.py [--only qwen2_vl ...] [--out tests/models] [--checkpoints DIR]

Seeds are fixed and nothing is downloaded; the same versions of the packages give the same bytes. `--checkpoints` keeps what was
exported, in transformers' own format: `golden_models.py` needs it.
"""

import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
if os.environ.get("PYTHONHASHSEED") != "0":  # transformers walks over a set of layer types, and the graph keeps that order
    os.environ["PYTHONHASHSEED"] = "0"
    os.execv(sys.executable, [sys.executable, *sys.argv])

import argparse
import json
import tempfile
from pathlib import Path

import torch
from transformers import GenerationConfig

from export import export_model
from tiny_zoo.families import BUILDERS
from tiny_zoo.weights import initialise

REPOSITORY = Path(__file__).resolve().parents[1]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", nargs="+", choices=list(BUILDERS), default=list(BUILDERS), metavar="MODEL_TYPE")
    arguments.add_argument("--out", type=Path, default=REPOSITORY / "tests" / "models")
    arguments.add_argument("--checkpoints", type=Path)
    options = arguments.parse_args()
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = (options.checkpoints or Path(folder)) / name
            save_checkpoint(name, checkpoint)
            report = export_model(checkpoint, options.out / name)["fp32"]
        size = sum(f.stat().st_size for f in (options.out / name).rglob("*") if f.is_file())
        print(f"{name}: {size / 1024:.0f} KiB,", ", ".join(f"{key} {value:.2g}" for key, value in report.items()), flush=True)


def save_checkpoint(name: str, folder: Path) -> None:
    torch.manual_seed(0)
    model, processor = BUILDERS[name]()
    initialise(model)
    text = model.config.get_text_config()
    ids = {f"{kind}_token_id": getattr(text, f"{kind}_token_id") for kind in ("bos", "eos", "pad")}
    model.generation_config = GenerationConfig(**ids, do_sample=False)
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    compact(folder / "tokenizer.json")


def compact(file: Path) -> None:
    """A tokenizer is mostly white space."""
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
