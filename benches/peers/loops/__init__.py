"""The loops of `peers/workload.py`: what one writes around transformers, ONNX Runtime or OpenVINO to put a list of prompts to a model."""
