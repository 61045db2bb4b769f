"""How far answers are from those of the reference: did all do the same work, and what does a lower precision change?"""

from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from contestants import Key


@dataclass
class Fidelity:
    """Against the reference's answers to the same prompts."""

    scores: int = 0
    differ: int = 0
    """Scores whose best option is another."""
    logp: float = 0.0
    """Largest difference of an option's ln p."""
    entropy: float = 0.0
    """Largest difference of an entropy, nats."""
    tokens: int = 0
    """That the reference wrote."""
    lost: int = 0
    """Of them, those from the first that was written differently on: greedy texts part for good."""


def compare(answers: dict[Key, dict], reference: dict[Key, dict], tokenizer: PreTrainedTokenizerBase) -> Fidelity:
    """Fails where other prompts were answered."""
    if answers.keys() != reference.keys():
        odd = sorted(answers.keys() ^ reference.keys())
        raise ValueError(f"other prompts than the reference's were answered: {len(odd)} are of one of the two only, such as {odd[0]}")
    found = Fidelity()
    for key, expected in reference.items():
        given = answers[key]
        if "tokens" in expected:
            found.tokens += len(expected["tokens"])
            found.lost += len(expected["tokens"]) - same_tokens(given, expected["tokens"], tokenizer)
            continue
        found.scores += 1
        found.differ += best(given["logp"]) != best(expected["logp"])
        found.logp = max(found.logp, *(abs(ours - theirs) for ours, theirs in zip(given["logp"], expected["logp"], strict=True)))
        found.entropy = max(found.entropy, abs(given["entropy"] - expected["entropy"]))
    return found


def best(logp: list[float]) -> int:
    return max(range(len(logp)), key=logp.__getitem__)


def same_tokens(given: dict, expected: list[int], tokenizer: PreTrainedTokenizerBase) -> int:
    """How many of the expected tokens were written before the first that was not. Of crossmodal the text is known, not the tokens:
    there they are the most whose text it begins with."""
    if "tokens" in given:
        pairs = zip(given["tokens"], expected)
        return next((at for at, (ours, theirs) in enumerate(pairs) if ours != theirs), min(len(given["tokens"]), len(expected)))

    def text_of(count: int) -> str:
        return tokenizer.decode(expected[:count], skip_special_tokens=True)

    if given["text"] == text_of(len(expected)):
        return len(expected)
    # A character may be cut at the end.
    return max(count for count in range(len(expected)) if given["text"].startswith(text_of(count).rstrip("\ufffd")))
