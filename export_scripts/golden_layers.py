"""Writes `layers.json` and `layers.f32` into `tests/golden/models/MODEL_TYPE/`: what transformers says of the fixtures' layers.

    python export_scripts/tiny_models.py --checkpoints CHECKPOINTS
    python export_scripts/golden_layers.py --checkpoints CHECKPOINTS [--only qwen2_vl ...] [--out tests/golden/models]

`layers.json`: `layers`, `hidden`, `vocabulary`, and `cases`: the names of two cases of `cases.json`. `layers.f32` (float32, little
endian) holds for each of these cases `states` [layers + 2, 3, hidden] and then `lens` [layers, vocabulary]:

- `states`: the mean image token (zeros without an image), the mean of all other tokens, and the last token, of
  `output_hidden_states=True`: what enters the decoder, what leaves each layer, and the last one once more after the final norm;
- `lens`: logits at the last token of what leaves each layer, through the final norm and the LM head.

The last entry of transformers' hidden states has gone through the norm: what leaves the last layer is what the norm reads.
"""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import json

import numpy as np
import torch

from families import genai
from golden_models import Reference, options_of, questions

CASES = ("one image", "text only"), ("one image", "wide image")
"""Without and with an image in every prompt."""


def main() -> None:
    options = options_of(__doc__)
    for name in options.only:
        reference = Reference(options.checkpoints / name)
        by_name = {case["name"]: case for case in questions(reference.host.needs_images)}
        names = CASES[reference.host.needs_images]
        read = [layers(reference, by_name[case]) for case in names]
        states, lens = read[0]
        described = {"layers": len(lens), "hidden": states.shape[2], "vocabulary": lens.shape[1], "cases": names}
        folder = options.out / name
        (folder / "layers.json").write_text(json.dumps(described) + "\n", encoding="utf-8")
        np.concatenate([part.ravel() for case in read for part in case]).astype("<f4").tofile(folder / "layers.f32")
        print(f"{name}: {described}, spread of what leaves the layers {[float(np.std(state)) for state in states[:, 2]]}", flush=True)


def layers(reference: Reference, case: dict) -> tuple[np.ndarray, np.ndarray]:
    """`states` and `lens` of a case."""
    model, inputs = reference.model, reference.inputs(case)
    norm, head = final_norm(model), model.get_output_embeddings()
    before_norm = []
    hook = norm.register_forward_pre_hook(lambda _, arguments: before_norm.append(arguments[0]))
    with torch.no_grad():
        output = model(**genai.reference_inputs(model, inputs), output_hidden_states=True)
        hook.remove()
        *stream, normed = output.hidden_states
        stream.append(before_norm[0])
        lens = head(norm(torch.stack([state[0, -1] for state in stream[1:]])))
        if not torch.allclose(norm(stream[-1]), normed, atol=1e-6):
            raise ArithmeticError(f"{case['name']}: the last hidden state is not what the final norm gives")
        if not torch.allclose(lens[-1], output.logits[0, -1], atol=1e-4):
            raise ArithmeticError(f"{case['name']}: the lens after the last layer is not the model")
    image = image_tokens(model, inputs["input_ids"][0])
    summary = [[mean(state[0], image), mean(state[0], ~image), state[0, -1]] for state in [*stream, normed]]
    return torch.stack([torch.stack(row) for row in summary]).numpy(), lens.numpy()


def final_norm(model) -> torch.nn.Module:
    """The norm after the text model's last layer."""
    layers = max((n for n, m in model.named_modules() if n.endswith("layers") and is_text(n)), key=lambda n: len(model.get_submodule(n)))
    return model.get_submodule(layers.rsplit(".", 1)[0]).norm


def is_text(name: str) -> bool:
    return not any(part in name for part in ("vision", "visual", "image", "audio", "img"))


def image_tokens(model, ids: torch.Tensor) -> torch.Tensor:
    """Which tokens stand for an image: in Phi-3's prompts the negative ones do."""
    token = getattr(model.config, "image_token_id", None)
    if token is None:
        token = getattr(getattr(model.config, "vision_config", None), "image_token_id", None)
    return ids < 0 if token is None else ids == token


def mean(state: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    return state[kept].mean(0) if kept.any() else torch.zeros(state.shape[1])


if __name__ == "__main__":
    main()
