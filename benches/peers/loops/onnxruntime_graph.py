"""A file in ONNX Runtime's CPU or CUDA provider. The KV cache stays in its own values, on a GPU in its memory: it is not copied to numpy
and back for every token.
"""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnxruntime import OrtValue

from .three_files import Feed, Graph

CUDA = ("CUDAExecutionProvider", {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC", "arena_extend_strategy": "kSameAsRequested"})
"""As crossmodal has it: exact, and made for batches of many shapes."""


def load(path: Path, device: str, threads: int) -> Graph:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = session_on_gpu(path, options) if device == "cuda" else on_processor(path, options)
    names = [output.name for output in session.get_outputs()]
    inputs = {i.name: [size if isinstance(size, int) else 0 for size in i.shape] for i in session.get_inputs()}

    def run(feed: Feed) -> Feed:
        values = {name: OrtValue.ortvalue_from_numpy(value) if isinstance(value, np.ndarray) else value for name, value in feed.items()}
        if device == "cuda":
            return run_bound(session, names, values, device)
        outputs = dict(zip(names, session.run_with_ort_values(names, values)))
        return {name: value if name.startswith("present.") else value.numpy() for name, value in outputs.items()}

    return Graph(inputs, run)


def on_processor(path: Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def session_on_gpu(path: Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    """ONNX Runtime only warns where CUDA's libraries cannot be loaded, and takes the processor."""
    onnxruntime.preload_dlls()
    session = onnxruntime.InferenceSession(path, options, providers=[CUDA, "CPUExecutionProvider"])
    found = session.get_providers()
    if found[0] != CUDA[0]:
        raise RuntimeError(f"{path.name}: asked onnxruntime {onnxruntime.__version__} for {CUDA[0]}, got {', '.join(found)}")
    return session


def run_bound(session: onnxruntime.InferenceSession, names: list[str], values: dict[str, OrtValue], device: str) -> Feed:
    """Leaves all outputs on `device`, and fetches what is read: of the logits those of the last position, all that anybody asks for."""
    binding = session.io_binding()
    for name, value in values.items():
        binding.bind_ortvalue_input(name, value)
    for name in names:
        binding.bind_output(name, device)
    session.run_with_iobinding(binding)

    def read(name: str, value: OrtValue) -> np.ndarray | OrtValue:
        if name.startswith("present."):
            return value
        return torch.from_dlpack(value)[:, -1:].cpu().numpy() if name == "logits" else value.numpy()

    return {name: read(name, value) for name, value in zip(names, binding.get_outputs())}
