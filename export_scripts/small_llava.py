"""What the LLaVAs that are trained here from nothing (`tiny_llava`, `tiny_reader`) have in common."""

from pathlib import Path

import torch
from transformers import CLIPImageProcessor, LlavaProcessor

PAD, BOS, EOS, UNK, IMAGE = SPECIAL_TOKENS = ("<pad>", "<s>", "</s>", "<unk>", "<image>")

# LLaVA 1.5's template: images first, then texts; a system turn has no role word.
CHAT_TEMPLATE = """\
{%- for message in messages -%}
{%- if message['role'] != 'system' %}{{ message['role'].upper() + ': ' }}{% endif -%}
{%- if message['content'] is string %}{{ message['content'] + ' ' }}
{%- else -%}
{%- for part in message['content'] if part['type'] == 'image' %}{{ '<image>\\n' }}{% endfor -%}
{%- for part in message['content'] if part['type'] == 'text' %}{{ part['text'] + ' ' }}{% endfor -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif -%}
"""


def squeezing_processor(tokenizer, image_size: int, patch_size: int) -> LlavaProcessor:
    """Images are squeezed to a square (aspect not kept, bicubic) and scaled to [-1, 1]."""
    images = CLIPImageProcessor(
        size={"height": image_size, "width": image_size},
        resample=3,
        do_center_crop=False,
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
    )
    return LlavaProcessor(
        images,
        tokenizer,
        patch_size=patch_size,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
        image_token=IMAGE,
    )


def initialise(model) -> None:
    """transformers' fixed 0.02 is far too small at width 128: matrices get 1/sqrt(fan in), token embeddings 0.5."""
    for name, parameter in model.named_parameters():
        if "embed_tokens" in name:
            torch.nn.init.normal_(parameter, std=0.5)
        elif parameter.ndim >= 2 and "position" not in name:
            torch.nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)


def positions(attention_mask: torch.Tensor) -> torch.Tensor:
    """[batch, seq] position ids of left-padded prompts: 0 at the first real token."""
    return (attention_mask.cumsum(-1) - 1).clamp(min=0)


def image_features(model, pixel_values: torch.Tensor) -> torch.Tensor:
    """[n, 3, side, side] -> [n, tokens, width]: the tower without its class token, then the projector."""
    return torch.stack(list(model.model.get_image_features(pixel_values=pixel_values, return_dict=True).pooler_output))


def save_atomically(path: Path, state: dict) -> None:
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)
