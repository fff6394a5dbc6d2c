"""The table and the text of AI Hub's model cards, from the results of profile jobs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_MIB = 1 << 20
_RULE = 60 * "-"


@dataclass(frozen=True)
class ProfileRow:
    """One model on one device, as AI Hub's cards show it.

    Attributes:
        model: name of its file in the pack.
        device, os, chipset, runtime, precision: the target that it ran on.
        job, url: the profile job, and its web page.
        inference_ms: estimated time of a run.
        peak_memory_mib: least and greatest peak of memory in a run, or None where unknown. AI Hub
            writes MB and means 2**20 bytes.
        operations: number of operations on each compute unit.
    """

    model: str
    device: str
    os: str
    chipset: str
    runtime: str
    precision: str
    job: str
    url: str
    inference_ms: float
    peak_memory_mib: tuple[float, float] | None
    operations: Mapping[str, int]

    @property
    def compute_unit(self) -> str:
        """The compute units with their numbers of operations, most first: `NPU (106 ops)`."""
        ordered = sorted(self.operations.items(), key=lambda item: -item[1])
        return ", ".join(f"{unit} ({count} ops)" for unit, count in ordered) or "unknown"

    def memory(self, form: str) -> str:
        """The range of peak memory, written with a format of two numbers."""
        return "-" if self.peak_memory_mib is None else form.format(*self.peak_memory_mib)


def profile_row(model: str, profile: Mapping[str, Any], **target: str) -> ProfileRow:
    """A row of the table.

    Args:
        profile: with `execution_summary`, in microseconds and bytes, and `execution_detail`.
        target: `device`, `os`, `chipset`, `runtime`, `precision`, `job`, `url`.
    """
    summary = profile["execution_summary"]
    peak = summary.get("inference_memory_peak_range")
    return ProfileRow(
        model=model,
        **target,
        inference_ms=summary["estimated_inference_time"] / 1000,
        peak_memory_mib=(peak[0] / _MIB, peak[1] / _MIB) if isinstance(peak, tuple) else None,
        operations=dict(Counter(layer["compute_unit"] for layer in profile["execution_detail"])),
    )


def markdown(rows: Iterable[ProfileRow]) -> str:
    """The rows as the Markdown table of AI Hub's cards."""
    heads = [
        "| Model | Device | Chipset | Target Runtime | Inference Time (ms) "
        "| Peak Memory Range (MB) | Precision | Primary Compute Unit |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*heads, *map(_line, rows)])


def _line(row: ProfileRow) -> str:
    cells = (
        row.model,
        row.device,
        row.chipset,
        row.runtime.upper(),
        f"{row.inference_ms:.3f}",
        row.memory("{:.0f} - {:.0f}"),
        row.precision,
        row.compute_unit,
    )
    return f"| {' | '.join(cells)} |"


def card(rows: Iterable[ProfileRow]) -> str:
    """The rows as the block "Profiling Results" of AI Hub's cards, with the jobs."""
    lines = ["Profiling Results"]
    for row in rows:
        facts = {
            "Device": f"{row.device} ({row.os})",
            "Runtime": row.runtime.upper(),
            "Estimated inference time (ms)": f"{row.inference_ms:.1f}",
            "Estimated peak memory usage (MB)": row.memory("[{:.0f}, {:.0f}]"),
            "Total # Ops": str(sum(row.operations.values())),
            "Compute Unit(s)": row.compute_unit,
            "Job": f"{row.job} {row.url}",
        }
        lines += [_RULE, row.model, *(f"{key:32}: {value}" for key, value in facts.items())]
    return "\n".join([*lines, _RULE])
