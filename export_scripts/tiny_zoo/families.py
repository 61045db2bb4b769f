"""A tiny model and its processor for each family, with the settings of a published checkpoint where size is not the matter."""

from pathlib import Path

import transformers as T
from tokenizers.processors import ByteLevel

from .tokenizer import byte_level, sentence_piece

TEMPLATES = Path(__file__).parent / "templates"
"""As in the published checkpoints. PaliGemma has none."""
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
    "tie_word_embeddings": False,
}
TOWER = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
CLIP = {**TOWER, "num_hidden_layers": 3, "projection_dim": 32}
CHAT_ML = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


def template(name: str) -> str:
    return (TEMPLATES / f"{name}.jinja").read_text(encoding="utf-8")


def text_settings(tokenizer, **changes) -> dict:
    """Settings of the decoder that follow from its tokenizer."""
    ids = {f"{kind}_token_id": getattr(tokenizer, f"{kind}_token_id") for kind in ("pad", "bos", "eos")}
    return {**TEXT, "vocab_size": len(tokenizer), **ids, **changes}


def llava():
    """LLaVA 1.5: the layer before the last of CLIP, without its class token; images are cut to a square."""
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "image_token": "<image>"}
    tokenizer = sentence_piece(("<s>", "</s>", "<image>", "<pad>"), prefix=True, **names)
    config = T.LlavaConfig(
        text_config=T.LlamaConfig(**text_settings(tokenizer)),
        vision_config=T.CLIPVisionConfig(**CLIP, image_size=56, patch_size=14),
        image_token_index=tokenizer.image_token_id,
        image_seq_length=16,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        tie_word_embeddings=False,
    )
    images = T.CLIPImageProcessor(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56})
    settings = {"patch_size": 14, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    processor = T.LlavaProcessor(images, tokenizer, **settings, chat_template=template("llava"))
    return T.LlavaForConditionalGeneration(config), processor


def llava_next():
    """LLaVA-1.6 with Mistral: as LLaVA, on tiles."""
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "image_token": "<image>"}
    tokenizer = sentence_piece(("<s>", "</s>", "<image>", "<pad>"), prefix=True, **names)
    pinpoints = [[42, 84], [84, 42], [84, 84], [126, 42], [42, 126]]
    config = T.LlavaNextConfig(
        text_config=T.MistralConfig(**text_settings(tokenizer), head_dim=8, sliding_window=None),
        vision_config=T.CLIPVisionConfig(**CLIP, image_size=42, patch_size=14),
        image_token_index=tokenizer.image_token_id,
        image_grid_pinpoints=pinpoints,
        image_seq_length=9,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        tie_word_embeddings=False,
    )
    square = {"height": 42, "width": 42}
    images = T.LlavaNextImageProcessor(size={"shortest_edge": 42}, crop_size=square, image_grid_pinpoints=pinpoints)
    settings = {"patch_size": 14, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    processor = T.LlavaNextProcessor(images, tokenizer, **settings, chat_template=template("llava_next"))
    return T.LlavaNextForConditionalGeneration(config), processor


def llava_onevision():
    """All grids of up to 6 x 6 tiles; what comes to more than 9 tiles is shrunk (`anyres_max_9`)."""
    names = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "image_token": "<image>", "video_token": "<video>"}
    tokenizer = byte_level((*CHAT_ML, "<image>", "<video>"), **names)
    pinpoints = [[28 * rows, 28 * columns] for rows in range(1, 7) for columns in range(1, 7)]
    config = T.LlavaOnevisionConfig(
        text_config=T.Qwen2Config(**text_settings(tokenizer)),
        vision_config=T.SiglipVisionConfig(**TOWER, image_size=28, patch_size=14, vision_use_head=False),
        image_token_index=tokenizer.image_token_id,
        video_token_index=tokenizer.video_token_id,
        image_grid_pinpoints=pinpoints,
        vision_aspect_ratio="anyres_max_9",
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        tie_word_embeddings=False,
    )
    square = {"height": 28, "width": 28}
    images = T.LlavaOnevisionImageProcessor(size=square, image_grid_pinpoints=pinpoints)
    processor = T.LlavaOnevisionProcessor(
        images,
        tokenizer,
        T.LlavaOnevisionVideoProcessor(size=square),
        num_image_tokens=4,
        vision_feature_select_strategy="full",
        vision_aspect_ratio="anyres_max_9",
        chat_template=template("llava_onevision"),
    )
    return T.LlavaOnevisionForConditionalGeneration(config), processor


def qwen(config_class, model_class, processor_class, videos, name: str, vision: dict, rope: dict | None = None, **text):
    """What the three Qwen-VL have in common: patches of 8 x 8, four of them a token, images between 4 and 32 tokens."""
    patch, merge = {"patch_size": 8, "temporal_patch_size": 2}, 2
    marks = ("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")
    named = {
        "image_token": "<|image_pad|>",
        "video_token": "<|video_pad|>",
        "vision_start_token": "<|vision_start|>",
        "vision_end_token": "<|vision_end|>",
    }
    tokenizer = byte_level((*CHAT_ML, *marks), eos_token="<|im_end|>", pad_token="<|endoftext|>", **named)
    ids = {f"{key}_id": tokenizer.convert_tokens_to_ids(token) for key, token in named.items()}
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 2, 1], **(rope or {})}
    config = config_class(
        text_config={**text_settings(tokenizer), "rope_parameters": rope, **text},
        vision_config={"depth": 2, "num_heads": 2, **patch, "spatial_merge_size": merge, **vision},
        **ids,
        tie_word_embeddings=False,
    )
    token = (merge * patch["patch_size"]) ** 2  # in pixels
    size = {"shortest_edge": 4 * token, "longest_edge": 32 * token}
    images = T.Qwen2VLImageProcessor(**patch, merge_size=merge, size=size)
    processor = processor_class(images, tokenizer, videos(patch_size=patch["patch_size"]), chat_template=template(name))
    return model_class(config), processor


def qwen2_vl():
    classes = (T.Qwen2VLConfig, T.Qwen2VLForConditionalGeneration, T.Qwen2VLProcessor, T.Qwen2VLVideoProcessor)
    return qwen(*classes, "qwen2_vl", {"embed_dim": 32, "hidden_size": TEXT["hidden_size"], "mlp_ratio": 2})


def qwen2_5_vl():
    """Windows of 2 x 2 tokens in all layers of the tower but two."""
    classes = (T.Qwen2_5_VLConfig, T.Qwen2_5_VLForConditionalGeneration, T.Qwen2_5_VLProcessor, T.Qwen2VLVideoProcessor)
    vision = {"hidden_size": 24, "intermediate_size": 48, "out_hidden_size": TEXT["hidden_size"]}
    return qwen(*classes, "qwen2_5_vl", {**vision, "depth": 4, "window_size": 32, "fullatt_block_indexes": [1, 3]})


def qwen3_vl():
    """A learned square of 6 x 6 positions; features of the first two layers of the tower go deep."""
    classes = (T.Qwen3VLConfig, T.Qwen3VLForConditionalGeneration, T.Qwen3VLProcessor, T.Qwen3VLVideoProcessor)
    vision = {"hidden_size": 24, "intermediate_size": 48, "out_hidden_size": TEXT["hidden_size"], "num_position_embeddings": 36}
    vision = {**vision, "depth": 3, "deepstack_visual_indexes": [0, 1]}
    return qwen(*classes, "qwen3_vl", vision, {"mrope_interleaved": True, "rope_theta": 5e6}, head_dim=8)


def internvl():
    """InternVL 3: up to four tiles and a thumbnail, a quarter as many tokens as patches."""
    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = byte_level((*CHAT_ML, *named.values()), eos_token="<|im_end|>", pad_token="<|endoftext|>", **named)
    config = T.InternVLConfig(
        text_config=T.Qwen2Config(**text_settings(tokenizer)),
        vision_config={**TOWER, "image_size": [56, 56], "patch_size": [14, 14]},
        image_token_id=tokenizer.context_image_token_id,
        image_seq_length=4,
        downsample_ratio=0.5,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        tie_word_embeddings=False,
    )
    square = {"height": 56, "width": 56}
    images = T.GotOcr2ImageProcessor(
        size=square,
        crop_to_patches=True,
        min_patches=1,
        max_patches=4,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    )
    videos = T.InternVLVideoProcessor(size=square)
    processor = T.InternVLProcessor(images, tokenizer, videos, image_seq_length=4, chat_template=template("internvl"))
    return T.InternVLForConditionalGeneration(config), processor


def idefics(config_class, model_class, image_class, specials: tuple[str, ...], names: dict[str, str]):
    """What Idefics 3 and SmolVLM have in common: tiles of 64 x 64 and a thumbnail, of 4 tokens each."""
    rows = tuple(f"<row_{i}_col_{j}>" for i in range(1, 5) for j in range(1, 5))
    marks = ("<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>")
    names = {**names, "image_token": "<image>", "end_of_utterance_token": "<end_of_utterance>"}
    tokenizer = byte_level((*specials, *marks, *rows), **names)
    config = config_class(
        text_config=T.LlamaConfig(**text_settings(tokenizer)),
        vision_config={**TOWER, "image_size": 64, "patch_size": 8},
        scale_factor=4,
        image_token_id=tokenizer.image_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    images = image_class(size={"longest_edge": 128}, max_image_size={"longest_edge": 64}, do_image_splitting=True)
    return model_class(config), tokenizer, images


def smolvlm():
    names = {"bos_token": "<|im_start|>", "eos_token": "<end_of_utterance>", "pad_token": "<|im_end|>"}
    classes = (T.SmolVLMConfig, T.SmolVLMForConditionalGeneration, T.SmolVLMImageProcessor)
    model, tokenizer, images = idefics(*classes, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), names)
    tokenizer.backend_tokenizer.post_processor = ByteLevel(trim_offsets=False)  # SmolLM's: no token is added
    videos = T.SmolVLMVideoProcessor(size={"longest_edge": 64}, max_image_size={"longest_edge": 64})
    return model, T.SmolVLMProcessor(images, tokenizer, videos, image_seq_len=4, chat_template=template("smolvlm"))


def idefics3():
    names = {"bos_token": "<|begin_of_text|>", "eos_token": "<end_of_utterance>", "pad_token": "<|end_of_text|>"}
    classes = (T.Idefics3Config, T.Idefics3ForConditionalGeneration, T.Idefics3ImageProcessor)
    model, tokenizer, images = idefics(*classes, ("<|begin_of_text|>", "<|end_of_text|>"), names)
    return model, T.Idefics3Processor(images, tokenizer, image_seq_len=4, chat_template=template("idefics3"))


def gemma3():
    """Six layers, the last of which sees everything, the others 24 tokens; wide images are looked at in crops as well."""
    named = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    specials = ("<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>", *named.values())
    tokenizer = sentence_piece(specials, prefix=False, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", **named)
    rope = {
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
    }
    text = {"num_hidden_layers": 6, "head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 24, "rope_parameters": rope}
    config = T.Gemma3Config(
        text_config=T.Gemma3TextConfig(**text_settings(tokenizer, **text, intermediate_size=48, tie_word_embeddings=True)),
        vision_config=T.SiglipVisionConfig(**TOWER, image_size=56, patch_size=14, vision_use_head=False).to_dict(),
        mm_tokens_per_image=4,
        boi_token_index=tokenizer.boi_token_id,
        eoi_token_index=tokenizer.eoi_token_id,
        image_token_index=tokenizer.image_token_id,
    )
    images = T.Gemma3ImageProcessor(
        size={"height": 56, "width": 56},
        image_seq_length=4,
        do_pan_and_scan=True,
        pan_and_scan_min_crop_size=32,
        pan_and_scan_max_num_crops=4,
        pan_and_scan_min_ratio_to_activate=1.2,
    )
    processor = T.Gemma3Processor(images, tokenizer, image_seq_length=4, chat_template=template("gemma3"))
    return T.Gemma3ForConditionalGeneration(config), processor


def paligemma():
    """The processor itself adds the image's tokens, <bos> and a newline, and 1,152 tokens to the vocabulary."""
    specials = ("<pad>", "<eos>", "<bos>")
    tokenizer = sentence_piece(specials, prefix=False, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>")
    images = T.SiglipImageProcessor(size={"height": 56, "width": 56}, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    images.image_seq_length = 16
    processor = T.PaliGemmaProcessor(images, tokenizer)
    width = 24
    text = {"hidden_size": width, "intermediate_size": 48, "head_dim": 8, "tie_word_embeddings": True}
    tower = T.SiglipVisionConfig(**TOWER, image_size=56, patch_size=14, projection_dim=width, vision_use_head=False)
    config = T.PaliGemmaConfig(
        text_config=T.GemmaConfig(**text_settings(tokenizer, **text)),
        vision_config=tower.to_dict(),
        projection_dim=width,
        hidden_size=width,
        image_token_index=processor.image_token_id,
        vocab_size=len(tokenizer),
    )
    return T.PaliGemmaForConditionalGeneration(config), processor


BUILDERS = {
    builder.__name__: builder
    for builder in (
        gemma3,
        idefics3,
        internvl,
        llava,
        llava_next,
        llava_onevision,
        paligemma,
        qwen2_5_vl,
        qwen2_vl,
        qwen3_vl,
        smolvlm,
    )
}
