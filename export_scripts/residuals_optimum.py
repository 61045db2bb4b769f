"""tests/models/residuals/optimum.onnx: the Llama of `residuals.py`, exported by optimum, which needs an older transformers than the other
scripts and so an environment of its own:

    python export_scripts/residuals.py --checkpoint runs/residuals
    python3 -m venv .optimum && .optimum/bin/pip install optimum-onnx onnx
    .optimum/bin/python export_scripts/residuals_optimum.py runs/residuals

Optimum's language models take token ids. The lookup of embeddings is cut off, as the decoder of a vision-language model takes embeddings.
"""

import argparse
import json
import tempfile
from pathlib import Path

import onnx
from optimum.exporters.onnx import onnx_export_from_model
from transformers import AutoModelForCausalLM

OUT = Path(__file__).parent.parent / "tests" / "models" / "residuals" / "optimum.onnx"
IDS, EMBEDS = "input_ids", "inputs_embeds"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("checkpoint", type=Path)
    checkpoint = arguments.parse_args().checkpoint
    hidden = json.loads((checkpoint / "config.json").read_text())["hidden_size"]
    model = AutoModelForCausalLM.from_pretrained(checkpoint).eval()
    with tempfile.TemporaryDirectory() as folder:
        onnx_export_from_model(model, folder, task="text-generation-with-past", do_validation=False)
        exported = onnx.load(Path(folder) / "model.onnx")
    take_embeddings(exported.graph, hidden)
    onnx.checker.check_model(exported)
    onnx.save(exported, OUT)


def take_embeddings(graph, hidden: int) -> None:
    (lookup,) = (node for node in graph.node if node.op_type == "Gather" and node.input[1] == IDS)
    graph.node.remove(lookup)
    for node in graph.node:
        node.input[:] = [EMBEDS if name in (lookup.output[0], IDS) else name for name in node.input]
    (ids,) = (value for value in graph.input if value.name == IDS)
    axes = [axis.dim_param for axis in ids.type.tensor_type.shape.dim]
    graph.input.remove(ids)
    graph.input.insert(0, onnx.helper.make_tensor_value_info(EMBEDS, onnx.TensorProto.FLOAT, [*axes, hidden]))
    read = {name for node in graph.node for name in node.input}
    for weights in [weights for weights in graph.initializer if weights.name not in read]:
        graph.initializer.remove(weights)


if __name__ == "__main__":
    main()
