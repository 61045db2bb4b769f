"""What the evaluator does around the graphs of a family, here in Python: `parity.py` runs the exported files with it.

`inputs` are what a family's processor makes of texts and images, as torch tensors.
"""

import numpy as np
import torch


class Host:
    """The plain family: `pixel_values` in, features in the order of the image tokens out, positions from the first token on."""

    first_position = 0
    needs_images = False
    """Whether the processor refuses a prompt without one."""
    splits_prompts = True
    """Whether a prompt may come in two parts."""

    def __init__(self, model):
        self.model, self.config = model, model.config

    def vision_feed(self, inputs) -> dict[str, np.ndarray]:
        """The inputs of the vision encoder."""
        return {"pixel_values": inputs["pixel_values"].numpy()}

    def features(self, outputs: dict[str, np.ndarray], inputs) -> np.ndarray:
        """The outputs of the vision encoder as [image tokens of the batch, hidden]."""
        features = outputs["image_features"]
        return features.reshape(-1, features.shape[-1])

    def positions(self, inputs) -> torch.Tensor:
        """int64 [batch, seq]; the positions of padding do not matter."""
        return (inputs["attention_mask"].cumsum(-1) - 1).clamp(min=0) + self.first_position

    def following(self, positions: torch.Tensor) -> torch.Tensor:
        """The positions of one more token after a prompt."""
        return positions[:, -1:] + 1

    def extras(self, inputs, outputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What else the decoder takes for a prompt, [batch, seq, ...] each."""
        return {}

    def following_extras(self, extras: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The same for one generated token."""
        return {name: np.zeros_like(value[:, :1]) for name, value in extras.items()}


class TokenTypeHost(Host):
    """A family whose decoder takes the processor's token_type_ids."""

    generated_type: int

    def extras(self, inputs, outputs):
        return {"token_type_ids": inputs["token_type_ids"].numpy()}

    def following_extras(self, extras):
        return {name: np.full_like(value[:, :1], self.generated_type) for name, value in extras.items()}
