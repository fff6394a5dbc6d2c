"""What annotating is expected to cost, for people and as JSON."""

from typing import TYPE_CHECKING, Any

from annotate.cli.text import amount, count, duration, number

if TYPE_CHECKING:
    from annotate.use_cases.expected_cost import ExpectedCost, NpuTime
    from annotate.use_cases.people_sample import PeopleSample

UNKNOWN = "What it costs is known once the models are: annotate models pull"


def cost_lines(cost: "ExpectedCost") -> list[str]:
    """Lines about core time, time, NPUs and disk."""
    disk_b, kept_b = cost.cost.disk_b, cost.cost.disk_b["parts"] + cost.cost.disk_b["tracks"]
    core = {step: compute_time(seconds, "core") for step, seconds in cost.cost.core_s.items()}
    models = f"{core['models']} models"
    if cost.host.accelerated:
        models = f"models on the accelerator for {duration(cost.cost.accelerator_s)}"
    recipe = cost.recipe
    return [
        f"Estimate for {recipe.pack_name}, --people {recipe.people}, --detect-every "
        f"{recipe.detect_every}, and {_people(cost.sample)}:",
        f"about {compute_time(cost.cost.total_core_s, 'core')}; {duration(cost.wall_s)} on "
        f"{count(cost.processes, 'core')} of this host.",
        f"Of these: {core['decoding']} decoding, {models}, {core['between']} around the models, "
        f"{core['merge']} merge, {core['start']} start and end.",
        f"Each further person a frame adds {compute_time(cost.further_core_s, 'core')}.",
        _npu_line(cost.npus[0]),
        f"Disk: {amount(kept_b)} (parts {amount(disk_b['parts'])}, tracks "
        f"{amount(disk_b['tracks'])}). An export as COCO: {amount(disk_b['coco'])}, "
        f"{compute_time(cost.cost.export_s, 'core')}.",
    ]


def compute_time(seconds: float, of: str) -> str:
    """Time of cores or NPUs.

    >>> compute_time(42, "core"), compute_time(720, "core"), compute_time(11_520, "NPU")
    ('42 core-seconds', '12 core-minutes', '3.2 NPU-hours')
    >>> compute_time(0.2, "core")
    'under 1 core-second'
    """
    if seconds < 1:
        return f"under 1 {of}-second"
    for unit, size in (("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{number(round(seconds / size, 1))} {of}-{unit}"
    return f"{number(round(seconds, 1))} {of}-seconds"


def _people(sample: "PeopleSample") -> str:
    looked = f"{count(sample.frames, 'frame')} that {'was' if sample.frames == 1 else 'were'}"
    if not sample.people:
        return f"1 person a frame (no one was found in {looked} looked at)"
    mean = f"{sample.a_frame:.1f}".removesuffix(".0")
    people = "person" if mean == "1" else "people"
    return f"{mean} {people} a frame (as in {looked} looked at)"


def _npu_line(npu: "NpuTime") -> str:
    runs = ", ".join(f"{ms:.2f} ms {_NAMES[stage]}" for stage, ms in npu.model_ms.items())
    of_others = " (no card: scaled from MediaPipe-Pose)" if npu.scaled else ""
    return (
        f"On the NPU of a {npu.soc} the models take {compute_time(npu.npu_s, 'NPU')}: "
        f"{runs} a run{of_others}."
    )


_NAMES = {"detector": "detector", "person_detector": "person detector", "landmark": "landmarks"}


def cost_fields(cost: "ExpectedCost") -> dict[str, Any]:
    """The same for `--json`."""
    one = cost.cost
    return {
        "pack": cost.recipe.pack_name,
        "people": cost.recipe.people,
        "detect_every": cost.recipe.detect_every,
        "frames": one.frames,
        "people_a_frame": round(cost.sample.a_frame, 3),
        "sampled_frames": cost.sample.frames,
        "sampled_people": cost.sample.people,
        "core_s": {step: round(seconds, 1) for step, seconds in one.core_s.items()},
        "total_core_s": round(one.total_core_s, 1),
        "further_person_core_s": round(cost.further_core_s, 1),
        "export_core_s": round(one.export_s, 1),
        "accelerator_s": round(one.accelerator_s, 1),
        "wall_s": round(cost.wall_s, 1),
        "processes": cost.processes,
        "chunks": cost.chunks,
        "runs": {stage: round(runs) for stage, runs in one.runs.items()},
        "model_ms": {stage: round(ms, 3) for stage, ms in cost.host.model_ms.items()},
        "slowness": round(cost.host.slowness, 3),
        "disk_b": {what: round(size) for what, size in one.disk_b.items()},
        "npus": [
            {
                "soc": npu.soc,
                "model_ms": {stage: round(ms, 3) for stage, ms in npu.model_ms.items()},
                "scaled": npu.scaled,
                "npu_s": round(npu.npu_s, 1),
            }
            for npu in cost.npus
        ],
    }
