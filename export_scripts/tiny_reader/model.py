"""The architecture: transformers' own LLaVA classes with a CLIP tower and a Llama decoder, 1.9 M parameters."""

import math

import torch
from transformers import CLIPVisionConfig, GenerationConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

from small_llava import BOS, EOS, IMAGE, PAD, initialise

from .tokenizer import GRID, IMAGE_SIZE, IMAGE_TOKENS, MAX_POSITIONS, PATCH_SIZE

WIDTH = 128
"""Of the decoder."""
VISION_WIDTH = 160


def build_model(tokenizer) -> LlavaForConditionalGeneration:
    pad, bos, eos, image = (tokenizer.convert_tokens_to_ids(t) for t in (PAD, BOS, EOS, IMAGE))
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=352,
        num_hidden_layers=5,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=MAX_POSITIONS,
        pad_token_id=pad,
        bos_token_id=bos,
        eos_token_id=eos,
        tie_word_embeddings=False,
    )
    vision = CLIPVisionConfig(
        hidden_size=VISION_WIDTH,
        intermediate_size=320,
        num_hidden_layers=4,
        num_attention_heads=5,
        image_size=IMAGE_SIZE,
        patch_size=PATCH_SIZE,
        projection_dim=VISION_WIDTH,
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
    place_patches(model.model.vision_tower.embeddings.position_embedding.weight)
    model.generation_config = GenerationConfig(bos_token_id=bos, eos_token_id=eos, pad_token_id=pad, do_sample=False, max_new_tokens=64)
    return model


@torch.no_grad()
def place_patches(embedding: torch.Tensor) -> None:
    """Sines and cosines of row and column in place of tiny random positions, [1 + patches, width]: a patch must look at its
    neighbors to make a letter out, and with these, where a neighbor is is the same direction everywhere."""
    waves = embedding.shape[1] // 4
    frequency = math.pi / 2 * (2 / GRID) ** (torch.arange(waves) / (waves - 1))  # from a period of 4 patches to twice the page's side
    angle = torch.arange(GRID)[:, None] * frequency
    wave = torch.cat([angle.sin(), angle.cos()], 1)
    row, column = wave[:, None].expand(-1, GRID, -1), wave[None].expand(GRID, -1, -1)
    embedding[1:] = torch.cat([row, column], -1).flatten(0, 1)
