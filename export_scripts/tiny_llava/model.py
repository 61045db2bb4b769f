"""The architecture: transformers' own LLaVA classes, 1.7 M parameters, with an initialisation that suits small widths."""

from transformers import CLIPVisionConfig, GenerationConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

from small_llava import BOS, EOS, IMAGE, PAD, initialise

from .tokenizer import IMAGE_SIZE, IMAGE_TOKENS, MAX_POSITIONS, PATCH_SIZE

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
