"""What the processor, or a GPU, can do: the rate of a product of two square matrices.

    python benches/gemm.py --threads 2
    python benches/gemm.py --device cuda

On the processor, on a number of threads: ONNX Runtime with a constant right side (which it packs once, as weights), fp32; torch in bf16.
On a GPU: torch in fp32 (without TF32), bf16 and fp16. Prints GFLOP/s of the best of some runs, as one JSON object.
"""

import argparse
import json
import time

import gpu
import numpy as np
import onnx
import onnxruntime
import torch

SIZE = 2048
GPU_SIZE = 8192
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


def torch_cuda(dtype: torch.dtype) -> float:
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    left, right = (torch.randn(GPU_SIZE, GPU_SIZE, dtype=dtype, device="cuda") for _ in range(2))

    def product() -> None:
        left @ right
        torch.cuda.synchronize()

    return best(product, GPU_SIZE)


def best(product, size: int = SIZE) -> float:
    """GFLOP/s of the fastest run of a product of matrices of `size` rows."""
    product()
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - began)
    return 2 * size**3 / min(seconds) / 1e9


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    options = arguments.parse_args()
    if options.device == "cuda":
        gpu.require()
        rates = {"f32": torch_cuda(torch.float32), "bf16": torch_cuda(torch.bfloat16), "fp16": torch_cuda(torch.float16)}
    else:
        rates = {"f32": onnxruntime_f32(options.threads), "bf16": torch_bf16(options.threads)}
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
