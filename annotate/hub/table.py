"""The table of AI Hub's model cards, from the results of profile jobs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ProfileRow:
    """One model on one device, as AI Hub's cards show it.

    Attributes:
        model: name of its file in the pack.
        device, chipset, runtime, precision: the target that it ran on.
        inference_ms: estimated time of a run.
        peak_memory_mb: least and greatest peak of memory in a run, or None where unknown.
        operations: number of operations on each compute unit.
    """

    model: str
    device: str
    chipset: str
    runtime: str
    precision: str
    inference_ms: float
    peak_memory_mb: tuple[float, float] | None
    operations: Mapping[str, int]

    @property
    def compute_unit(self) -> str:
        """The compute units with their numbers of operations, most first: `NPU (106 ops)`."""
        ordered = sorted(self.operations.items(), key=lambda item: -item[1])
        return ", ".join(f"{unit} ({count} ops)" for unit, count in ordered) or "unknown"


def profile_row(model: str, profile: Mapping[str, Any], **target: str) -> ProfileRow:
    """A row of the table.

    Args:
        profile: with `execution_summary`, in microseconds and bytes, and `execution_detail`.
        target: `device`, `chipset`, `runtime`, `precision`.
    """
    summary = profile["execution_summary"]
    peak = summary.get("inference_memory_peak_range")
    return ProfileRow(
        model=model,
        **target,
        inference_ms=summary["estimated_inference_time"] / 1000,
        peak_memory_mb=(peak[0] / 1e6, peak[1] / 1e6) if isinstance(peak, tuple) else None,
        operations=dict(Counter(layer["compute_unit"] for layer in profile["execution_detail"])),
    )


def markdown(rows: Iterable[ProfileRow]) -> str:
    """The rows as the Markdown table of AI Hub's cards."""
    lines = [
        "| Model | Device | Chipset | Target Runtime | Inference Time (ms) "
        "| Peak Memory Range (MB) | Precision | Primary Compute Unit |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        memory = (
            "-" if row.peak_memory_mb is None else "{:.0f} - {:.0f}".format(*row.peak_memory_mb)
        )
        lines.append(
            f"| {row.model} | {row.device} | {row.chipset} | {row.runtime.upper()} "
            f"| {row.inference_ms:.3f} | {memory} | {row.precision} | {row.compute_unit} |"
        )
    return "\n".join(lines)
