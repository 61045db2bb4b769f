"""Floating-point operations that a prompt needs, from a model's configuration: a multiplication and an addition are two.

    python benches/flops.py MODEL --tokens 150

Counted are matrix products (projections, attention, MLPs, the head at the one position that is read) of what is *needed*: real tokens,
the causal half of attention. What is done beyond that (padding, logits of all positions) lowers the utilisation, as it should.
Model-FLOPs utilisation = FLOPs / seconds / peak, the peak being that of `gemm.py` on the same threads.

For SmolVLM, Idefics 3 and LLaVA: a tower of fixed image size, and a decoder of Llama's kind.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Flops:
    """Of one model."""

    tower: dict
    text: dict
    shuffle: int
    """Patches a side that become one image token."""

    @classmethod
    def of(cls, folder: Path) -> "Flops":
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if config["model_type"] not in ("smolvlm", "idefics3", "llava"):
            raise ValueError(f"{folder}: model_type {config['model_type']!r}; counted are smolvlm, idefics3 and llava")
        return cls(config["vision_config"], config["text_config"], config.get("scale_factor", 1))

    def view(self) -> float:
        """One view (image or tile) through the vision encoder."""
        width, inner, patch = self.tower["hidden_size"], self.tower["intermediate_size"], self.tower["patch_size"]
        patches = (self.tower["image_size"] // patch) ** 2
        layer = 2 * patches * (4 * width**2 + 2 * width * inner) + 4 * patches**2 * width
        connector = 2 * patches * width * self.text["hidden_size"]
        return self.tower["num_hidden_layers"] * layer + 2 * patches * 3 * patch**2 * width + connector

    def view_tokens(self) -> int:
        """Image tokens of a view."""
        return (self.tower["image_size"] // self.tower["patch_size"] // self.shuffle) ** 2

    def tokens(self, new: int, past: int = 0, read: int = 1) -> float:
        """`new` tokens through the decoder on top of `past`, and the head at `read` of them."""
        width, inner = self.text["hidden_size"], self.text["intermediate_size"]
        heads, shared = self.text["num_attention_heads"], self.text["num_key_value_heads"]
        head = self.text.get("head_dim") or width // heads
        weights = 2 * width * head * (heads + shared) + 3 * width * inner
        seen = new * past + new * (new + 1) // 2
        layer = 2 * new * weights + 4 * heads * head * seen
        return self.text["num_hidden_layers"] * layer + 2 * read * width * self.text["vocab_size"]

    def written(self, tokens: int, prompt: int) -> float:
        """`tokens` that follow a prompt one by one; the first of them is the prefill's."""
        return sum(self.tokens(1, past) for past in range(prompt, prompt + tokens - 1))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("--tokens", type=int, default=150, help="of a prompt (default: %(default)s)")
    arguments.add_argument("--written", type=int, default=100, help="tokens that follow it (default: %(default)s)")
    options = arguments.parse_args()
    flops = Flops.of(options.model)
    print(f"a view ({flops.view_tokens()} tokens): {flops.view() / 1e9:.1f} GFLOP")
    print(f"prefill of {options.tokens} tokens: {flops.tokens(options.tokens) / 1e9:.1f} GFLOP")
    print(f"{options.written} tokens after it: {flops.written(options.written, options.tokens) / 1e9:.1f} GFLOP")


if __name__ == "__main__":
    main()
