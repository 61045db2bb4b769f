"""Random weights under which everything matters: logits spread over several units, and a wrong position or pixel shows."""

import torch

SEED = 7
JITTER = 0.1
"""Standard deviation of biases, and of the weights of norms around what transformers starts them with."""


LAST = ("o_proj.weight", "down_proj.weight")
"""The last matrices of attention and MLP. What a decoder layer adds is doubled: else a small model repeats its last token."""


def initialise(model) -> None:
    """Matrices get 1/sqrt(fan in), embeddings and the head 0.5. transformers' own 0.02 makes small models nearly constant.

    Where the head is the embedding, a large one would find its last token in itself: it is small, and the last norm large.
    """
    random = torch.Generator().manual_seed(SEED)
    tied = model.config.get_text_config().tie_word_embeddings
    seen = set()
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            if parameter.data_ptr() in seen:
                continue
            seen.add(parameter.data_ptr())
            noise = torch.randn(parameter.shape, generator=random)
            if parameter.ndim == 1 and name.endswith((".weight", ".bias", "lambda_1", "lambda_2")):
                larger = 4.0 if tied and name.endswith("model.norm.weight") else 0.0
                parameter.copy_(parameter + JITTER * noise + larger)
            elif parameter.ndim == 1 or name.endswith("embed_tokens.weight") or "lm_head" in name or "position" in name or "pos_embed" in name:
                parameter.copy_(noise * (0.12 if tied and "embed_tokens" in name else 0.5))
            else:
                gain = 2.0 if name.endswith(LAST) and "visual" not in name else 1.0
                parameter.copy_(noise * parameter[0].numel() ** -0.5 * gain)
    model.tie_weights()
