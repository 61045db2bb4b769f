"""Decoders of two layers by other exporters than `export.py`: tests/models/residuals/*.onnx, with what transformers says of their layers.

    python export_scripts/residuals.py

They take the place of the decoder of tests/models/llava in the tests that find the residual stream after every layer. One Llama:

- `torchscript.onnx`: torch's TorchScript exporter, norms and attention written out;
- `optimum.onnx`: optimum, by `residuals_optimum.py`, which takes what `--checkpoint` saves;
- `fused.onnx`: the same, simplified, with the norm fusions of ONNX Runtime's optimizer for transformers (SkipSimplifiedLayerNormalization);
- `int8.onnx`, `fp16.onnx`, `q4.onnx`: the same, simplified, in the precisions of `quantize.py`;
- `genai.onnx`: the model builder of ONNX Runtime GenAI (GroupQueryAttention, SkipSimplifiedLayerNormalization);

and `parallel.onnx`, a Phi by the TorchScript exporter: attention and MLP side by side, LayerNorm with a bias.

`llama.f32` and `phi.f32` (float32, little endian) hold, for the tokens of `embeds`: what leaves each layer and then the last one
after the final norm, [layers + 1, batch, tokens, hidden]; logits of what leaves each layer, through the final norm and the LM
head, [layers, batch, tokens, vocabulary].
"""

import argparse
import contextlib
import os
import tempfile
import warnings
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.transformers.fusion_simplified_layernorm import (
    FusionSimplifiedLayerNormalization,
    FusionSkipSimplifiedLayerNormalization,
)
from onnxruntime.transformers.onnx_model import OnnxModel
from transformers import LlamaConfig, LlamaForCausalLM, PhiConfig, PhiForCausalLM

from families.graphs import Decoder, TokenTypeDecoder, decoder_graph
from quantize import QUANTIZERS
from tiny_zoo.weights import initialise

OUT = Path(__file__).parent.parent / "tests" / "models" / "residuals"
BATCH, TOKENS, HIDDEN = 2, 5, 16
SIZES = {
    "hidden_size": HIDDEN,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": 40,
    "max_position_embeddings": 64,
    "attn_implementation": "eager",
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}


class CausalDecoder(TokenTypeDecoder):
    """The plain decoder with a mask that TorchScript can trace."""

    def forward(self, inputs_embeds, attention_mask, position_ids, *past):
        past = list(zip(past[::2], past[1::2]))
        alone = torch.full(inputs_embeds.shape[:2], -1, dtype=torch.int64)
        visible = self.visible(attention_mask, alone, past[0][0].shape[2])
        mask = torch.where(visible, 0.0, torch.finfo(torch.float32).min)
        return self.decode(inputs_embeds, mask, position_ids, past)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--checkpoint", type=Path, help="where the Llama is saved, too")
    options = arguments.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    llama = made(LlamaForCausalLM, LlamaConfig(**SIZES, head_dim=16))
    if options.checkpoint:
        llama.save_pretrained(options.checkpoint)
    torchscript(llama, OUT / "torchscript.onnx")
    with tempfile.TemporaryDirectory() as folder:
        simplified = Path(folder) / "simplified.onnx"
        simplify(OUT / "torchscript.onnx", simplified)
        fuse(simplified, OUT / "fused.onnx")
        for dtype, quantize in QUANTIZERS.items():
            quantize(simplified, OUT / f"{dtype}.onnx")
    by_genai(llama, OUT / "genai.onnx")
    golden(llama, llama.model.norm, OUT / "llama.f32")
    phi = made(PhiForCausalLM, PhiConfig(**{**SIZES, "num_key_value_heads": 2}))
    torchscript(phi, OUT / "parallel.onnx", opset=14)
    golden(phi, phi.model.final_layernorm, OUT / "phi.f32")


def made(kind, config):
    torch.manual_seed(0)
    model = kind(config).eval()
    initialise(model)
    return model


def torchscript(model, path: Path, opset: int = 17) -> None:
    graph = decoder_graph(model, CausalDecoder(model))
    *arguments, past = graph.arguments
    axes = {"inputs_embeds": {0: "batch", 1: "sequence"}, "attention_mask": {0: "batch", 1: "total"}, "position_ids": {0: "batch", 1: "sequence"}}
    axes |= {name: {0: "batch", 2: "past"} for name in graph.inputs[3:]}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.module.eval(),
            (*arguments, *(tensor for pair in past for tensor in pair)),
            path,
            input_names=graph.inputs,
            output_names=graph.outputs,
            dynamic_axes=axes,
            dynamo=False,
            opset_version=opset,
        )


def simplify(source: Path, target: Path) -> None:
    """What ONNX Runtime's basic optimizations leave of a graph: casts to the same type hide norms from the fusions."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def fuse(source: Path, target: Path) -> None:
    model = OnnxModel(onnx.load(source))
    FusionSimplifiedLayerNormalization(model).apply()
    FusionSkipSimplifiedLayerNormalization(model).apply()
    model.prune_graph()
    operators = [node.op_type for node in model.model.graph.node]
    if operators.count("SkipSimplifiedLayerNormalization") < 3:
        raise ValueError(f"the optimizer has fused nothing: {sorted(set(operators))}")
    model.save_model_to_file(str(target))


def by_genai(model, path: Path) -> None:
    from onnxruntime_genai.models.builder import create_model, parse_extra_options
    from tiny_zoo import BUILDERS

    _, processor = BUILDERS["llava"]()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(None):
        checkpoint, built, cache = (str(Path(folder) / name) for name in ("text", "built", "cache"))
        model.save_pretrained(checkpoint)
        processor.tokenizer.save_pretrained(checkpoint)
        arguments = (None, checkpoint, built, "fp32", "cpu", cache)
        create_model(*arguments, **parse_extra_options(*arguments, ["exclude_embeds=true"]))
        built = onnx.load(Path(built) / "model.onnx")
    for value in built.graph.input:
        if value.name.startswith("past_key_values."):  # left open: `genai_config.json` says it
            value.type.tensor_type.shape.dim[3].dim_value = model.config.head_dim
    onnx.save(built, path)


def golden(model, norm, path: Path) -> None:
    before_norm = []
    hook = norm.register_forward_pre_hook(lambda _, arguments: before_norm.append(arguments[0]))
    with torch.no_grad():
        output = model(inputs_embeds=embeds(), output_hidden_states=True)
        hook.remove()
        _, *stream, normed = output.hidden_states
        stream.append(before_norm[0])
        lens = torch.stack([model.lm_head(norm(state)) for state in stream])
    torch.testing.assert_close(lens[-1], output.logits)
    parts = [torch.stack([*stream, normed]), lens]
    np.concatenate([part.numpy().ravel() for part in parts]).astype("<f4").tofile(path)


def embeds() -> torch.Tensor:
    """[batch, tokens, hidden]: 4 x ((31 row + 17 token + 7 i) mod 23) / 23 - 2."""
    row, token, i = np.mgrid[:BATCH, :TOKENS, :HIDDEN]
    return torch.from_numpy((((31 * row + 17 * token + 7 * i) % 23) / 23 * 4 - 2).astype(np.float32))


if __name__ == "__main__":
    main()
