"""The parts of `train_tiny_reader.py`."""
