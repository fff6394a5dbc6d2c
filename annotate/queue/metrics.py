"""What a worker counts for Prometheus.

The processes of a worker write their counts to files of a folder, and the supervisor adds them up
(prometheus_client's multiprocess mode): `PROMETHEUS_MULTIPROC_DIR` names the folder. Where it
is not set, counts are kept in memory, and are not served.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from annotate.domain.work import WorkUnit

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
# Bytes of a process's file, several times of what its counts take.
_FILE_BYTES = 2**16

logger = logging.getLogger(__name__)

# How an attempt at a work unit ended: `retried` means that it is done again.
Outcome = Literal["done", "failed", "retried"]


@dataclass(frozen=True)
class ChunkFigures:
    """What making a part took.

    Attributes:
        frames, poses: in the part.
        provider: execution provider that ran the models.
        stage_s: wall-clock seconds by stage: `open`, `decode`, `models`, `write`.
    """

    frames: int
    poses: int
    provider: str
    stage_s: Mapping[str, float] = field(default_factory=dict)


class WorkerCounts:
    """The counters of this process."""

    def __init__(self, registry: "CollectorRegistry") -> None:
        from prometheus_client import Counter

        self._frames = Counter(
            "annotate_frames", "Frames of finished chunks.", ["provider"], registry=registry
        )
        self._poses = Counter("annotate_poses", "Poses found in them.", registry=registry)
        self._chunks = Counter(
            "annotate_chunks", "Attempts at chunks, by outcome.", ["outcome"], registry=registry
        )
        self._merges = Counter(
            "annotate_merges", "Attempts at merges, by outcome.", ["outcome"], registry=registry
        )
        self._stages = Counter(
            "annotate_stage_seconds", "Seconds of chunks, by stage.", ["stage"], registry=registry
        )
        for outcome in ("done", "failed", "retried"):
            self._chunks.labels(outcome)
            self._merges.labels(outcome)

    def count(self, unit: WorkUnit, outcome: Outcome) -> None:
        """Counts an attempt."""
        (self._merges if unit.chunk is None else self._chunks).labels(outcome).inc()

    def add(self, figures: ChunkFigures) -> None:
        """Adds what a chunk took."""
        self._frames.labels(figures.provider).inc(figures.frames)
        self._poses.inc(figures.poses)
        for stage, seconds in figures.stage_s.items():
            self._stages.labels(stage).inc(seconds)


@lru_cache(maxsize=1)
def worker_counts() -> WorkerCounts:
    """The counters of this process."""
    _reserve_room()
    from prometheus_client import CollectorRegistry

    return WorkerCounts(CollectorRegistry())


def _reserve_room() -> None:
    """Fills the file of this process's counts with zeros. It is written through memory: without
    room on its disk, the system would kill the process, and the chunk would seem to do it.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return
    # As prometheus_client names it, which decides when it is imported where it counts.
    file = Path(folder) / f"counter_{os.getpid()}.db"
    try:
        if not file.exists():
            file.write_bytes(bytes(_FILE_BYTES))
    except OSError as error:
        file.unlink(missing_ok=True)
        del os.environ[FOLDER_VARIABLE]
        logger.warning("what this process does is not counted: %s", error)
