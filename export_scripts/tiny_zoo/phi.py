"""The Phi families, which are not as transformers has them: a tiny model and its processor each."""

import json

import transformers as T
from tokenizers import Tokenizer

from phi3_v.model import Phi3VConfig, Phi3VForCausalLM
from phi3_v.processor import Phi3VImageProcessor, Phi3VProcessor
from phi4mm import model as phi4
from phi4mm.processor import Phi4MMImageProcessor, Phi4MMProcessor

from .families import TEXT, template, text_settings
from .tokenizer import byte_level, sentence_piece

ROLES = ("<|assistant|>", "<|system|>", "<|end|>", "<|user|>")


def swallow(tokenizer, names: tuple[str, ...]):
    """These special tokens take the white space after them, as in the published tokenizers."""
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    for token in content["added_tokens"]:
        token["rstrip"] = token["content"] in names
    tokenizer._tokenizer = Tokenizer.from_str(json.dumps(content))
    return tokenizer


def factors(count: int) -> dict[str, list[float]]:
    """Of the frequencies of positions, for short and for long prompts."""
    return {"short_factor": [1 + 0.05 * i for i in range(count)], "long_factor": [1.5 + i for i in range(count)]}


def phi3_v():
    """Crops of 336 pixels in 12 x 12 patches: 36 tokens a crop, four crops and the whole. GroupQueryAttention wants heads of 16."""
    named = {"bos_token": "<s>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    tokenizer = swallow(sentence_piece(("<s>", "</s>", "<|endoftext|>", *ROLES), prefix=True, **named), ("</s>", "<|assistant|>"))
    tokenizer.chat_template = template("phi3_v")
    clip = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "patch_size": 28}
    config = Phi3VConfig(
        **text_settings(tokenizer, num_attention_heads=2, num_key_value_heads=1, original_max_position_embeddings=640),
        rope_scaling={"type": "longrope", **factors(8)},
        img_processor={"name": "clip_vision_model", "image_dim_out": 16, "num_img_tokens": 36, "vision_config": clip},
        embd_layer={
            "embedding_cls": "image",
            "hd_transform_order": "sub_glb",
            "projection_cls": "mlp",
            "use_hd_transform": True,
            "with_learnable_separator": True,
        },
    )
    return Phi3VForCausalLM(config), Phi3VProcessor(Phi3VImageProcessor(num_crops=4, num_img_tokens=36), tokenizer)


def phi4mm():
    """All sizes of images as published, for its processor has them as constants: 32 x 32 patches a crop. At most four crops."""
    marks = ("<|endoftext10|>", "<|endoftext11|>")
    tokenizer = byte_level(("<|endoftext|>", *marks, *ROLES), bos_token="<|endoftext|>", eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    tokenizer.backend_tokenizer.post_processor = None
    tokenizer = swallow(tokenizer, ROLES)
    tokenizer.chat_template = template("phi4mm")
    image, audio = tokenizer.convert_tokens_to_ids(list(marks))
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2}
    config = T.Phi4MultimodalConfig(
        **text_settings(tokenizer, max_position_embeddings=4096, tie_word_embeddings=True),
        original_max_position_embeddings=2048,
        partial_rotary_factor=0.75,
        rope_scaling={"type": "longrope", **factors(3)},
        vision_config={**tower, "image_size": 448, "patch_size": 14, "crop_size": 448, "image_token_id": image},
        audio_config={**phi4.SMALL_AUDIO, "audio_token_id": audio},
    )
    return phi4.build(config), Phi4MMProcessor(Phi4MMImageProcessor(dynamic_hd=4), tokenizer)
