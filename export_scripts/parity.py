"""Do the exported graphs say what transformers says? Prefill, decode with a past, and a longer continuation on a past, in
float32, on what the model's own processor makes of prompts with no, one and two images of different sizes, padded on the left.
"""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image

from families.host import Host

TOLERANCE = 1e-4
"""Largest difference of a logit. Below what a wrong position costs (4e-3 for a 1-D stand-in of M-RoPE), above rounding."""
CONTINUATION = 4
"""Tokens that the chunked check runs on top of a past: text at the end of every prompt."""
QUESTIONS = ("Is the square blue? Say yes or no.", "What color is it?", "Which of these pictures shows more, and why?")
BATCHES = (
    (((60, 130),), ((64, 64), (200, 64))),
    (((100, 90),),),
    (((200, 64),), ((50, 33), (90, 100)), ((120, 120),)),
    ((),),
)
"""Batches of prompts, a prompt being the (width, height) of its images."""
ELEMENT = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64, "tensor(bool)": np.bool_}


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

    def encode(self, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """All outputs of the vision encoder."""
        return run(self.vision, feed)

    def image_features(self, pixel_values: np.ndarray) -> np.ndarray:
        """float32 [n, 3, height, width] -> [n, tokens, hidden]"""
        return self.encode({"pixel_values": pixel_values})["image_features"]

    def embed(self, input_ids: np.ndarray, image_token: int, features: np.ndarray | None = None) -> np.ndarray:
        """int64 [batch, seq] -> [batch, seq, hidden], with image features in the place of the image tokens."""
        embeds = run(self.embedding, {"input_ids": input_ids})["inputs_embeds"]
        if features is not None:
            embeds[input_ids == image_token] = features.reshape(-1, features.shape[-1])
        return embeds

    def decode(
        self, embeds: np.ndarray, mask: np.ndarray, positions: np.ndarray, past: dict | None = None, **extras: np.ndarray
    ) -> tuple[np.ndarray, dict]:
        """Logits [batch, seq, vocabulary], and the past for what comes next. `extras` are inputs of some families only."""
        if past is None:
            past = {i.name: np.zeros((len(embeds), i.shape[1], 0, i.shape[3]), ELEMENT[i.type]) for i in self.past}
        feed = {"inputs_embeds": embeds, "attention_mask": mask, "position_ids": positions, **extras, **past}
        outputs = run(self.decoder, feed)
        return outputs["logits"], {i.name: outputs[i.name.replace("past_key_values", "present")] for i in self.past}


def run(session: onnxruntime.InferenceSession, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All outputs by name. Inputs are cast to the element types that the graph declares."""
    typed = {i.name: feed[i.name].astype(ELEMENT[i.type], copy=False) for i in session.get_inputs()}
    return dict(zip((o.name for o in session.get_outputs()), session.run(None, typed)))


def check(model, processor, host: Host, folder: Path, suffix: str) -> dict[str, float]:
    """Largest absolute differences of logits against `model`, and the share of positions with the same argmax."""
    onnx = ThreeFiles(folder, suffix)
    worst = {"prefill": 0.0, "decode": 0.0}
    same = []
    for rows in BATCHES:
        if host.needs_images and not all(rows):
            continue
        inputs = prompts(processor, rows)
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        positions = host.positions(inputs)
        following = host.following(positions)
        with torch.no_grad():
            prefill = model(**inputs, position_ids=positions, use_cache=True)
            token = prefill.logits[:, -1:].argmax(-1)
            longer = torch.cat([mask, torch.ones_like(token)], 1)
            step = model(input_ids=token, attention_mask=longer, position_ids=following, past_key_values=prefill.past_key_values)
        image_token = model.config.image_token_id
        outputs = onnx.encode(host.vision_feed(inputs)) if "pixel_values" in inputs else {}
        extras = host.extras(inputs, outputs)
        embeds = onnx.embed(ids.numpy(), image_token, host.features(outputs, inputs) if outputs else None)
        logits, past = onnx.decode(embeds, mask.numpy(), positions.numpy(), **extras)
        real = mask.bool().numpy()  # what a padded position says is of no interest
        expected = prefill.logits.numpy()
        note(worst, "prefill", (logits - expected)[real])
        same.append((logits.argmax(-1) == expected.argmax(-1))[real])
        embedded = onnx.embed(token.numpy(), image_token)
        logits, _ = onnx.decode(embedded, longer.numpy(), following.numpy(), past, **host.following_extras(extras))
        note(worst, "decode", logits - step.logits.numpy())
        if host.splits_prompts:
            at = ids.shape[1] - CONTINUATION
            first = {name: value[:, :at] for name, value in extras.items()}
            second = {name: value[:, at:] for name, value in extras.items()}
            _, past = onnx.decode(embeds[:, :at], mask[:, :at].numpy(), positions[..., :at].numpy(), **first)
            logits, _ = onnx.decode(embeds[:, at:], mask.numpy(), positions[..., at:].numpy(), past, **second)
            note(worst, "continuation", logits - expected[:, at:])
    return {**worst, "argmax agreement": float(np.concatenate(same).mean())}


def note(worst: dict[str, float], name: str, difference: np.ndarray) -> None:
    """Keeps the largest, of which NaN is one."""
    worst[name] = float(np.maximum(worst.get(name, 0.0), np.abs(difference).max()))


def require(report: dict[str, float]) -> None:
    """Fails where a float32 export differs from transformers by more than rounding."""
    for name in ("prefill", "decode", "continuation"):
        if name in report and not report[name] <= TOLERANCE:
            found = f"logits differ from transformers by {report[name]:.2e}"
            raise ArithmeticError(f"{name}: {found}, expected at most {TOLERANCE:.0e}")


def prompts(processor, rows: tuple[tuple[tuple[int, int], ...], ...]):
    """The model's inputs for prompts whose images have these (width, height), left-padded."""
    texts, images = [], []
    for row, sizes in enumerate(rows):
        texts.append(prompt(processor, len(sizes), QUESTIONS[row]))
        images.append([Image.fromarray(picture(width, height, 10 * row + i)) for i, (width, height) in enumerate(sizes)])
    if processor.tokenizer.pad_token is None:
        processor.tokenizer.pad_token = processor.tokenizer.eos_token
    some = {"images": images} if any(images) else {}
    inputs = processor(text=texts, **some, padding=True, padding_side="left", return_tensors="pt")
    inputs.pop("labels", None)
    return inputs


def prompt(processor, images: int, text: str) -> str:
    """Images first, then the text: by the chat template, or one after another where a model has none."""
    if not processor.chat_template:
        return processor.image_token * images + text
    parts = [*[{"type": "image"}] * images, {"type": "text", "text": text}]
    return processor.apply_chat_template([{"role": "user", "content": parts}], add_generation_prompt=True)


def picture(width: int, height: int, seed: int) -> np.ndarray:
    """uint8 [height, width, 3]: pixel (x, y, c) = (3x² + 5y² + (c+1)xy + 17 seed + 50c) mod 256."""
    y, x, c = np.mgrid[:height, :width, :3]
    return ((3 * x * x + 5 * y * y + (c + 1) * x * y + 17 * seed + 50 * c) % 256).astype(np.uint8)
