"""Saying how far a chunk is, and hearing that its job was cancelled."""

import os
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Protocol

import psutil

from annotate import __version__
from annotate.domain.errors import CancelledJobError, StoreError
from annotate.domain.job import Heartbeat, Job
from annotate.domain.video import Chunk, Frame
from annotate.pipeline import PoseEstimator
from annotate.store import Store

BEAT_S = 1.0
CANCEL_S = 5.0


class Beats(Protocol):
    """Where heartbeats go: the store, or the board of the queue's server."""

    def now(self) -> float:
        """Unix time that all who share it agree upon."""

    def write_heartbeat(self, beat: Heartbeat) -> None:
        """Says what a worker process is doing."""

    def delete_heartbeat(self, worker: str) -> None:
        """Says that a worker process has nothing in hand."""


class ChunkHeartbeats:
    """Says how far the chunk is, once a second, and only while frames advance."""

    def __init__(
        self,
        store: Store,
        beats: Beats,
        job: Job,
        fingerprint: str,
        chunk: Chunk,
        pipeline: PoseEstimator,
    ) -> None:
        self._store = store
        self._beats = beats
        self._job = job
        self._fingerprint = fingerprint
        self._chunk = chunk
        self._pipeline = pipeline
        self._worker = process_name()
        self._process = psutil.Process()
        self._began = self._looked = time.monotonic()
        self._written = 0.0

    def count(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The same frames.

        Raises:
            CancelledJobError: nobody wants them any more.
        """
        self._write(0)
        for done, frame in enumerate(frames):
            self._beat(done)
            yield frame

    def fetching(self, _done: int, _total: int) -> None:
        """Called while the video comes to this host."""
        self._beat(0)

    def stop(self) -> None:
        """Nothing is in hand any more."""
        with suppress(StoreError):
            self._beats.delete_heartbeat(self._worker)

    def _beat(self, done: int) -> None:
        now = time.monotonic()
        if now - self._written >= BEAT_S:
            self._write(done)
        if now - self._looked >= CANCEL_S:
            self._looked = now
            if self._store.is_cancelled(self._job.id):
                raise CancelledJobError(f"job {self._job.id} was cancelled")

    def _write(self, done: int) -> None:
        self._written = time.monotonic()
        # A heartbeat may be lost; the part that it speaks of may not.
        with suppress(StoreError):
            self._beats.write_heartbeat(
                Heartbeat(
                    worker=self._worker,
                    job=self._job.id,
                    video=self._job.video(self._fingerprint).name,
                    fingerprint=self._fingerprint,
                    chunk=self._chunk,
                    frames=done,
                    frames_per_s=done / max(self._written - self._began, 1e-9),
                    provider=self._pipeline.provider,
                    rss_bytes=self._process.memory_info().rss,
                    time_s=self._beats.now(),
                    version=__version__,
                    placement=self._pipeline.placement,
                )
            )


def process_name() -> str:
    """`host-pid`, with the thread where a process has several chunks in hand."""
    name = f"{socket.gethostname()}-{os.getpid()}"
    if threading.current_thread() is threading.main_thread():
        return name
    return f"{name}.{threading.get_native_id()}"
