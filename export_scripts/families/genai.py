"""The layout of ONNX Runtime GenAI: `genai_config.json` names the files and the inputs and outputs of each graph.

A vision graph gives the tokens of all images in one row, an embedding graph puts them in their places, a decoder answers. What the
Phi families share of it stands here: the order of an image's tokens as arithmetic, the embedding, the settings.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch

import parity

from .graphs import BATCH, SEQUENCE, Graph

IMAGES, CROPS, TOKENS = "num_images", "max_num_crops", "num_image_tokens"
VISION, EMBEDDING, TEXT = "vision", "embedding", "model"
BATCHES = ((((60, 130),), ((64, 64), (200, 64))), (((300, 90),), ((300, 90),), ((300, 90),)), (((700, 100), (900, 1000)),), ((),))
"""Prompts by the (width, height) of their images."""


class Places(torch.nn.Module):
    """Which row of a table each token of each image is: [crops of all images x side x side, a line's end, the separator].

    The table's rows of an image are its whole view and then its crops, of which `rows` x `columns` stand in a grid. First come the
    grid's first `height` x `width` places, line by line, each line with an end; then the separator; then the whole view.
    """

    def __init__(self, side: int):
        super().__init__()
        self.side = side

    def forward(self, crops, columns, height, width):
        """`crops` is the number of crops per image in the table; the others are int64 [images]."""
        side, images = self.side, columns.shape[0]
        end, separator = images * crops * side * side, images * crops * side * side + 1
        parts = height * (width + 1)
        counts = parts + 1 + side * (side + 1)
        ends = counts.cumsum(0)
        total = counts.sum().item()
        torch._check(total > 1)
        token = torch.arange(total)
        image = (token[:, None] >= ends[None, :]).sum(1)
        local = token - (ends - counts)[image]
        line, column = local // (width[image] + 1), local % (width[image] + 1)
        crop = 1 + line // side * columns[image] + column // side
        part = ((image * crops + crop) * side + line % side) * side + column % side
        part = torch.where(column == width[image], end, part)
        after = (local - parts[image] - 1).clamp(min=0)
        line, column = after // (side + 1), after % (side + 1)
        view = (image * crops * side + line) * side + column
        view = torch.where(column == side, end, view)
        place = torch.where(local < parts[image], part, torch.where(local == parts[image], separator, view))
        return place


class Embedding(torch.nn.Module):
    """input_ids int64 [batch, seq] and the features of the images in order -> inputs_embeds [batch, seq, hidden]

    `image_token` is the id of images; without one, negative ids are. An `audio_features` input is there for the layout only.
    """

    def __init__(self, embedding: torch.nn.Embedding, image_token: int | None):
        super().__init__()
        self.embedding, self.image_token = embedding, image_token

    def forward(self, input_ids, image_features, audio_features=None):
        places = input_ids < 0 if self.image_token is None else input_ids == self.image_token
        order = (places.flatten().to(torch.int64).cumsum(0) - 1).clamp(min=0)
        nothing = torch.zeros(1, image_features.shape[1], dtype=image_features.dtype)  # there may be no image
        if audio_features is not None:
            nothing = nothing + 0 * audio_features.sum()
        features = torch.cat([image_features, nothing])[order].reshape(*input_ids.shape, -1)
        return torch.where(places[..., None], features, self.embedding(input_ids.clamp(min=0)))


def embedding_graph(model, image_token: int | None, audio: bool) -> Graph:
    embedding = model.get_input_embeddings()
    ids = torch.ones(2, 7, dtype=torch.int64)
    ids[:, 1:3] = -1 if image_token is None else image_token
    features = torch.randn(4, embedding.embedding_dim)
    more = (torch.randn(3, embedding.embedding_dim),) if audio else ()
    return Graph(
        file=EMBEDDING,
        module=Embedding(embedding, image_token),
        arguments=(ids, features, *more),
        inputs=["input_ids", "image_features", *(["audio_features"] if audio else [])],
        dynamic_shapes=({0: BATCH, 1: SEQUENCE}, {0: TOKENS}, *([{0: "num_audio_tokens"}] if audio else [])),
        outputs=["inputs_embeds"],
    )


def settings(kind: str, model, vision: dict[str, str], embedding: list[str], decoder: list[str], **more) -> dict:
    """`genai_config.json`. `vision` are the vision graph's inputs by their role, the others names of inputs."""
    config = model.config

    def same(*names: str) -> dict[str, str]:
        return {name: name for name in names}

    past = {"past_key_names": "past_key_values.%d.key", "past_value_names": "past_key_values.%d.value"}
    present = {"present_key_names": "present.%d.key", "present_value_names": "present.%d.value"}
    return {
        "model": {
            "bos_token_id": config.bos_token_id,
            "context_length": config.max_position_embeddings,
            "decoder": {
                "session_options": {"log_id": "onnxruntime-genai", "provider_options": []},
                "filename": f"{TEXT}.onnx",
                "head_size": config.hidden_size // config.num_attention_heads,
                "hidden_size": config.hidden_size,
                "inputs": {**same(*decoder), **past},
                "outputs": {**same("logits"), **present},
                "num_attention_heads": config.num_attention_heads,
                "num_hidden_layers": config.num_hidden_layers,
                "num_key_value_heads": config.num_key_value_heads,
            },
            "embedding": {"filename": f"{EMBEDDING}.onnx", "inputs": same(*embedding), "outputs": same("inputs_embeds")},
            "vision": {"filename": f"{VISION}.onnx", **more, "inputs": vision, "outputs": same("image_features")},
            "eos_token_id": config.eos_token_id,
            "pad_token_id": config.pad_token_id,
            "type": kind,
            "vocab_size": config.vocab_size,
        },
        "search": {"do_sample": False, "max_length": config.max_position_embeddings, "num_beams": 1, "past_present_share_buffer": False},
    }


def write_json(value: dict, path: Path) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


class Files:
    """An exported model, run by what its `genai_config.json` says."""

    def __init__(self, folder: Path):
        self.config = json.loads((folder / "genai_config.json").read_text(encoding="utf-8"))["model"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3

        def session(part: str) -> onnxruntime.InferenceSession:
            return onnxruntime.InferenceSession(folder / self.config[part]["filename"], options, providers=["CPUExecutionProvider"])

        self.vision, self.embedding, self.decoder = map(session, ("vision", "embedding", "decoder"))
        self.takes_positions = "position_ids" in self.config["decoder"]["inputs"]

    def embed(self, ids: np.ndarray, inputs: dict) -> np.ndarray:
        nothing = np.zeros((0, self.config["decoder"]["hidden_size"]), np.float32)
        feed = {"input_ids": ids, "image_features": nothing, "audio_features": nothing}
        if "pixel_values" in inputs:
            seen = {name: inputs[name].numpy() for name in self.config["vision"]["inputs"].values()}
            feed["image_features"] = parity.run(self.vision, seen)["image_features"]
        return parity.run(self.embedding, feed)["inputs_embeds"]

    def decode(self, embeds: np.ndarray, mask: np.ndarray, past: dict | None = None) -> tuple[np.ndarray, dict]:
        heads, size = (self.config["decoder"][name] for name in ("num_key_value_heads", "head_size"))
        names = [f"past_key_values.{i}.{kind}" for i in range(self.config["decoder"]["num_hidden_layers"]) for kind in ("key", "value")]
        past = past or {name: np.zeros((len(embeds), heads, 0, size), np.float32) for name in names}
        positions = (mask.cumsum(-1) - 1).clip(min=0)[:, -embeds.shape[1] :]
        outputs = parity.run(self.decoder, {"inputs_embeds": embeds, "attention_mask": mask, "position_ids": positions, **past})
        return outputs["logits"], {name: outputs[name.replace("past_key_values", "present")] for name in names}


def check(model, processor, folder: Path) -> dict[str, float]:
    """Largest absolute differences of logits against `model`, and the share of positions with the same argmax.

    A decoder without position_ids takes batches of prompts of one length only: others are run one by one.
    """
    files = Files(folder)
    worst, same = {"prefill": 0.0, "decode": 0.0, "continuation": 0.0}, []
    for batch in BATCHES:
        together = files.takes_positions or len(set(batch)) == 1
        for rows in [batch] if together else [(row,) for row in batch]:
            inputs = prompts(processor, rows)
            ids, mask = inputs["input_ids"], inputs["attention_mask"]
            positions = (mask.cumsum(-1) - 1).clamp(min=0)
            with torch.no_grad():
                prefill = model(**reference_inputs(model, inputs), position_ids=positions, use_cache=True)
                token = prefill.logits[:, -1:].argmax(-1)
                longer = torch.cat([mask, torch.ones_like(token)], 1)
                following = positions[:, -1:] + 1
                step = model(input_ids=token, attention_mask=longer, position_ids=following, past_key_values=prefill.past_key_values)
            embeds = files.embed(ids.numpy(), inputs)
            logits, past = files.decode(embeds, mask.numpy())
            real, expected = mask.bool().numpy(), prefill.logits.numpy()
            parity.note(worst, "prefill", (logits - expected)[real])
            same.append((logits.argmax(-1) == expected.argmax(-1))[real])
            logits, _ = files.decode(files.embed(token.numpy(), {}), longer.numpy(), past)
            parity.note(worst, "decode", logits - step.logits.numpy())
            if len(rows) > 1 and not files.takes_positions:
                continue  # GroupQueryAttention takes several tokens on top of a past for one prompt only
            at = ids.shape[1] - parity.CONTINUATION
            _, past = files.decode(embeds[:, :at], mask[:, :at].numpy())
            logits, _ = files.decode(embeds[:, at:], mask.numpy(), past)
            parity.note(worst, "continuation", logits - expected[:, at:])
    return {**worst, "argmax agreement": float(np.concatenate(same).mean())}


def prompts(processor, rows: tuple) -> dict[str, torch.Tensor]:
    """Prompts of one length where their images are of one size."""
    alike = len(set(rows)) == 1
    texts = [parity.prompt(processor, len(sizes), parity.QUESTIONS[0 if alike else i]) for i, sizes in enumerate(rows)]
    images = [
        [parity.Image.fromarray(parity.picture(width, height, 10 * row + i)) for i, (width, height) in enumerate(sizes)]
        for row, sizes in enumerate(rows)
    ]
    return processor(text=texts, images=images)


def reference_inputs(model, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """transformers' class for Phi-4 has a name of its own for the pixels."""
    if model.config.model_type == "phi4_multimodal" and "pixel_values" in inputs:
        return {("image_pixel_values" if name == "pixel_values" else name): value for name, value in inputs.items()}
    return inputs
