"""The architecture: transformers' own LLaVA classes, 1.7 M parameters, with an initialisation that suits small widths."""

import torch
from transformers import CLIPVisionConfig, GenerationConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

from .tokenizer import BOS, EOS, IMAGE, IMAGE_SIZE, IMAGE_TOKENS, MAX_POSITIONS, PAD, PATCH_SIZE

WIDTH = 128


def build_model(tokenizer) -> LlavaForConditionalGeneration:
    pad, bos, eos, image = (tokenizer.convert_tokens_to_ids(t) for t in (PAD, BOS, EOS, IMAGE))
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=352,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=MAX_POSITIONS,
        pad_token_id=pad,
        bos_token_id=bos,
        eos_token_id=eos,
        tie_word_embeddings=False,
    )
    vision = CLIPVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        image_size=IMAGE_SIZE,
        patch_size=PATCH_SIZE,
        projection_dim=WIDTH,
    )
    config = LlavaConfig(
        text_config=text,
        vision_config=vision,
        image_token_index=image,
        image_seq_length=IMAGE_TOKENS,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        tie_word_embeddings=False,
    )
    model = LlavaForConditionalGeneration(config)
    initialise(model)
    model.generation_config = GenerationConfig(bos_token_id=bos, eos_token_id=eos, pad_token_id=pad, do_sample=False, max_new_tokens=4)
    return model


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
    """[n, 3, 64, 64] -> [n, 64, width]: the tower without its class token, then the projector."""
    return torch.stack(list(model.model.get_image_features(pixel_values=pixel_values, return_dict=True).pooler_output))
