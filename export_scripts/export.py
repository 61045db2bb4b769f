"""Exports a multimodal model from transformers to ONNX, in the three-file layout of transformers.js and onnx-community:

    python export_scripts/export.py MODEL_DIR OUT [--dtype fp32] [--dtype int8]

writes `OUT/onnx/{vision_encoder,embed_tokens,decoder_model_merged}{suffix}.onnx` (opset 23; the suffix is empty for fp32, `_int8`
for int8) and, beside `onnx/`, config, tokenizer, processor and chat template. The fp32 graphs are checked against transformers
(`parity.py`) and the export fails if they differ; int8 graphs (`quantize.py`) are compared with fp32, and the agreement is reported.
"""

import argparse
import os
import shutil
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import onnx_ir
import torch
from transformers import AutoModelForImageTextToText

import parity
from families import FAMILIES
from families.graphs import Graph
from quantize import quantize

OPSET = 23
"""Standard Attention, RMSNormalization and RotaryEmbedding; needs ONNX Runtime 1.24 or later (1.23: NaN with left padding)."""
SUFFIX = {"fp32": "", "int8": "_int8"}
EXTERNAL_DATA_ABOVE = 1 << 30
"""Bytes of weights from which they go to a file of their own: protobuf ends at 2 GiB."""
WEIGHTS = (".safetensors", ".bin", ".index.json", ".pt")


def export_model(source: Path, out: Path, dtypes: tuple[str, ...] = ("fp32",)) -> dict[str, dict[str, float]]:
    """Exports `source` (a transformers model directory) to `out`. Returns, per dtype, what the check measured."""
    model = AutoModelForImageTextToText.from_pretrained(source, dtype=torch.float32, attn_implementation="sdpa").eval()
    family = FAMILIES.get(model.config.model_type)
    if family is None:
        raise ValueError(f"no exporter for model_type {model.config.model_type!r} of {source}; there are: {', '.join(FAMILIES)}")
    graphs = family.graphs(model)
    folder = out / "onnx"
    folder.mkdir(parents=True, exist_ok=True)
    for graph in graphs:
        write_graph(graph, folder / f"{graph.file}.onnx")
    copy_settings(source, out)
    reports = {"fp32": parity.check(model, folder, SUFFIX["fp32"])}
    parity.require(reports["fp32"])
    if "int8" in dtypes:
        for graph in graphs:
            quantize(folder / f"{graph.file}.onnx", folder / f"{graph.file}{SUFFIX['int8']}.onnx")
        reports["int8"] = parity.check(model, folder, SUFFIX["int8"])
    if "fp32" not in dtypes:
        for graph in graphs:
            (folder / f"{graph.file}.onnx").unlink()
    return reports


def write_graph(graph: Graph, path: Path) -> None:
    with torch.no_grad():
        program = torch.onnx.export(
            graph.module.eval(),
            graph.arguments,
            input_names=graph.inputs,
            output_names=graph.outputs,
            dynamic_shapes=graph.dynamic_shapes,
            dynamo=True,
            opset_version=OPSET,
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


def copy_settings(source: Path, out: Path) -> None:
    """Everything in the model's directory but the weights."""
    for file in sorted(source.iterdir()):
        if file.is_file() and not file.name.endswith(WEIGHTS):
            shutil.copyfile(file, out / file.name)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model_dir", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--dtype", action="append", choices=list(SUFFIX), help="may be given several times (default: fp32)")
    options = arguments.parse_args()
    for dtype, report in export_model(options.model_dir, options.out, tuple(options.dtype or ("fp32",))).items():
        print(dtype, ", ".join(f"{name} {value:.2g}" for name, value in report.items()))


if __name__ == "__main__":
    main()
