"""Random weights under which everything matters: logits spread over several units, and a wrong position or pixel shows."""

import torch

SEED = 7
JITTER = 0.1
"""Standard deviation of biases, and of the weights of norms around what transformers starts them with."""


def initialise(model) -> None:
    """Matrices get 1/sqrt(fan in), embeddings and the head 0.5. transformers' own 0.02 makes small models nearly constant."""
    random = torch.Generator().manual_seed(SEED)
    seen = set()
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            if parameter.data_ptr() in seen:
                continue
            seen.add(parameter.data_ptr())
            noise = torch.randn(parameter.shape, generator=random)
            if parameter.ndim == 1 and name.endswith((".weight", ".bias", "lambda_1", "lambda_2")):
                parameter.copy_(parameter + JITTER * noise)
            elif parameter.ndim == 1 or "embed_tokens" in name or "lm_head" in name or "position" in name or "pos_embed" in name:
                parameter.copy_(0.5 * noise)
            else:
                parameter.copy_(noise * parameter[0].numel() ** -0.5)
    model.tie_weights()
