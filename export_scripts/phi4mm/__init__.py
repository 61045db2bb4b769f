"""Phi-4-multimodal (`phi4mm`) as published: its checkpoint in transformers' classes, with the vision LoRA, and its own image processor."""
