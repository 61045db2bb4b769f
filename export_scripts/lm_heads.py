"""Decoders that are nothing but an LM head, one for each way in which exporters write it: tests/models/lm_heads/*.onnx.

They take the place of the decoder of tests/models/llava (hidden size 32) in the tests of the edit that lets a head compute
logits of the asked tokens only. Needs onnx and numpy.
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

OUT = Path(__file__).parent.parent / "tests" / "models" / "lm_heads"
HIDDEN, VOCABULARY = 32, 40
MICROSOFT = "com.microsoft"
random = np.random.default_rng(7)
WEIGHTS = random.normal(size=(HIDDEN, VOCABULARY)).astype(np.float32)
BIAS = random.normal(size=VOCABULARY).astype(np.float32)


def node(operator, inputs, outputs, domain="", **attributes):
    return helper.make_node(operator, inputs.split(), outputs.split(), domain=domain, **attributes)


def int8_weights():
    scale = np.abs(WEIGHTS).max(0) / 127
    return np.round(WEIGHTS / scale).astype(np.int8), scale.astype(np.float32)


def nbits_weights():
    """Four bits, blocks of 32 inputs: [vocabulary, blocks, 16] and a scale a block."""
    scale = np.abs(WEIGHTS).max(0) / 7
    levels = (np.round(WEIGHTS / scale) + 8).astype(np.uint8).T
    packed = levels[:, 0::2] | levels[:, 1::2] << 4
    return packed.reshape(VOCABULARY, 1, HIDDEN // 2), scale.astype(np.float32)


def write(name, nodes, further_inputs=(), **weights):
    """A decoder: the final norm's product with its weights, then `nodes` from `normed` to `logits`."""
    norm = 1 + random.normal(size=HIDDEN).astype(np.float32)
    weights = {"norm": norm, **weights}
    inputs = [
        helper.make_tensor_value_info("inputs_embeds", TensorProto.FLOAT, ["batch", "sequence", HIDDEN]),
        helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "sequence"]),
        *further_inputs,
    ]
    # As in real exports, the output's declared shape speaks of all tokens.
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "sequence", VOCABULARY])]
    graph = helper.make_graph(
        [node("Mul", "inputs_embeds norm", "normed"), *nodes],
        "decoder",
        inputs,
        outputs,
        [numpy_helper.from_array(np.asarray(value), key) for key, value in weights.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    checker.check_model(model)
    save(model, OUT / f"{name}.onnx")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    long = lambda *numbers: np.array(numbers, np.int64)
    to_keep = helper.make_tensor_value_info("num_logits_to_keep", TensorProto.INT64, [])
    write(
        "number_to_keep",
        [
            node("Neg", "num_logits_to_keep", "from_the_end"),
            node("Reshape", "from_the_end one", "start"),
            node("Slice", "normed start end one", "kept"),
            node("MatMul", "kept weights", "logits"),
        ],
        [to_keep],
        weights=WEIGHTS,
        one=long(1),
        end=long(2**63 - 1),
    )
    write(
        "gemm",
        [
            node("Shape", "inputs_embeds", "shape"),
            node("Slice", "shape zero two", "positions"),
            node("Concat", "positions vocabulary", "logits_shape", axis=0),
            node("Reshape", "normed flat", "normed_flat"),
            node("Gemm", "normed_flat weights bias", "product"),
            node("Reshape", "product logits_shape", "logits"),
        ],
        weights=WEIGHTS,
        bias=BIAS,
        flat=long(-1, HIDDEN),
        zero=long(0),
        two=long(2),
        vocabulary=long(VOCABULARY),
    )
    write(
        "tied_capped",
        [
            node("Transpose", "embeddings", "weights", perm=[1, 0]),
            node("MatMul", "normed weights", "product"),
            node("Add", "product bias", "biased"),
            node("Div", "biased cap", "small"),
            node("Tanh", "small", "capped"),
            node("Mul", "capped cap", "logits"),
        ],
        embeddings=np.ascontiguousarray(WEIGHTS.T),
        bias=BIAS,
        cap=np.float32(5),
    )
    write(
        "half",
        [
            node("Cast", "normed", "normed_half", to=TensorProto.FLOAT16),
            node("MatMul", "normed_half weights", "product"),
            node("Cast", "product", "logits", to=TensorProto.FLOAT),
        ],
        weights=WEIGHTS.astype(np.float16),
    )
    quantized, scale = int8_weights()
    write(
        "int8_fused",
        [node("DynamicQuantizeMatMul", "normed weights scale", "logits", MICROSOFT)],
        weights=quantized,
        scale=scale,
    )
    packed, scale = nbits_weights()
    sizes = {"K": HIDDEN, "N": VOCABULARY, "bits": 4, "block_size": 32}
    write(
        "nbits",
        [node("MatMulNBits", "normed weights scale", "logits", MICROSOFT, **sizes)],
        weights=packed,
        scale=scale,
    )
    write(
        "last_only",
        [
            node("Slice", "normed minus_one end one", "last"),
            node("MatMul", "last weights", "logits"),
        ],
        weights=WEIGHTS,
        minus_one=long(-1),
        one=long(1),
        end=long(2**63 - 1),
    )


if __name__ == "__main__":
    main()
