"""Reports how far a chunk is, and stops it when its job was cancelled."""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

import psutil

from annotate import __version__
from annotate.domain.errors import AnnotateError, CancelledJobError, StoreError
from annotate.domain.video import AnyFrame
from annotate.domain.work import Heartbeat, WorkUnit
from annotate.store import Store

if TYPE_CHECKING:
    from annotate.pipeline import PoseEstimator

# Seconds between two heartbeats.
BEAT_S = 1.0
# Seconds between two looks whether the job was cancelled.
CANCEL_S = 5.0

logger = logging.getLogger(__name__)


class Beats(Protocol):
    """Where heartbeats are written: the store, or the queue's server."""

    def now(self) -> float:
        """Unix time by a clock that all hosts share."""

    def write_heartbeat(self, beat: Heartbeat) -> None:
        """Writes what a worker process is doing."""

    def delete_heartbeat(self, worker: str) -> None:
        """Removes the heartbeat of a worker process, which no longer works on a chunk."""


class ChunkHeartbeats:
    """Writes how far the chunk is, once a second and only while frames advance.

    Attributes:
        pipeline: that makes the poses.
    """

    def __init__(
        self, store: Store, beats: Beats, unit: WorkUnit, pipeline: "PoseEstimator"
    ) -> None:
        self._store = store
        self._beats = beats
        self._unit = unit
        self.pipeline = pipeline
        self._worker = process_name()
        self._process = psutil.Process()
        self._began = self._checked = time.monotonic()
        self._written = 0.0
        self._waiting = ""

    def count(self, frames: Iterable[AnyFrame]) -> Iterator[AnyFrame]:
        """The same frames.

        Raises:
            CancelledJobError: the job was cancelled.
        """
        # A short chunk needs no second one, unless the first says that it waits.
        if self._waiting or not self._written:
            self._waiting = ""
            self._write(0)
        for done, frame in enumerate(frames):
            self._beat(done)
            yield frame

    def fetching(self, _done: int, _total: int) -> None:
        """Called while the video is downloaded to this host."""
        self._beat(0)

    def waiting(self, error: AnnotateError) -> None:
        """Called while trouble of this host is waited for."""
        if error.message != self._waiting:
            self._waiting = error.message
            self._write(0, error.message)
        self._beat(0, error.message)

    def stop(self) -> None:
        """The process no longer works on the chunk."""
        with _may_be_lost():
            self._beats.delete_heartbeat(self._worker)

    def _beat(self, done: int, waiting: str = "") -> None:
        now = time.monotonic()
        if now - self._written >= BEAT_S:
            self._write(done, waiting)
        if now - self._checked >= CANCEL_S:
            self._checked = now
            # While the store is away it cannot say that the job was cancelled.
            with suppress(StoreError):
                if self._store.is_cancelled(self._unit.job.id):
                    raise CancelledJobError(f"job {self._unit.job.id} was cancelled")

    def _write(self, done: int, waiting: str = "") -> None:
        self._written = time.monotonic()
        with _may_be_lost():
            self._beats.write_heartbeat(
                Heartbeat(
                    worker=self._worker,
                    job=self._unit.job.id,
                    video=self._unit.video.name,
                    fingerprint=self._unit.video.fingerprint,
                    chunk=self._unit.require_chunk(),
                    frames=done,
                    frames_per_s=done / max(self._written - self._began, 1e-9),
                    provider=self.pipeline.provider,
                    rss_bytes=self._process.memory_info().rss,
                    time_s=self._beats.now(),
                    version=__version__,
                    placement=self.pipeline.placement,
                    reason=self.pipeline.reason,
                    waiting=waiting,
                )
            )


@contextmanager
def _may_be_lost() -> Iterator[None]:
    """Whatever happens to a heartbeat must not stop the chunk."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        logger.info("a heartbeat was lost: %s", error)


def process_name() -> str:
    """`host-pid`, followed by the thread's id where threads of one process work on chunks."""
    name = f"{socket.gethostname()}-{os.getpid()}"
    if threading.current_thread() is threading.main_thread():
        return name
    return f"{name}.{threading.get_native_id()}"


def is_of_this_host(worker: str) -> bool:
    """Whether a name that `process_name` gives is one of a process of this host."""
    return worker.rpartition("-")[0] == socket.gethostname()
