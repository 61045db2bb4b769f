"""int8 for CPUs: weights as signed bytes with one scale per output channel, activations quantised while running.

Signed weights, because ONNX Runtime's fast kernels want them: with unsigned ones the same graph is several times slower.
"""

import tempfile
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic


def quantize(source: Path, target: Path) -> None:
    """Writes the int8 twin of a float32 graph. Matrix products are quantised; embeddings and attention stay float32."""
    model = onnx.load(source)
    # The exporter lists initializers among the intermediate values too, and the quantizer then trips over their types.
    initializers = {i.name for i in model.graph.initializer}
    values = [v for v in model.graph.value_info if v.name not in initializers]
    del model.graph.value_info[:]
    model.graph.value_info.extend(values)
    with tempfile.TemporaryDirectory() as folder:
        cleaned = Path(folder) / source.name
        onnx.save(model, cleaned)
        quantize_dynamic(cleaned, target, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul", "Gemm"])
