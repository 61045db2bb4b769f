"""A file in ONNX Runtime's CPU provider. The KV cache stays in its own values: it is not copied to numpy and back for every token."""

from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime import OrtValue

from .three_files import Feed, Graph


def load(path: Path, threads: int) -> Graph:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    inputs = {i.name: [size if isinstance(size, int) else 0 for size in i.shape] for i in session.get_inputs()}

    def run(feed: Feed) -> Feed:
        values = {name: OrtValue.ortvalue_from_numpy(value) if isinstance(value, np.ndarray) else value for name, value in feed.items()}
        outputs = dict(zip(names, session.run_with_ort_values(names, values)))
        return {name: value if name.startswith("present.") else value.numpy() for name, value in outputs.items()}

    return Graph(inputs, run)
