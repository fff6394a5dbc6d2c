"""What is done, what is running, what failed: read from the store alone."""

import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import psutil

from annotate.domain.job import Failure, Heartbeat, Job, JobVideo
from annotate.domain.video import Chunk
from annotate.queue.work_units import MERGE_UNIT
from annotate.store import Store

# A worker on another host that has not been heard of for so long is taken for lost.
SILENCE_S = 30.0


@dataclass(frozen=True)
class VideoStatus:
    """How far one video is.

    Attributes:
        video: of the job.
        chunks: all of them, in order.
        done: names of those whose part stands.
        failures: what was given up, by the chunk's name, or `merge`.
        merged: the tracks stand.
        running: heartbeats of the workers that have a chunk of it in hand.
    """

    video: JobVideo
    chunks: tuple[Chunk, ...]
    done: frozenset[str]
    failures: dict[str, Failure]
    merged: bool
    running: tuple[Heartbeat, ...]

    @property
    def frames(self) -> int:
        """Frames of the video."""
        return self.chunks[-1].stop

    @cached_property
    def frames_done(self) -> int:
        """Frames whose part stands, and those that running workers have behind them."""
        under_way = {beat.chunk: beat.frames for beat in self.running}
        return (
            self.frames
            - sum(map(len, self._undone))
            + sum(frames for chunk, frames in under_way.items() if chunk.name not in self.done)
        )

    @cached_property
    def missing(self) -> list[Chunk]:
        """Chunks that are neither done nor given up."""
        return [chunk for chunk in self._undone if chunk.name not in self.failures]

    @cached_property
    def _undone(self) -> list[Chunk]:
        return [chunk for chunk in self.chunks if chunk.name not in self.done]

    @property
    def state(self) -> str:
        """One word: `waiting`, `running`, `merging`, `done`, `partial` or `failed`."""
        if MERGE_UNIT in self.failures or len(self.failures) == len(self.chunks):
            return "failed"
        if self.merged:
            return "partial" if self.failures else "done"
        if not self.missing:
            return "merging"
        return "running" if self.running else "waiting"

    @property
    def finished(self) -> bool:
        """Nothing more will come without `annotate retry`."""
        return self.state in ("done", "partial", "failed")


@dataclass(frozen=True)
class JobStatus:
    """How far a job is.

    Attributes:
        job: its manifest.
        videos: one entry a distinct video, in the job's order.
    """

    job: Job
    videos: tuple[VideoStatus, ...]

    @property
    def frames(self) -> int:
        """Frames of all videos."""
        return sum(video.frames for video in self.videos)

    @property
    def frames_done(self) -> int:
        """Frames done in all videos."""
        return sum(video.frames_done for video in self.videos)

    @property
    def frames_per_s(self) -> float:
        """Live throughput of all workers on this job."""
        return sum(beat.frames_per_s for video in self.videos for beat in video.running)

    @property
    def eta_s(self) -> float | None:
        """Seconds until the last frame at the present throughput, or None while unknown."""
        rate = self.frames_per_s
        return (self.frames - self.frames_done) / rate if rate > 0 else None

    @property
    def finished(self) -> bool:
        """Every video is done or given up."""
        return all(video.finished for video in self.videos)

    @property
    def complete(self) -> bool:
        """Every frame of every file that was submitted is done."""
        return not self.job.rejected and all(video.state == "done" for video in self.videos)


def job_status(store: Store, job: Job, told: Iterable[Heartbeat] = ()) -> JobStatus:
    """How far a job is, from the store.

    Args:
        told: heartbeats of living workers that are not in the store.
    """
    beats = [*told, *(beat for beat in store.heartbeats() if is_alive(beat))]
    distinct = {video.fingerprint: video for video in reversed(job.videos)}
    order = dict.fromkeys(video.fingerprint for video in job.videos)
    return JobStatus(
        job, tuple(_video_status(store, job, distinct[fingerprint], beats) for fingerprint in order)
    )


def is_alive(beat: Heartbeat) -> bool:
    """Whether the worker of a heartbeat can still be at it."""
    host, _, pid = beat.worker.rpartition("-")
    if host == socket.gethostname() and not _runs(int(pid.partition(".")[0])):
        return False
    return time.time() - beat.time_s < SILENCE_S


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _video_status(store: Store, job: Job, video: JobVideo, beats: list[Heartbeat]) -> VideoStatus:
    recipe = job.recipe.digest
    return VideoStatus(
        video=video,
        chunks=store.read_chunks(recipe, video.fingerprint) or (),
        done=frozenset(store.parts(recipe, video.fingerprint)),
        failures=store.failures(recipe, video.fingerprint),
        merged=store.has_tracks(recipe, video.fingerprint, job.merge_digest),
        running=tuple(b for b in beats if b.fingerprint == video.fingerprint),
    )
