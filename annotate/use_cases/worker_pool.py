"""How many chunks a host processes at a time, and in processes or in threads."""

import os
import sys
from dataclasses import dataclass

from annotate.domain.runs_on import EMULATOR, MIXED, NPU
from annotate.domain.settings import NO_NPU, Settings
from annotate.domain.soc import find_soc
from annotate.host import emulates_npu, this_soc

# Threads that feed an NPU: some prepare crops while one runs the model. Three keep it busy 85% of
# the time, four 91%, and more make no difference (tests.benchmarks.npu_feed).
NPU_THREADS = 4


@dataclass(frozen=True)
class Pool:
    """What processes chunks on a host.

    Attributes:
        count: how many chunks at a time.
        threads: whether threads of one process do it, or processes.
        reason: why, for people.
        npus: numbers of the NPUs that the threads share.
    """

    count: int
    threads: bool
    reason: str
    npus: tuple[int, ...] = (0,)


def worker_pool(settings: Settings, count: int | None) -> Pool:
    """The pool of a worker on this host.

    One process owns an NPU: QNN refuses a second one (error 5005). Without a proven NPU each core
    gets a process, on Arm too. On Windows Celery has no pool of processes.

    Args:
        count: chunks at a time; None chooses.
    """
    cores = os.cpu_count() or 1
    missing = no_npu_for(settings)
    if not missing:
        npus = _npus(settings)
        owned = "the NPU" if len(npus) == 1 else f"{len(npus)} NPUs"
        return Pool(count or NPU_THREADS * len(npus), True, f"one process owns {owned}", npus)
    windows = sys.platform == "win32"
    return Pool(count or cores, threads=windows, reason=missing)


def processes_here(settings: Settings, count: int | None) -> int:
    """How many worker processes `submit` starts where there is no queue; one, if it has an NPU.

    Args:
        count: processes that the user wants; None chooses.
    """
    return 1 if not no_npu_for(settings) else count or os.cpu_count() or 1


def processes_for(runs_on: str, settings: Settings, count: int | None) -> int:
    """How many worker processes work on a job here, where there is no queue.

    Args:
        runs_on: what the job's models run on; see `Recipe.runs_on`.
        count: processes that the user wants; None chooses.
    """
    if runs_on == MIXED:
        return processes_here(settings, count)
    return 1 if runs_on in (NPU, EMULATOR) else count or os.cpu_count() or 1


def _npus(settings: Settings) -> tuple[int, ...]:
    """Numbers of the NPUs that work, where this host's SoC has several; else the first one."""
    soc = find_soc(settings.soc) if settings.soc else this_soc()
    if emulates_npu() or soc is None or soc.npus == 1:
        return (0,)
    from annotate.inference.npu_proof import working_npus

    return working_npus(soc) or (0,)


def no_npu_for(settings: Settings) -> str:
    """Why models do not run on an NPU here, or an empty text if they do.

    Raises:
        UsageError: the settings name an unknown SoC.
    """
    if settings.provider == "qnn":
        return ""
    if settings.provider != "auto":
        return f"models run on {settings.provider}"
    if emulates_npu():  # known without loading ONNX Runtime
        return NO_NPU
    from annotate.inference.npu_proof import why_no_npu

    return why_no_npu(find_soc(settings.soc) if settings.soc else None)
