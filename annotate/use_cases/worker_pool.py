"""How many chunks a host processes at a time, and in processes or in threads."""

import os
import sys
from dataclasses import dataclass

from annotate.domain.settings import NO_NPU, Settings
from annotate.domain.soc import find_soc
from annotate.host import emulates_npu

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
    """

    count: int
    threads: bool
    reason: str


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
        return Pool(count or NPU_THREADS, threads=True, reason="one process owns the NPU")
    windows = sys.platform == "win32"
    return Pool(count or cores, threads=windows, reason=missing)


def processes_here(settings: Settings, count: int | None) -> int:
    """How many worker processes `submit` starts where there is no queue; one, if it has an NPU.

    Args:
        count: processes that the user wants; None chooses.
    """
    return 1 if not no_npu_for(settings) else count or os.cpu_count() or 1


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
