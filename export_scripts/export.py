"""Exports a multimodal model from transformers to ONNX, in the three-file layout of transformers.js and onnx-community:

    python export_scripts/export.py MODEL_OR_DIR OUT [--dtype fp32] [--dtype fp16] [--dtype int8] [--dtype q4] [--opset 23]

MODEL_OR_DIR is a checkpoint's directory or its id on the hub. Writes `vision_encoder`, `embed_tokens` and `decoder_model_merged`
to `OUT/onnx/` (`.onnx` for fp32, else `_fp16.onnx`, `_int8.onnx`, `_q4.onnx`) and, beside `onnx/`, config, tokenizer, processor
and chat template. The Phi families are written in the layout of ONNX Runtime GenAI instead, in fp32 only: `vision.onnx`,
`embedding.onnx`, `model.onnx` and `genai_config.json` (`families/genai.py`).

The fp32 graphs are checked against transformers (`parity.py`) and the export fails if they differ; the others
(`quantize.py`) are compared with it too, and the differences are reported.

What the precisions are for:

  fp16  for GPUs: half the memory.
  int8  for CPUs with VNNI: weights as signed bytes, one scale a channel, activations quantised while running; two to three times
        as fast as fp32, a quarter of the memory. Vision tower and LM head are quantised, embeddings are not.
  q4    for the least memory: one eighth. Prompts are read no faster than in fp32, answers are written faster.

A precision is as good as its answers: run a suite in fp32 and in the other one, and see `crossmodal compare RUN_FP32 RUN_OTHER`.
"""

import argparse
import json
import shutil
from pathlib import Path

import onnx_ir
import torch
from huggingface_hub import snapshot_download
from transformers import AutoModelForImageTextToText, AutoProcessor

import parity
from families import FAMILIES, genai
from families.graphs import Graph
from families.host import Host
from quantize import QUANTIZERS

OPSET = 23
"""Standard Attention, RMSNormalization and RotaryEmbedding; needs ONNX Runtime 1.24 or later (1.23: NaN with left padding)."""
SUFFIX = {"fp32": "", "fp16": "_fp16", "int8": "_int8", "q4": "_q4"}
EXTERNAL_DATA_ABOVE = 1 << 30
"""Bytes of weights from which they go to a file of their own: protobuf ends at 2 GiB."""
SETTINGS = ("*.json", "*.jinja", "*.model", "*.txt")
"""What a model directory has beside its weights."""


def export_model(
    source: Path | str, out: Path, dtypes: tuple[str, ...] = ("fp32",), opset: int = OPSET
) -> dict[str, dict[str, float]]:
    """Exports `source` (a checkpoint's directory or hub id) to `out`. Returns, per dtype, what the check measured."""
    folder = Path(source) if Path(source).is_dir() else Path(snapshot_download(str(source)))
    model_type = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    family = FAMILIES.get(model_type)
    if family is None:
        raise ValueError(f"no exporter for model_type {model_type!r} of {source}; there are: {', '.join(FAMILIES)}")
    if hasattr(family, "load"):
        return export_genai(family, folder, out, dtypes, opset)
    model = AutoModelForImageTextToText.from_pretrained(source, dtype=torch.float32, attn_implementation="sdpa").eval()
    processor = AutoProcessor.from_pretrained(source)
    host = getattr(family, "Host", Host)(model)
    torch.manual_seed(0)  # of the example inputs
    graphs = family.graphs(model)
    folder = out / "onnx"
    folder.mkdir(parents=True, exist_ok=True)
    for graph in graphs:
        write_graph(graph, folder / f"{graph.file}.onnx", opset)
    copy_settings(source, out)
    reports = {}
    for dtype in ("fp32", *(d for d in SUFFIX if d in dtypes and d != "fp32")):
        if dtype != "fp32":
            for graph in graphs:
                QUANTIZERS[dtype](folder / f"{graph.file}.onnx", folder / f"{graph.file}{SUFFIX[dtype]}.onnx")
        reports[dtype] = parity.check(model, processor, host, folder, SUFFIX[dtype])
        if dtype == "fp32":
            parity.require(reports[dtype])
    if "fp32" not in dtypes:
        for file in [f for graph in graphs for f in folder.glob(f"{graph.file}.onnx*")]:
            file.unlink()
    return reports


def export_genai(family, source: Path, out: Path, dtypes: tuple[str, ...], opset: int) -> dict[str, dict[str, float]]:
    """A family that transformers does not load by itself, in the layout of ONNX Runtime GenAI."""
    if set(dtypes) != {"fp32"}:
        raise ValueError(f"{source} can only be exported in fp32, not in {', '.join(dtypes)}")
    model, processor = family.load(source)
    torch.manual_seed(0)  # of the example inputs
    out.mkdir(parents=True, exist_ok=True)
    for graph in family.graphs(model):
        write_graph(graph, out / f"{graph.file}.onnx", opset)
    copy_settings(source, out)
    family.finish(model, processor, out)
    report = genai.check(model, processor, out)
    parity.require(report)
    return {"fp32": report}


def write_graph(graph: Graph, path: Path, opset: int) -> None:
    with torch.no_grad():
        program = torch.onnx.export(
            graph.module.eval(),
            graph.arguments,
            input_names=graph.inputs,
            output_names=graph.outputs,
            dynamic_shapes=graph.dynamic_shapes,
            dynamo=True,
            opset_version=opset,
            verbose=False,
        )
    for value, name in zip(program.model.graph.outputs, graph.outputs, strict=True):
        value.name = name
    strip_metadata(program.model)
    initializers = program.model.graph.initializers.values()
    size = sum(v.const_value.nbytes for v in initializers if v.const_value is not None)
    onnx_ir.save(program.model, path, external_data=f"{path.name}_data" if size > EXTERNAL_DATA_ABOVE else None)


def strip_metadata(model: onnx_ir.Model) -> None:
    """Drops the exporter's notes on each node: they hold the file paths of the machine that exported."""
    model.metadata_props.clear()
    model.graph.metadata_props.clear()
    for value in [*model.graph.inputs, *model.graph.initializers.values()]:
        value.metadata_props.clear()
    for node in onnx_ir.traversal.RecursiveGraphIterator(model.graph):
        node.metadata_props.clear()
        node.doc_string = None
        for value in node.outputs:
            value.metadata_props.clear()


def copy_settings(source: Path | str, out: Path) -> None:
    """Everything that the model's directory (or its snapshot of the hub) has at its top but the weights."""
    folder = Path(source) if Path(source).is_dir() else Path(snapshot_download(str(source), allow_patterns=list(SETTINGS)))
    for file in sorted(f for pattern in SETTINGS for f in folder.glob(pattern)):
        if file.is_file() and not file.name.endswith(".index.json"):
            shutil.copyfile(file, out / file.name)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model", metavar="MODEL_OR_DIR")
    arguments.add_argument("out", metavar="OUT", type=Path)
    arguments.add_argument("--dtype", action="append", choices=list(SUFFIX), help="as above; may be given several times (default: fp32)")
    arguments.add_argument("--opset", type=int, default=OPSET, help="default: %(default)s")
    options = arguments.parse_args()
    for dtype, report in export_model(options.model, options.out, tuple(options.dtype or ("fp32",)), options.opset).items():
        print(dtype, ", ".join(f"{name} {value:.2g}" for name, value in report.items()))


if __name__ == "__main__":
    main()
