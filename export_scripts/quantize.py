"""The other precisions of a float32 graph, a file in and a file out.

- fp16: weights and arithmetic in half precision, and the keys and values of the past with them; features, embeddings and logits
  stay float32, and so does what turns positions into angles, which half precision cannot count beyond 2,048.
- int8, for CPUs: the weights of every matrix product, LM head included, as signed bytes, symmetric, with one scale per output
  channel; activations as unsigned bytes, quantised while running (DynamicQuantizeLinear). What it costs and what it pays on a CPU
  with VNNI is measured in README.md. On x86 CPUs without it (before about 2019) sums of u8 x s8 may saturate: measure there with
  `crossmodal compare`, or stay with fp32.
- q4: weights in 4 bits, 32 of them to a scale, symmetric; arithmetic in float32.

int8 and q4 are about matrix products with weights: embeddings, the patch convolution and attention itself stay float32.
"""

import tempfile
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.transformers.float16 import convert_float_to_float16

BLOCK = 32
"""Weights that share a scale in q4."""
EXTERNAL_DATA_ABOVE = 1 << 30


def load(source: Path) -> onnx.ModelProto:
    """The graph without what the exporter lists twice: initializers among the intermediate values, which quantizers trip over."""
    model = onnx.load(source)
    initializers = {i.name for i in model.graph.initializer}
    values = [v for v in model.graph.value_info if v.name not in initializers]
    del model.graph.value_info[:]
    model.graph.value_info.extend(values)
    return model


def save(model: onnx.ModelProto, target: Path) -> None:
    if model.ByteSize() > EXTERNAL_DATA_ABOVE:
        onnx.save(model, target, save_as_external_data=True, location=f"{target.name}_data")
    else:
        onnx.save(model, target)


def to_int8(source: Path, target: Path) -> None:
    model = load(source)
    large = model.ByteSize() > EXTERNAL_DATA_ABOVE
    with tempfile.TemporaryDirectory() as folder:
        cleaned = Path(folder) / source.name
        save(model, cleaned)
        quantize_dynamic(
            cleaned,
            target,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=False,
            op_types_to_quantize=["MatMul", "Gemm"],
            use_external_data_format=large,
            extra_options={"WeightSymmetric": True, "MatMulConstBOnly": True},
        )
    require_signed(onnx.load(target, load_external_data=False), target)


def require_signed(model: onnx.ModelProto, path: Path) -> None:
    """Fails where a weight is not signed, or has no scale of its own per output channel: kernels of other kinds are slow or coarse."""
    weights = {weight.name: weight for weight in model.graph.initializer}
    products = [node for node in model.graph.node if node.op_type == "MatMulInteger"]
    for node in products:
        weight, zero = weights[node.input[1]], weights[node.input[3]]
        signed = weight.data_type == zero.data_type == onnx.TensorProto.INT8
        if not signed or list(zero.dims) != list(weight.dims[-1:]):
            kind = onnx.TensorProto.DataType.Name(weight.data_type)
            raise ValueError(f"{path}, {node.name}: expected int8 weights with one scale a channel, found {kind}, {list(zero.dims)}")


def to_q4(source: Path, target: Path) -> None:
    quantizer = MatMulNBitsQuantizer(load(source), bits=4, block_size=BLOCK, is_symmetric=True)
    quantizer.process()
    save(quantizer.model.model, target)


def to_fp16(source: Path, target: Path) -> None:
    model = load(source)
    skeleton = onnx.shape_inference.infer_shapes(onnx.load(source, load_external_data=False))
    known = {v.name for v in model.graph.value_info}
    model.graph.value_info.extend(v for v in skeleton.graph.value_info if v.name not in known)  # it casts what has a known type
    compute_constant_outputs(model)
    ends = [value.name for value in (*model.graph.input, *model.graph.output)]
    float32 = [name for name in ends if not name.startswith(("past_key_values.", "present."))]
    half = convert_float_to_float16(model, keep_io_types=float32, node_block_list=angles(model), disable_shape_infer=True)
    first_casts = {node.output[0]: node for node in reversed(half.graph.node)}
    nodes = [node for node in half.graph.node if first_casts[node.output[0]] is node]  # the converter repeats casts of one value
    del half.graph.node[:]
    half.graph.node.extend(nodes)
    save(half, target)


def compute_constant_outputs(model: onnx.ModelProto) -> None:
    """An output that is a weight itself (LLaVA-NeXT's newline) becomes a copy of it: the converter casts what nodes compute."""
    outputs = {value.name for value in model.graph.output}
    for weight in model.graph.initializer:
        if weight.name in outputs:
            copy = onnx.helper.make_node("Identity", [f"{weight.name}.weight"], [weight.name], name=f"{weight.name}.copy")
            weight.name = f"{weight.name}.weight"
            model.graph.node.append(copy)


def angles(model: onnx.ModelProto) -> list[str]:
    """The nodes that lead to a sine or a cosine, and these: the way from positions to the rotation of queries and keys."""
    producer = {output: node for node in model.graph.node for output in node.output}
    waiting = [node for node in model.graph.node if node.op_type in ("Cos", "Sin")]
    found: dict[str, None] = {}
    while waiting:
        node = waiting.pop()
        if node.name not in found:
            found[node.name] = None
            waiting += [producer[name] for name in node.input if name in producer]
    return list(found)


QUANTIZERS = {"fp16": to_fp16, "int8": to_int8, "q4": to_q4}
