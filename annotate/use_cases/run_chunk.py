"""One chunk: decode, both models, part."""

import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import psutil

from annotate import __version__
from annotate.domain import Chunk, Frame
from annotate.errors import StoreError
from annotate.inference import CPU
from annotate.job import Heartbeat, Job
from annotate.pipeline import PoseEstimator
from annotate.pipeline.prefetch import prefetch
from annotate.selection import ALL_FRAMES, asked_frames
from annotate.settings import Settings
from annotate.store import Store
from annotate.use_cases.originals import opened_original
from annotate.video import decode, hardware_device

BEAT_S = 1.0


def run_chunk(
    store: Store,
    job: Job,
    fingerprint: str,
    chunk: Chunk,
    settings: Settings,
    estimator: Callable[[], PoseEstimator],
) -> None:
    """Makes the part of a chunk, unless it stands.

    Args:
        settings: of this host.
        estimator: loads the models, or gives the loaded ones.

    Raises:
        VideoError: the video cannot be read, or is not the one that was submitted.
        StoreError: the store cannot be read or written.
    """
    recipe = job.recipe.digest
    if store.has_part(recipe, fingerprint, chunk):
        return
    index = store.read_index(fingerprint)
    if index is None:
        raise StoreError(
            f"the store has no index of video {fingerprint[:12]}", "Submit the video again."
        )
    asked = (
        None if job.recipe.selection == ALL_FRAMES else asked_frames(index, job.recipe.selection)
    )
    pipeline = estimator()
    video = job.video(fingerprint)
    beats = _Heartbeats(store, job, fingerprint, chunk, pipeline)
    try:
        with opened_original(store, settings, video, index, beats.fetching) as path:
            device = hardware_device(path) if settings.hwaccel == "auto" else None
            frames = beats.count(decode(path, index, chunk, asked=asked, device=device))
            poses = pipeline.run(_ahead(frames, pipeline.provider), index, first=chunk.start)
        facts = {
            "recipe": recipe,
            "fingerprint": fingerprint,
            "provider": pipeline.provider,
            "placement": pipeline.placement,
        }
        store.write_part(recipe, fingerprint, chunk, poses, facts)
    finally:
        beats.stop()


def _ahead(frames: Iterator[Frame], provider: str) -> Iterator[Frame]:
    """Decodes ahead where an accelerator would wait for it. On the CPU there is a process for each
    core, and a second thread costs 10% of core time: the pictures go from one cache to another.
    """
    return frames if provider == CPU else prefetch(frames)


class _Heartbeats:
    """Says how far the chunk is, once a second, and only while frames advance."""

    def __init__(
        self, store: Store, job: Job, fingerprint: str, chunk: Chunk, pipeline: PoseEstimator
    ) -> None:
        self._store = store
        self._job = job
        self._fingerprint = fingerprint
        self._chunk = chunk
        self._pipeline = pipeline
        self._worker = f"{socket.gethostname()}-{os.getpid()}"
        self._process = psutil.Process()
        self._began = time.monotonic()
        self._written = 0.0

    def count(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        self._write(0)
        for done, frame in enumerate(frames):
            if time.monotonic() - self._written >= BEAT_S:
                self._write(done)
            yield frame

    def fetching(self, _done: int, _total: int) -> None:
        """Called while the video comes to this host."""
        if time.monotonic() - self._written >= BEAT_S:
            self._write(0)

    def stop(self) -> None:
        with suppress(StoreError):
            self._store.delete_heartbeat(self._worker)

    def _write(self, done: int) -> None:
        self._written = time.monotonic()
        beat = Heartbeat(
            worker=self._worker,
            job=self._job.id,
            video=self._job.video(self._fingerprint).name,
            fingerprint=self._fingerprint,
            chunk=self._chunk,
            frames=done,
            frames_per_s=done / max(self._written - self._began, 1e-9),
            provider=self._pipeline.provider,
            rss_bytes=self._process.memory_info().rss,
            time_s=time.time(),
            version=__version__,
            placement=self._pipeline.placement,
        )
        # A heartbeat may be lost; the part that it speaks of may not.
        with suppress(StoreError):
            self._store.write_heartbeat(beat)
