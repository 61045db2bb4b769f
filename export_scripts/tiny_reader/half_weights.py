"""Stores a graph's large float32 weights in half precision, with a cast behind each: half the size on disk, and the same float32
inputs, outputs and arithmetic. Exact where the weights are values of half precision already, as `rounded` makes them.
"""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import torch

SMALL = 256
"""Weights of fewer numbers stay as they are."""


def rounded(model: torch.nn.Module) -> None:
    """Rounds all weights to half precision, in place; they stay float32."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())


def store_in_half(path: Path) -> None:
    model = ir.load(path)
    graph = model.graph
    for name, value in list(graph.initializers.items()):
        weights = value.const_value.numpy()
        if weights.dtype != np.float32 or weights.size < SMALL:
            continue
        half = weights.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), weights):
            raise ValueError(f"{path}: {name} is not of half precision, expected weights that `rounded` has seen")
        stored = ir.Value(name=f"{name}_half", shape=ir.Shape(half.shape), type=ir.TensorType(ir.DataType.FLOAT16))
        stored.const_value = ir.tensor(half, name=stored.name)
        cast = ir.node("Cast", [stored], {"to": int(ir.DataType.FLOAT)})
        value.replace_all_uses_with(cast.outputs[0])
        graph.initializers.pop(name)
        graph.initializers.add(stored)
        graph.insert_before(graph[0], cast)
    ir.save(model, path)
