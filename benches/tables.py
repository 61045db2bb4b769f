"""What is printed of the runs: speed and fidelity, and where the time went."""

import statistics
from pathlib import Path

from contestants import Key, Outcome
from fidelity import compare
from flops import Flops

STAGES = ("vision", "prefill", "decode")


def results_table(outcomes: dict[str, list[Outcome]], reference: dict[Key, dict], tokenizer) -> str:
    """A row for everyone: medians of the rounds, ratios to the first, and how far the last round's answers are from the reference."""
    median = {name: [statistics.median(getattr(run, kind) for run in runs) for kind in ("wall", "cpu")] for name, runs in outcomes.items()}
    first, (first_wall, first_cpu) = next(iter(median.items()))
    columns = ("who", "prompts/s", "wall s", "CPU s", f"{first} is faster by (wall)", "(CPU)", "answers that differ")
    columns += ("largest d logp, d entropy", "written tokens that differ")
    memory = {name: max(run.gpu_bytes or 0 for run in runs) for name, runs in outcomes.items()}
    columns += ("GPU memory, GB",) if any(memory.values()) else ()
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name, (wall, cpu) in median.items():
        last = outcomes[name][-1]
        found = compare(last.answers, reference, tokenizer)
        speed = f"{last.prompts / wall:.2f} | {wall:.1f} | {cpu:.1f} | {wall / first_wall:.2f}x | {cpu / first_cpu:.2f}x"
        same = f"{found.differ} of {found.scores} | {found.logp:.1e}, {found.entropy:.1e} | {found.lost} of {found.tokens}"
        taken = f" {memory[name] / 1e9:.1f} |" if any(memory.values()) else ""
        lines.append(f"| {name} | {speed} | {same} |{taken}")
    return "\n".join(lines)


def best_batch_table(everyone: list, outcomes: dict[str, list[Outcome]]) -> str:
    """A row for every peer and precision: the batch with which it is fastest, and how much faster each run of crossmodal is."""
    wall = {one: statistics.median(run.wall for run in outcomes[one.name]) for one in everyone}
    ours = [one for one in everyone if one.encodes_once]
    peers = sorted((one for one in everyone if not one.encodes_once), key=wall.get)
    fastest = {}
    for one in peers:
        fastest.setdefault((one.peer, one.precision), one)
    faster = "".join(f" {one.name} is faster by |" for one in ours)
    lines = ["", f"| at its best batch | wall s |{faster}", "|---" * (2 + len(ours)) + "|"]
    for peer in fastest.values():
        ratios = "".join(f" {wall[peer] / wall[one]:.2f}x |" for one in ours)
        lines.append(f"| {peer.name} | {wall[peer]:.1f} |{ratios}")
    return "\n".join(lines)


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
    """A row for everyone: seconds and model-FLOPs utilisation, which is FLOPs that were needed / seconds / peak in that precision.
    How long prompts are is known from crossmodal's tables; without a run of it there is no table.
    """
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
