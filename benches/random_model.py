"""A checkpoint of a published model's size with random weights, for measuring speed and memory where no hub can be reached:

    python benches/random_model.py smolvlm-256m runs/checkpoints/smolvlm-256m
    python export_scripts/export.py runs/checkpoints/smolvlm-256m runs/models/smolvlm-256m

Sizes, image processor and chat template are the published ones, so prompts hold as many image tokens; the tokenizer
(`english_tokenizer.py`) makes about as many tokens of an English text as the published one. `smolvlm-256m-single` does not split images:
each is one view of 512 x 512 and 64 tokens.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "export_scripts"))

import torch
import transformers as T
from english_tokenizer import english
from tiny_zoo.families import BUILDERS

VISION_TOKENS = 64
"""Of a tile of SmolVLM's."""


def smolvlm_256m(splits_images: bool = True):
    """HuggingFaceTB/SmolVLM-256M-Instruct: 93 M parameters of SigLIP, 135 M of SmolLM2."""
    vocabulary = 49280
    _, processor = BUILDERS["smolvlm"]()
    tokenizer = english(processor.tokenizer, vocabulary)
    ids = {f"{kind}_token_id": getattr(tokenizer, f"{kind}_token_id") for kind in ("bos", "eos", "pad")}
    config = T.SmolVLMConfig(
        text_config=T.LlamaConfig(
            hidden_size=576,
            intermediate_size=1536,
            num_hidden_layers=30,
            num_attention_heads=9,
            num_key_value_heads=3,
            head_dim=64,
            vocab_size=vocabulary,
            max_position_embeddings=8192,
            rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
            **ids,
        ),
        vision_config={
            "hidden_size": 768,
            "intermediate_size": 3072,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "image_size": 512,
            "patch_size": 16,
        },
        scale_factor=4,
        image_token_id=tokenizer.image_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    size = {"longest_edge": 2048 if splits_images else 512}
    images = T.SmolVLMImageProcessor(size=size, max_image_size={"longest_edge": 512}, do_image_splitting=splits_images)
    template = processor.chat_template
    processor = T.SmolVLMProcessor(images, tokenizer, processor.video_processor, image_seq_len=VISION_TOKENS, chat_template=template)
    return T.SmolVLMForConditionalGeneration, config, processor


def qwen2_vl_2b():
    """Qwen/Qwen2-VL-2B-Instruct: 665 M parameters of vision tower, 1.5 B of Qwen2."""
    vocabulary = 151936
    _, processor = BUILDERS["qwen2_vl"]()
    tokenizer = english(processor.tokenizer, vocabulary)
    named = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    ids = {f"{kind}_token_id": getattr(tokenizer, f"{kind}_token_id") for kind in ("bos", "eos", "pad")}
    config = T.Qwen2VLConfig(
        text_config={
            "hidden_size": 1536,
            "intermediate_size": 8960,
            "num_hidden_layers": 28,
            "num_attention_heads": 12,
            "num_key_value_heads": 2,
            "vocab_size": vocabulary,
            "max_position_embeddings": 32768,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
            **ids,
        },
        vision_config={"depth": 32, "embed_dim": 1280, "hidden_size": 1536, "num_heads": 16, "mlp_ratio": 4, "patch_size": 14},
        tie_word_embeddings=True,
        **{key: getattr(tokenizer, key) for key in named},
    )
    size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 1280}
    images = T.Qwen2VLImageProcessor(patch_size=14, temporal_patch_size=2, merge_size=2, size=size)
    processor = T.Qwen2VLProcessor(images, tokenizer, T.Qwen2VLVideoProcessor(), chat_template=processor.chat_template)
    return T.Qwen2VLForConditionalGeneration, config, processor


MODELS = {"smolvlm-256m": smolvlm_256m, "smolvlm-256m-single": partial(smolvlm_256m, splits_images=False), "qwen2-vl-2b": qwen2_vl_2b}


LOGIT_SPREAD = 4.0
"""Standard deviation of a position's logits: entropies of a few nats, as trained models have them, and answers that bf16 rarely turns."""
LAST = ("o_proj.weight", "out_proj.weight", "down_proj.weight", "fc2.weight")
"""Matrices whose outputs are added to the residual stream."""


def initialise(model) -> None:
    """Weights under which a prompt matters. transformers' own (0.02 for all) give nearly the same logits for every prompt, and a
    model that repeats its last token for ever. Here what the layers add weighs as much as the embedding they start from.
    """
    layers = model.config.get_text_config().num_hidden_layers
    head = model.get_output_embeddings().weight  # which may be the embedding
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim < 2:
                continue
            fan_in = parameter[0].numel()
            if parameter is head:
                scale = LOGIT_SPREAD * fan_in**-0.5
            elif "embed" in name and "patch" not in name:
                scale = 0.5
            else:
                scale = fan_in**-0.5 * ((2 * layers) ** -0.5 if name.endswith(LAST) else 1.0)
            parameter.normal_(0, scale)
    model.tie_weights()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model", choices=list(MODELS))
    arguments.add_argument("out", type=Path)
    options = arguments.parse_args()
    model_class, config, processor = MODELS[options.model]()
    torch.manual_seed(0)
    model = model_class(config).eval()
    initialise(model)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:,.0f} M parameters")
    model.save_pretrained(options.out)
    processor.save_pretrained(options.out)


if __name__ == "__main__":
    main()
