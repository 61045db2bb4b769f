"""A file in ONNX Runtime's CPU provider."""

from pathlib import Path

import onnxruntime

from .three_files import Feed, Graph


def load(path: Path, threads: int) -> Graph:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    inputs = {i.name: [size if isinstance(size, int) else 0 for size in i.shape] for i in session.get_inputs()}

    def run(feed: Feed) -> Feed:
        return dict(zip(names, session.run(names, feed)))

    return Graph(inputs, run)
