"""transformers on the safetensors checkpoint: `forward` for scores, `generate` for what is written."""

from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForImageTextToText

from .stages import Stages


class TorchModel:
    def __init__(self, folder: Path, device: str, precision: str, threads: int, stages: Stages):
        torch.set_num_threads(threads)
        if device == "cuda":  # Without TF32, which convolutions have by default.
            torch.backends.cuda.matmul.fp32_precision = torch.backends.cudnn.conv.fp32_precision = "ieee"
        self.device = device
        self.dtype = {"f32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
        model = AutoModelForImageTextToText.from_pretrained(folder, dtype=self.dtype, attn_implementation="sdpa")
        self.model = model.to(device).eval()
        stages.watch(model.model.vision_model, lambda _: "vision")
        stages.watch(model, lambda named: "decode" if named["input_ids"].shape[1] == 1 else "prefill")

    @torch.inference_mode()
    def score(self, inputs) -> np.ndarray:
        """Logits of the next token, float32 [batch, vocabulary]."""
        return self.model(**self.typed(inputs), logits_to_keep=1).logits[:, -1].float().cpu().numpy()

    @torch.inference_mode()
    def write(self, inputs, max_new_tokens: int) -> np.ndarray:
        """Greedy tokens, int64 [batch, written]; what follows a stop token means nothing."""
        tokens = self.model.generate(**self.typed(inputs), max_new_tokens=max_new_tokens, do_sample=False)
        return tokens[:, inputs["input_ids"].shape[1] :].cpu().numpy()

    def typed(self, inputs) -> dict:
        dtypes = {name: self.dtype if value.is_floating_point() else value.dtype for name, value in inputs.items()}
        return {name: value.to(self.device, dtypes[name]) for name, value in inputs.items()}
