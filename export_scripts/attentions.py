"""Vision encoders that are nothing but attention, one for each way in which exporters write it: tests/models/attentions/*.onnx.

They take the place of the vision encoder of tests/models/llava (56 x 56 pixels, 16 tokens of 32) in the tests of the edit that
fuses attention. Needs onnx and numpy.
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

OUT = Path(__file__).parent.parent / "tests" / "models" / "attentions"
TOKENS, HIDDEN, HEADS = 16, 32, 2
SIZE = HIDDEN // HEADS
random = np.random.default_rng(11)


def node(operator, inputs, outputs, **attributes):
    return helper.make_node(operator, inputs.split(" "), outputs.split(), **attributes)


def long(*numbers):
    return np.array(numbers, np.int64)


def write(name, nodes, **weights):
    """From `q`, `k` and `v` [images, tokens, hidden], which are split into `q4`, `k4`, `v4`, to `mean` [images, heads, tokens, size]."""
    projections = {f"{part}.weight": random.normal(size=(HIDDEN, HIDDEN)) / 4 for part in "qkv"}
    weights = {"patch": random.normal(size=(3, HIDDEN)), **projections, **weights}
    weights = {key: np.asarray(w, np.float32) if w.dtype == np.float64 else w for key, w in weights.items()}
    weights |= {"channels": long(0, 3, TOKENS), "joined": long(-1, TOKENS, HIDDEN), "split": long(0, 0, HEADS, SIZE)}
    before = [
        node("AveragePool", "pixel_values", "pooled", kernel_shape=[14, 14], strides=[14, 14]),
        node("Reshape", "pooled channels", "flat"),
        node("Transpose", "flat", "tokens", perm=[0, 2, 1]),
        node("MatMul", "tokens patch", "x"),
        *(node("MatMul", f"x {part}.weight", part) for part in "qkv"),
    ]
    after = [
        node("Transpose", "mean", "mean.joined", perm=[0, 2, 1, 3]),
        node("Reshape", "mean.joined joined", "image_features"),
    ]
    inputs = [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["images", 3, 56, 56])]
    outputs = [helper.make_tensor_value_info("image_features", TensorProto.FLOAT, ["images", TOKENS, HIDDEN])]
    used = {read for n in [*before, *nodes, *after] for read in n.input}
    initializers = [numpy_helper.from_array(w, key) for key, w in weights.items() if key in used]
    graph = helper.make_graph([*before, *nodes, *after], "vision", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    save(model, OUT / f"{name}.onnx")


def heads(parts="qkv"):
    for part in parts:
        yield node("Reshape", f"{part} split", f"{part}.apart")
        yield node("Transpose", f"{part}.apart", f"{part}4", perm=[0, 2, 1, 3])


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    # scaled_dot_product_attention by the TorchScript exporter, with a mask that is computed.
    write(
        "torchscript",
        [
            *heads(),
            node("Transpose", "k4", "k.transposed", perm=[0, 1, 3, 2]),
            node("Shape", "q4", "q.shape"),
            node("Slice", "q.shape minus_one end", "size"),
            node("Cast", "size", "size.float", to=TensorProto.FLOAT),
            node("Sqrt", "size.float", "root"),
            node("Div", "one root", "scale"),
            node("Sqrt", "scale", "scale.root"),
            node("Mul", "q4 scale.root", "q.scaled"),
            node("Mul", "k.transposed scale.root", "k.scaled"),
            node("MatMul", "q.scaled k.scaled", "scores"),
            node("Where", "seen zero lowest", "mask"),
            node("Add", "scores mask", "masked"),
            node("Softmax", "masked", "weights", axis=-1),
            node("MatMul", "weights v4", "mean"),
        ],
        minus_one=long(-1),
        end=long(2**63 - 1),
        one=np.array([1], np.float32),
        zero=np.array(0, np.float32),
        lowest=np.array(np.finfo(np.float32).min),
        seen=random.random((1, 1, TOKENS, TOKENS)) > 0.3,
    )
    # Attention in eager mode; sizes are put together when the graph runs, and how many heads there are follows from the width.
    write(
        "eager",
        [
            node("Shape", "x", "x.shape"),
            node("Slice", "x.shape zero one", "images"),
            node("Slice", "x.shape one two", "length"),
            node("Concat", "images length heads size", "split.computed", axis=0),
            *(node("Reshape", f"{part} split.computed", f"{part}.apart") for part in "qkv"),
            node("Transpose", "q.apart", "q4", perm=[0, 2, 1, 3]),
            node("Transpose", "k.apart", "k.transposed", perm=[0, 2, 3, 1]),
            node("Transpose", "v.apart", "v4", perm=[0, 2, 1, 3]),
            node("MatMul", "q4 k.transposed", "scores"),
            node("Mul", "scores scale", "scaled"),
            node("Softmax", "scaled", "weights", axis=3),
            node("MatMul", "weights v4", "mean"),
        ],
        zero=long(0),
        one=long(1),
        two=long(2),
        heads=long(-1),
        size=long(SIZE),
        scale=np.array(SIZE**-0.5, np.float32),
    )
    # A mask of keys, the same for all queries.
    write(
        "masked_keys",
        [
            *heads(),
            node("Transpose", "k4", "k.transposed", perm=[0, 1, 3, 2]),
            node("MatMul", "q4 k.transposed", "scores"),
            node("Div", "scores root", "scaled"),
            node("Add", "mask scaled", "masked"),
            node("Softmax", "masked", "weights", axis=-1),
            node("MatMul", "weights v4", "mean"),
        ],
        root=np.array(SIZE**0.5, np.float32),
        mask=np.where(np.arange(TOKENS) < 11, 0, -1e9).astype(np.float32)[None, None, None],
    )


if __name__ == "__main__":
    main()
