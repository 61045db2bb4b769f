"""A checkpoint of a published model's size with random weights, for measuring speed and memory where no hub can be reached:

    python benches/random_model.py smolvlm-256m runs/checkpoints/smolvlm-256m
    python export_scripts/export.py runs/checkpoints/smolvlm-256m runs/models/smolvlm-256m

Sizes, image processor and chat template are the published ones, so prompts hold as many image tokens; the tokenizer is the tiny one of
the tests, so a text has more tokens than the published one would make of it.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "export_scripts"))

import torch
import transformers as T
from tiny_zoo.families import BUILDERS

VISION_TOKENS = 64
"""Of a tile of SmolVLM's."""


def smolvlm_256m():
    """HuggingFaceTB/SmolVLM-256M-Instruct: 93 M parameters of SigLIP, 135 M of SmolLM2."""
    _, processor = BUILDERS["smolvlm"]()
    tokenizer = processor.tokenizer
    ids = {f"{kind}_token_id": getattr(tokenizer, f"{kind}_token_id") for kind in ("bos", "eos", "pad")}
    config = T.SmolVLMConfig(
        text_config=T.LlamaConfig(
            hidden_size=576,
            intermediate_size=1536,
            num_hidden_layers=30,
            num_attention_heads=9,
            num_key_value_heads=3,
            head_dim=64,
            vocab_size=49280,
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
    images = T.SmolVLMImageProcessor(size={"longest_edge": 2048}, max_image_size={"longest_edge": 512}, do_image_splitting=True)
    template = processor.chat_template
    processor = T.SmolVLMProcessor(images, tokenizer, processor.video_processor, image_seq_len=VISION_TOKENS, chat_template=template)
    return T.SmolVLMForConditionalGeneration, config, processor


def qwen2_vl_2b():
    """Qwen/Qwen2-VL-2B-Instruct: 665 M parameters of vision tower, 1.5 B of Qwen2."""
    tiny, processor = BUILDERS["qwen2_vl"]()
    named = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    text = tiny.config.get_text_config()
    config = T.Qwen2VLConfig(
        text_config={
            "hidden_size": 1536,
            "intermediate_size": 8960,
            "num_hidden_layers": 28,
            "num_attention_heads": 12,
            "num_key_value_heads": 2,
            "vocab_size": 151936,
            "max_position_embeddings": 32768,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
            **{key: getattr(text, key) for key in ("bos_token_id", "eos_token_id", "pad_token_id")},
        },
        vision_config={"depth": 32, "embed_dim": 1280, "hidden_size": 1536, "num_heads": 16, "mlp_ratio": 4, "patch_size": 14},
        tie_word_embeddings=True,
        **{key: getattr(tiny.config, key) for key in named},
    )
    size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 1280}
    images = T.Qwen2VLImageProcessor(patch_size=14, temporal_patch_size=2, merge_size=2, size=size)
    processor = T.Qwen2VLProcessor(images, processor.tokenizer, T.Qwen2VLVideoProcessor(), chat_template=processor.chat_template)
    return T.Qwen2VLForConditionalGeneration, config, processor


MODELS = {"smolvlm-256m": smolvlm_256m, "qwen2-vl-2b": qwen2_vl_2b}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model", choices=list(MODELS))
    arguments.add_argument("out", type=Path)
    options = arguments.parse_args()
    model_class, config, processor = MODELS[options.model]()
    torch.manual_seed(0)
    model = model_class(config).eval()
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:,.0f} M parameters")
    model.save_pretrained(options.out)
    processor.save_pretrained(options.out)


if __name__ == "__main__":
    main()
