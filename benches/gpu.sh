#!/usr/bin/env bash
# Everything that is to be known of crossmodal on an NVIDIA GPU, in one call; ends with a fragment for benches/RESULTS.md.
#
#     bash benches/gpu.sh [OUT]           # default: runs/gpu
#
# 1. The machine has a GPU with a driver, and ONNX Runtime with CUDA (installed into the cache where it is missing).
# 2. Logits of the shipped models and of a random one of 256 M parameters: CUDA against CPU in fp32, at most 1e-3 apart.
# 3. The same with fp16 files: how far apart, how often another token comes first.
# 4. Speed and model-FLOPs utilisation against transformers and ONNX Runtime in Python on the same GPU (benches/workload.py).
#
# Needs PYTHON (default .venv/bin/python) with export_scripts/requirements.lock.txt and pyarrow; with onnxruntime-gpu in the place of
# onnxruntime, that is measured, too. Takes CROSSMODAL (default: what `cargo build --release` makes), ITEMS (default 32: batches of 32 are
# full), ROUNDS (default 3), THREADS (default: all), EPS (default "cuda"; "cuda tensorrt" where TensorRT is installed), WHO (default
# "crossmodal transformers onnxruntime", parts of the names that are measured) and DEVICE (default: the first of CUDA_VISIBLE_DEVICES,
# else 0). OUT keeps checkpoints and exports for the next call.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:-runs/gpu}
python=${PYTHON:-.venv/bin/python}
device=${DEVICE:-${CUDA_VISIBLE_DEVICES:-0}}
device=${device%%,*}
# For all below, it is the only GPU; CUDA counts as nvidia-smi does.
export CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=$device
eps=${EPS:-cuda}
fail() { printf 'gpu.sh: %s\n' "$*" >&2; exit 1; }
step() { printf '\n== %s (%ss)\n' "$*" "$SECONDS" >&2; }

step "the machine"
command -v nvidia-smi >/dev/null || fail "no nvidia-smi: this machine has no NVIDIA driver, and nothing here runs without a GPU"
gpu=$(nvidia-smi --id="$device" --query-gpu=name,memory.total,driver_version --format=csv,noheader) \
  || fail "nvidia-smi shows no GPU $device: $gpu"
[ -n "$gpu" ] || fail "nvidia-smi shows no GPU $device"
command -v "$python" >/dev/null || fail "no $python: make an environment with export_scripts/requirements.lock.txt, or set PYTHON"
"$python" -c 'import pyarrow, onnx, torch, transformers, sys; sys.exit(not torch.cuda.is_available())' \
  || fail "$python lacks pyarrow, onnx, transformers or a torch that sees the GPU"
mkdir -p "$out"
fragment=$out/RESULTS.gpu.md

step "the program and its library"
if [ -z "${CROSSMODAL:-}" ]; then
  cargo build --release --locked
  CROSSMODAL=target/release/crossmodal
fi
[ -n "${ORT_DYLIB_PATH:-}" ] || "$CROSSMODAL" runtime install --gpu >/dev/null

# run OUT MODEL ARGUMENTS...: the logits of four groups, made anew each time
run() {
  local place=$1 model=$2
  shift 2
  rm -rf "$place"
  "$CROSSMODAL" run --model "$model" --suite color-recognition --limit 4 --tables outcomes,logits --top-k all --out "$place" \
    --progress none "$@"
}
# compare NAME EXPECTED FOUND [--tolerance T]
compare() { "$python" benches/compare_logits.py "$@" | tee -a "$fragment"; }

checkpoint=$out/checkpoints/smolvlm-256m-single
random=$out/models/smolvlm-256m-single
if [ ! -d "$random/onnx" ]; then
  step "a random model of 256 M parameters"
  "$python" benches/random_model.py smolvlm-256m-single "$checkpoint"
  "$python" export_scripts/export.py "$checkpoint" "$random" --dtype fp32 --dtype fp16
fi

{
  printf '### On a GPU\n\n%s, %s.\n\n' "$gpu" "$("$CROSSMODAL" --version)"
  printf '| logits against fp32 on CPU | prompts | farthest | same first token |\n|---|---|---|---|\n'
} >"$fragment"
for model in onnx/tiny-llava onnx/tiny-reader "$random"; do
  name=$(basename "$model")
  step "logits of $name"
  run "$out/cpu" "$model" --ep cpu
  for ep in $eps; do
    run "$out/$ep" "$model" --ep "$ep"
    compare "$name, $ep fp32" "$out/cpu" "$out/$ep" --tolerance 1e-3
  done
done
# The reference of the last model, which has fp16 files too.
for ep in $eps; do
  step "fp16 on $ep"
  run "$out/$ep-fp16" "$random" --ep "$ep" --precision fp16
  compare "$(basename "$random"), $ep fp16" "$out/cpu" "$out/$ep-fp16"
done

step "speed"
# crossmodal with cuda, in fp32 and fp16, is measured without being asked for.
who=(${WHO:-crossmodal transformers onnxruntime})
variants=()
for ep in $eps; do
  [ "$ep" != cuda ] || continue
  who+=("$ep")
  variants+=(--variant "$ep fp32=--ep $ep" --variant "$ep fp16=--ep $ep --precision fp16")
done
printf '\n```\n' >>"$fragment"
"$python" benches/workload.py --workload rest --device cuda --model "$random" --checkpoint "$checkpoint" --crossmodal "$CROSSMODAL" \
  --items "${ITEMS:-32}" --rounds "${ROUNDS:-3}" --threads "${THREADS:-$(nproc)}" --only "${who[@]}" "${variants[@]}" \
  --work "$out" | tee -a "$fragment"
printf '```\n' >>"$fragment"

step "done: $fragment"
