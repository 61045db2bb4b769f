"""What is read off a model's output, as crossmodal reads it."""

from collections import Counter

import numpy as np

from .suite import Row


def option_tokens(row: Row, tokenizer) -> list[list[int]]:
    """First tokens of each option's spellings, with and without a leading space; a token that two options share says neither."""
    forms = [[form for spelling in option["spellings"] for form in (spelling, f" {spelling}")] for option in row.options]
    first = [{tokenizer.encode(form, add_special_tokens=False)[0] for form in spelled} for spelled in forms]
    uses = Counter(token for tokens in first for token in tokens)
    return [[token for token in sorted(tokens) if uses[token] == 1] for tokens in first]


def scored(row: Row, logits: np.ndarray, tokenizer) -> dict:
    """ln of each option's mass, entropy over the whole vocabulary (nats) and best token. `logits`: float32 [vocabulary]."""
    logp = logits.astype(np.float64) - logits.max()
    logp -= np.log(np.exp(logp).sum())
    masses = [float(np.log(np.exp(logp[tokens]).sum())) for tokens in option_tokens(row, tokenizer)]
    return {"key": row.key, "logp": masses, "entropy": float(-(np.exp(logp) * logp).sum()), "top1": int(logp.argmax())}


def written(row: Row, tokens: list[int]) -> dict:
    return {"key": row.key, "tokens": tokens}
