"""A published checkpoint in transformers' classes: text and images, without the audio tower.

transformers names a few things differently, and has no LoRA in its class (it would load one with PEFT). The published model runs
with its vision LoRA wherever there is an image; here it is folded into the weights once and for all.
"""

import json
import re
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import Phi4MultimodalConfig, Phi4MultimodalForCausalLM

IMAGE_TOKEN, AUDIO_TOKEN = 200010, 200011
"""Of the published tokenizer: `<|endoftext10|>` and `<|endoftext11|>`. `image_token_id` and `audio_token_id` change them."""
CROP, PATCH = 448, 14
NAMES = {
    "image_embed.glb_GN": "image_embed.global_img_feature_extensor",
    "image_embed.sub_GN": "image_embed.sub_img_feature_extensor",
    "image_embed.img_projection.0.": "image_embed.img_projection_up.",
    "image_embed.img_projection.2.": "image_embed.img_projection_down.",
}
"""Published name to transformers' name."""
AUDIO = "model.embed_tokens_extend.audio_embed."
SMALL_AUDIO = {"hidden_size": 8, "intermediate_size": 8, "num_blocks": 1, "num_attention_heads": 1, "ext_pw_out_channel": 8}
SMALL_AUDIO |= {"depthwise_separable_out_channel": 8, "nemo_conv_channels": 8}
"""Its class wants an audio tower; it is made small and taken out again."""


class NoAudio(torch.nn.Module):
    """In the place of the audio tower."""


def read_config(folder: Path | str) -> Phi4MultimodalConfig:
    """transformers' settings from a published `config.json`."""
    raw = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
    if raw["model_type"] != "phi4mm":
        raise ValueError(f"model_type of {folder} is {raw['model_type']!r}, expected the published 'phi4mm'")
    known = Phi4MultimodalConfig().to_dict().keys() | {"rope_scaling", "rope_theta", "partial_rotary_factor"}
    text = {key: value for key, value in raw.items() if key in known - {"vision_config", "audio_config", "model_type", "rope_parameters"}}
    image = {"crop_size": CROP, "image_size": CROP, "patch_size": PATCH, "image_token_id": raw.get("image_token_id", IMAGE_TOKEN)}
    audio = {**SMALL_AUDIO, "audio_token_id": raw.get("audio_token_id", AUDIO_TOKEN)}
    return Phi4MultimodalConfig(**text, vision_config={**image, **(raw.get("img_processor") or {})}, audio_config=audio)


def build(config: Phi4MultimodalConfig) -> Phi4MultimodalForCausalLM:
    model = Phi4MultimodalForCausalLM._from_config(config, dtype=torch.float32, attn_implementation="sdpa")
    model.model.embed_tokens_extend.audio_embed = NoAudio()
    return model.eval()


def load(folder: Path | str) -> Phi4MultimodalForCausalLM:
    config = read_config(folder)
    raw = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
    tensors = {}
    for file in sorted(Path(folder).glob("*.safetensors")):
        tensors |= load_file(file)
    lora = raw.get("vision_lora") or {"r": 1, "lora_alpha": 1}
    weights = rename(fold(tensors, lora["lora_alpha"] / lora["r"]))
    model = build(config)
    missing, unexpected = model.load_state_dict(weights, strict=False)
    tied = {"lm_head.weight"} if config.tie_word_embeddings else set()
    if set(missing) - tied or unexpected:
        raise ValueError(f"{folder}: missing weights {sorted(set(missing) - tied)}, unexpected {unexpected}")
    model.tie_weights()
    return model


def fold(tensors: dict[str, torch.Tensor], scale: float) -> dict[str, torch.Tensor]:
    """Each weight with its vision LoRA added: W + scale B A. Audio and its LoRA are dropped."""
    folded = {}
    for name, value in tensors.items():
        if name.startswith(AUDIO) or ".lora_A." in name or ".lora_B." in name:
            continue
        if name.endswith(".base_layer.weight"):
            name = name.removesuffix(".base_layer.weight")
            low, high = (tensors[f"{name}.lora_{part}.vision.weight"].float() for part in "AB")
            name, value = f"{name}.weight", value.float() + scale * high @ low
        folded[name] = value.float()
    return folded


def rename(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    pattern = re.compile("|".join(map(re.escape, NAMES)))
    return {pattern.sub(lambda found: NAMES[found[0]], name): value for name, value in weights.items()}


def save(model: Phi4MultimodalForCausalLM, folder: Path, rank: int = 2, alpha: int = 4, seed: int = 1) -> None:
    """`model` as a checkpoint in the published form, with a random vision LoRA of this rank beside its layers."""
    random = torch.Generator().manual_seed(seed)
    published = {new: old for old, new in NAMES.items()}
    pattern = re.compile("|".join(map(re.escape, published)))
    tensors = {}
    for name, value in model.state_dict().items():
        name = pattern.sub(lambda found: published[found[0]], name)
        if name == "lm_head.weight" and model.config.tie_word_embeddings:
            continue
        if re.fullmatch(r"model\.layers\.\d+\.(self_attn|mlp)\.\w+_proj\.weight", name):
            layer = name.removesuffix(".weight")
            rows, columns = value.shape
            tensors[f"{layer}.lora_A.vision.weight"] = torch.randn(rank, columns, generator=random) * columns**-0.5
            tensors[f"{layer}.lora_B.vision.weight"] = torch.randn(rows, rank, generator=random) * 0.2
            name = f"{layer}.base_layer.weight"
        tensors[name] = value.contiguous().clone()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(published_config(model.config, rank, alpha), indent=2) + "\n", encoding="utf-8")


def published_config(config: Phi4MultimodalConfig, rank: int, alpha: int) -> dict:
    rope = config.rope_parameters
    names = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads")
    names += ("hidden_act", "max_position_embeddings", "original_max_position_embeddings", "rms_norm_eps", "tie_word_embeddings")
    names += ("bos_token_id", "eos_token_id", "pad_token_id", "sliding_window")
    vision = config.vision_config
    tower = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    return {
        "architectures": ["Phi4MMForCausalLM"],
        "model_type": "phi4mm",
        **{name: getattr(config, name) for name in names},
        "rope_theta": rope["rope_theta"],
        "partial_rotary_factor": rope["partial_rotary_factor"],
        "rope_scaling": {"type": "longrope", "short_factor": rope["short_factor"], "long_factor": rope["long_factor"]},
        "embd_layer": {"embedding_cls": "image_audio", "image_embd_layer": {"crop_size": CROP, "hd_transform_order": "sub_glb"}},
        "img_processor": {name: getattr(vision, name) for name in tower},
        "image_token_id": vision.image_token_id,
        "audio_token_id": config.audio_config.audio_token_id,
        "vision_lora": {"r": rank, "lora_alpha": alpha},
    }
