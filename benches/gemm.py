"""What the processor can do: the rate of a product of two square matrices, on a number of threads.

    python benches/gemm.py --threads 2

ONNX Runtime with a constant right side (which it packs once, as weights), fp32; torch in bf16. Prints GFLOP/s of the best of some runs,
as one JSON object.
"""

import argparse
import json
import time

import numpy as np
import onnx
import onnxruntime
import torch

SIZE = 2048
RUNS = 8


def onnxruntime_f32(threads: int) -> float:
    random = np.random.default_rng(0)
    left, right = (random.standard_normal((SIZE, SIZE), dtype=np.float32) for _ in range(2))
    tensor = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["left", "right"], ["product"])],
        "product",
        [tensor("left", onnx.TensorProto.FLOAT, left.shape)],
        [tensor("product", onnx.TensorProto.FLOAT, left.shape)],
        [onnx.numpy_helper.from_array(right, "right")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return best(lambda: session.run(None, {"left": left}))


def torch_bf16(threads: int) -> float:
    torch.set_num_threads(threads)
    left, right = (torch.randn(SIZE, SIZE, dtype=torch.bfloat16) for _ in range(2))
    return best(lambda: left @ right)


def best(product) -> float:
    """GFLOP/s of the fastest run."""
    product()
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - began)
    return 2 * SIZE**3 / min(seconds) / 1e9


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--threads", type=int, default=1)
    threads = arguments.parse_args().threads
    print(json.dumps({"f32": onnxruntime_f32(threads), "bf16": torch_bf16(threads)}))


if __name__ == "__main__":
    main()
