"""A self-test of both models of a pack on one execution provider: placement, latency, answers."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from annotate.domain.pack import read_pack
from annotate.domain.soc import Soc
from annotate.inference.placement import placement
from annotate.inference.qnn import QnnSettings, device_kind, open_session, soc_of
from annotate.inference.session import (
    NPU_TITLE,
    Models,
    agreements,
    check_agreement,
    load_models,
)
from annotate.inference.timing import median_ms

# Runs of each model, whose median is reported.
CPU_RUNS = 15
NPU_RUNS = 15
EMULATOR_RUNS = 3


@dataclass(frozen=True)
class SelfTest:
    """The results of a self-test; mappings have the keys `detector` and `landmark`.

    Attributes:
        provider: what ran the models: `cpu`, `qnn`, or `htp-emulator`.
        device: kind of device, as ONNX Runtime calls it.
        placement: number of nodes on each execution provider of ONNX Runtime.
        latency_ms: median time of a run.
        agreement_db: the least agreement of any output with the CPU's; empty on the CPU.
    """

    provider: str
    device: str
    placement: Mapping[str, Mapping[str, int]]
    latency_ms: Mapping[str, float]
    agreement_db: Mapping[str, float]


def self_test_cpu(folder: Path) -> SelfTest:
    """Runs the pack in `folder` on one core.

    Raises:
        PackError: the models do not load.
    """
    models = load_models(read_pack(folder), folder)
    return SelfTest(models.provider, "CPU", models.placement, _latencies(models, CPU_RUNS), {})


def self_test_npu(folder: Path, soc: Soc | None) -> SelfTest:
    """Runs the pack in `folder` on the NPU as a worker would, without touching the cache.

    Args:
        soc: the SoC of this host; None detects it.

    Raises:
        PackError: the models, or the pack's variant for this SoC, do not load.
        ProviderError: the NPU does not take every node, or its answers differ from the CPU's.
    """
    pack = read_pack(folder)
    soc = soc_of(QnnSettings(soc))
    # A compiled model is a single node, so node placement is read from the original ONNX files.
    placed = {
        stage: placement(open_session(folder / spec.file, soc, {}))
        for stage, spec in pack.stages.items()
    }
    # Windows cannot remove files that are still mapped.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        models = load_models(pack, folder, provider="qnn", qnn=QnnSettings(soc, {}, Path(scratch)))
        found = agreements(models, load_models(pack, folder))
        check_agreement(found, NPU_TITLE)
        runs = NPU_RUNS if models.provider == "qnn" else EMULATOR_RUNS
        return SelfTest(models.provider, device_kind(), placed, _latencies(models, runs), found)


def _latencies(models: Models, runs: int) -> dict[str, float]:
    return {
        stage: median_ms(models.stage(stage), spec, runs)
        for stage, spec in models.pack.stages.items()
    }
