"""Do the exported graphs say what transformers says? Prefill, decode with a past, and a longer continuation on a past, for
batches of one, two and three left-padded prompts with an image each, in float32.
"""

from pathlib import Path

import numpy as np
import onnxruntime
import torch

TOLERANCE = 1e-4
"""Largest difference of a logit. Below what a wrong position costs (4e-3 for a 1-D stand-in of M-RoPE), above rounding."""
CONTINUATION = 6
"""Tokens that the chunked check runs on top of a past."""


class ThreeFiles:
    """The exported model as the evaluator runs it: encode images, embed tokens, put features in their places, decode."""

    def __init__(self, folder: Path, suffix: str, threads: int = 1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3

        def session(name: str) -> onnxruntime.InferenceSession:
            return onnxruntime.InferenceSession(folder / f"{name}{suffix}.onnx", options, providers=["CPUExecutionProvider"])

        self.vision, self.embedding, self.decoder = map(session, ("vision_encoder", "embed_tokens", "decoder_model_merged"))
        self.past = [i for i in self.decoder.get_inputs() if i.name.startswith("past_key_values.")]
        self.outputs = [o.name for o in self.decoder.get_outputs()]

    def image_features(self, pixel_values: np.ndarray) -> np.ndarray:
        """float32 [n, 3, height, width] -> [n, tokens, hidden]"""
        return self.vision.run(None, {"pixel_values": pixel_values})[0]

    def embed(self, input_ids: np.ndarray, image_token: int, features: np.ndarray | None = None) -> np.ndarray:
        """int64 [batch, seq] -> [batch, seq, hidden], with image features in the place of the image tokens."""
        embeds = self.embedding.run(None, {"input_ids": input_ids})[0]
        if features is not None:
            embeds[input_ids == image_token] = features.reshape(-1, features.shape[-1])
        return embeds

    def decode(self, embeds: np.ndarray, mask: np.ndarray, positions: np.ndarray, past: dict | None = None) -> tuple[np.ndarray, dict]:
        """Logits [batch, seq, vocabulary], and the past for what comes next."""
        if past is None:
            past = {i.name: np.zeros((len(embeds), i.shape[1], 0, i.shape[3]), np.float32) for i in self.past}
        feed = {"inputs_embeds": embeds, "attention_mask": mask, "position_ids": positions, **past}
        named = dict(zip(self.outputs, self.decoder.run(None, feed)))
        return named["logits"], {i.name: named[i.name.replace("past_key_values", "present")] for i in self.past}


def check(model, folder: Path, suffix: str) -> dict[str, float]:
    """Largest absolute differences of logits against `model`, and the share of positions with the same argmax."""
    onnx = ThreeFiles(folder, suffix)
    worst = {"prefill": 0.0, "decode": 0.0, "continuation": 0.0}
    same = []
    for batch in (2, 1, 3):
        ids, mask, pixels = prompts(model, batch)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        with torch.no_grad():
            prefill = model(input_ids=ids, attention_mask=mask, position_ids=positions, pixel_values=pixels, use_cache=True)
            token = prefill.logits[:, -1:].argmax(-1)
            longer = torch.cat([mask, torch.ones_like(token)], 1)
            following = positions[:, -1:] + 1
            step = model(input_ids=token, attention_mask=longer, position_ids=following, past_key_values=prefill.past_key_values)
        image_token = model.config.image_token_id
        embeds = onnx.embed(ids.numpy(), image_token, onnx.image_features(pixels.numpy()))
        logits, past = onnx.decode(embeds, mask.numpy(), positions.numpy())
        real = mask.bool().numpy()  # what a padded position says is of no interest
        expected = prefill.logits.numpy()
        worst["prefill"] = max(worst["prefill"], np.abs(logits - expected)[real].max())
        same.append((logits.argmax(-1) == expected.argmax(-1))[real])
        logits, _ = onnx.decode(onnx.embed(token.numpy(), image_token), longer.numpy(), following.numpy(), past)
        worst["decode"] = max(worst["decode"], np.abs(logits - step.logits.numpy()).max())
        head = ids.shape[1] - CONTINUATION
        _, past = onnx.decode(embeds[:, :head], mask[:, :head].numpy(), positions[:, :head].numpy())
        logits, _ = onnx.decode(embeds[:, head:], mask.numpy(), positions[:, head:].numpy(), past)
        worst["continuation"] = max(worst["continuation"], np.abs(logits - expected[:, head:]).max())
    return {**{name: float(value) for name, value in worst.items()}, "argmax agreement": float(np.concatenate(same).mean())}


def require(report: dict[str, float]) -> None:
    """Fails where a float32 export differs from transformers by more than rounding."""
    for name in ("prefill", "decode", "continuation"):
        if not report[name] <= TOLERANCE:
            raise ArithmeticError(f"{name}: logits differ from transformers by {report[name]:.2e}, expected at most {TOLERANCE:.0e}")


def prompts(model, batch: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Left-padded random prompts of different lengths, each with one image: (ids, mask [batch, seq], pixels [batch, 3, h, w])."""
    random = torch.Generator().manual_seed(batch)
    config = model.config
    size, tokens = config.vision_config.image_size, config.image_seq_length
    lengths = [9 + 4 * row for row in range(batch)]
    total = tokens + max(lengths)
    ids = torch.full((batch, total), config.get_text_config().pad_token_id or 0)
    mask = torch.zeros((batch, total), dtype=torch.int64)
    special = {config.image_token_id, config.get_text_config().pad_token_id}
    words = torch.tensor([i for i in range(config.get_text_config().vocab_size) if i not in special])
    for row, length in enumerate(lengths):
        text = words[torch.randint(len(words), (length,), generator=random)]
        prompt = torch.cat([text[:3], torch.full((tokens,), config.image_token_id), text[3:]])
        ids[row, total - len(prompt) :] = prompt
        mask[row, total - len(prompt) :] = 1
    return ids, mask, torch.randn(batch, 3, size, size, generator=random)
