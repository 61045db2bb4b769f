"""Seconds and model-FLOPs utilisation by stage: FLOPs that were needed / seconds / peak of a matrix product in that precision."""

import statistics
from pathlib import Path

from contestants import Outcome
from flops import Flops

STAGES = ("vision", "prefill", "decode")


def needed(flops: Flops, prompts: list[dict], once: bool) -> dict[str, float]:
    """FLOPs of each stage, every prompt on its own; images `once` each, or once a prompt. What is shared beyond that (the past of a
    prompt's beginning, drafts that fit) shows as a higher utilisation."""
    images = [(prompt["image"], prompt["vision_tokens"] // flops.view_tokens()) for prompt in prompts if prompt["vision_tokens"]]
    sizes = [(prompt["text_tokens"] + prompt["vision_tokens"], prompt.get("generated_tokens") or 1) for prompt in prompts]
    return {
        "vision": sum(views for _, views in (set(images) if once else images)) * flops.view(),
        "prefill": sum(flops.tokens(size) for size, _ in sizes),
        "decode": sum(flops.written(written, size) for size, written in sizes),
    }


def stage_table(everyone: list, outcomes: dict[str, list[Outcome]], model: Path, peak: dict[str, float]) -> str:
    """A row for everyone. How long prompts are is known from crossmodal's tables; without a run of it there is no table."""
    ours = next((one for one in everyone if one.encodes_once), None)
    if ours is None:
        return "\nno run of crossmodal: no utilisation"
    flops, prompts = Flops.of(model), list(outcomes[ours.name][-1].answers.values())
    lines = ["", f"| who | {' | '.join(f'{stage} s | GFLOP/s | of peak' for stage in STAGES)} |", "|---" * (1 + 3 * len(STAGES)) + "|"]
    for one in everyone:
        work = needed(flops, prompts, one.encodes_once)
        seconds = {stage: statistics.median(run.stages.get(stage, 0.0) for run in outcomes[one.name]) for stage in STAGES}
        rates = {stage: work[stage] / seconds[stage] / 1e9 if seconds[stage] > 0 else 0.0 for stage in STAGES}
        cells = [f"{seconds[stage]:.1f} | {rates[stage]:.0f} | {rates[stage] / peak[one.precision]:.0%}" for stage in STAGES]
        lines.append(f"| {one.name} | {' | '.join(cells)} |")
    return "\n".join(lines)
