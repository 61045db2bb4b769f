"""A file in OpenVINO on the CPU, with f32 or bf16 as its inference precision. Two requests take turns, so that what the one wrote (the KV
cache) is read by the other without a copy.
"""

from itertools import cycle
from pathlib import Path

import openvino

from .three_files import Feed, Graph


def load(path: Path, threads: int, precision: str) -> Graph:
    core = openvino.Core()
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(core.read_model(path), "CPU", settings)
    found = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if found != precision:
        raise RuntimeError(f"{path.name}: asked OpenVINO for {precision}, got {found}: this processor may not have it")
    inputs = {i.any_name: [size.get_length() if size.is_static else 0 for size in i.partial_shape] for i in compiled.inputs}
    requests = cycle([compiled.create_infer_request() for _ in range(2)])

    def run(feed: Feed) -> Feed:
        outputs = next(requests).infer(feed, share_inputs=True, share_outputs=True)
        return {output.any_name: value for output, value in outputs.items()}

    return Graph(inputs, run)
