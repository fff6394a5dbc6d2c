"""What of a job is done, running or failed, read from the store."""

import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias, TypeVar

import psutil

from annotate.domain.errors import DamagedError
from annotate.domain.job import Job, JobVideo
from annotate.domain.video import Chunk, CrowdedRange, DamagedRange, FittedRange
from annotate.domain.work import MERGE, SILENCE_S, Failure, Heartbeat, WorkUnit
from annotate.store import Store
from annotate.store.frame_notes import UnreadableNote
from annotate.store.results import tracks_name

VideoState: TypeAlias = Literal[
    "not planned", "waiting", "running", "merging", "done", "partial", "failed"
]


T = TypeVar("T")


class Account(NamedTuple):
    """What became of a video's frames.

    Attributes:
        declared: frames that the container claims; None where it claims nothing.
        decoded: frames that were annotated.
        damaged: frames that the job asks for and that cannot be decoded.
        missing: frames that the container claims and the file does not hold, and those of chunks
            that failed.
    """

    declared: int | None
    decoded: int
    damaged: int
    missing: int


@dataclass(frozen=True)
class VideoStatus:
    """How far one video is.

    Attributes:
        video: of the job.
        chunks: all of them, in order; None where the video is not planned: it was never cut, or its
            results were deleted.
        done: names of the chunks whose part is in the store.
        failures: of its chunks and of the merge, by the name of the work unit.
        merged: the tracks are in the store.
        running: heartbeats of the workers that work on one of its chunks.
        damage: what of it is damaged in the store and hides how it is cut, or what its frames are
            like; or empty.
        damaged: frames of done chunks that cannot be decoded, in order.
        fitted: frames of done chunks of another size than the video, in order.
        crowded: frames of done chunks that show more people than are annotated, in order.
        unreadable: notes of frames of done chunks that are damaged.
    """

    video: JobVideo
    chunks: tuple[Chunk, ...] | None
    done: frozenset[str]
    failures: dict[str, Failure]
    merged: bool
    running: tuple[Heartbeat, ...]
    damage: str = ""
    damaged: tuple[DamagedRange, ...] = ()
    fitted: tuple[FittedRange, ...] = ()
    crowded: tuple[CrowdedRange, ...] = ()
    unreadable: tuple[UnreadableNote, ...] = ()

    @property
    def planned(self) -> bool:
        """Whether the video is cut into chunks; if not, only `annotate submit` can go on."""
        return self.chunks is not None

    @property
    def frames(self) -> int:
        """Frames of the video that the job annotates; 0 where the video is not planned."""
        return self.chunks[-1].stop if self.chunks else 0

    @cached_property
    def frames_done(self) -> int:
        """Frames of the chunks that are done, and those that running workers are done with."""
        under_way = {beat.chunk: beat.frames for beat in self.running}
        undone = self._undone
        return self.frames - sum(map(len, undone)) + sum(under_way.get(c, 0) for c in undone)

    @property
    def account(self) -> Account:
        """What became of the frames of the chunks that are done or failed."""
        damaged = sum(one.count for one in self.damaged)
        failed = sum(len(chunk) for chunk in self._undone if chunk.name in self.failures)
        decoded = self.frames - sum(map(len, self._undone)) - damaged
        missing = failed + self.video.missing_frames
        return Account(self.video.declared_frames, decoded, damaged, missing)

    @cached_property
    def missing(self) -> list[Chunk]:
        """Chunks that are neither done nor failed."""
        return [chunk for chunk in self._undone if chunk.name not in self.failures]

    @cached_property
    def _undone(self) -> list[Chunk]:
        return [chunk for chunk in self.chunks or () if chunk.name not in self.done]

    @property
    def needs_merge(self) -> bool:
        """Whether every chunk is done or failed, one at least is done, and the merge is neither."""
        return bool(self.done) and not (self.missing or self.merged or MERGE in self.failures)

    @property
    def state(self) -> VideoState:
        """How far the video is, in one word or two."""
        if self.chunks is None:
            return "not planned"
        if MERGE in self.failures or len(self.failures) == len(self.chunks):
            return "failed"
        if self.merged:
            return "partial" if self.failures else "done"
        if not self.missing:
            return "merging"
        return "running" if self.running else "waiting"

    @property
    def finished(self) -> bool:
        """Whether it is done or failed: nothing more comes without `annotate retry`."""
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
        """Whether every video is done or failed."""
        return all(video.finished for video in self.videos)

    @property
    def unplanned(self) -> tuple[VideoStatus, ...]:
        """Videos that are not planned: only the same `annotate submit` again goes on with them."""
        return tuple(video for video in self.videos if not video.planned)

    @property
    def stopped(self) -> bool:
        """Whether workers have nothing left to do: every video is finished or not planned."""
        return all(video.finished or not video.planned for video in self.videos)

    @property
    def complete(self) -> bool:
        """Whether every frame of every video is done; files that were rejected are none of them."""
        return all(video.state == "done" for video in self.videos)

    @property
    def state(self) -> VideoState:
        """How far the job is: the state of all videos, or of those that are not finished."""
        states = {video.state for video in self.videos}
        for state in ("running", "merging", "waiting", "not planned"):
            if state in states:
                return state
        return states.pop() if len(states) == 1 else "partial"

    def pending(self) -> Iterator[WorkUnit]:
        """The work units that can be done now: chunks that are neither done nor failed, and merges
        of videos that have no such chunk.
        """
        for video in self.videos:
            for chunk in video.missing:
                yield WorkUnit(self.job, video.video, chunk)
            if video.needs_merge:
                yield WorkUnit(self.job, video.video, None)


def job_status(
    store: Store,
    job: Job,
    heartbeats: Iterable[Heartbeat] = (),
    known: dict[str, VideoStatus] | None = None,
) -> JobStatus:
    """How far a job is, from the store.

    Args:
        heartbeats: of living workers, where they are not in the store but in the queue's server.
        known: of videos, where several jobs are looked at that may share some: what is in it is
            not read, and what is read is added to it.
    """
    beats = living(store, heartbeats)
    known = {} if known is None else known
    order = dict.fromkeys(video.fingerprint for video in job.videos)

    def of(video: JobVideo) -> VideoStatus:
        key = WorkUnit(job, video, None).key
        if key not in known:
            known[key] = video_status(store, job, video, beats)
        found = known[key]
        return found if found.video is video else replace(found, video=video)

    return JobStatus(job, tuple(of(job.video(fingerprint)) for fingerprint in order))


def living(store: Store, heartbeats: Iterable[Heartbeat]) -> list[Heartbeat]:
    """Those heartbeats, and those in the store whose workers may still be running."""
    return [*heartbeats, *(beat for beat in store.heartbeats() if is_alive(beat))]


def is_alive(beat: Heartbeat) -> bool:
    """Whether the worker process that wrote a heartbeat may still be running."""
    host, _, process = beat.worker.rpartition("-")
    pid = process.partition(".")[0]
    if host == socket.gethostname() and not (pid.isdecimal() and _runs(int(pid))):
        return False
    return time.time() - beat.time_s < SILENCE_S


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def video_status(store: Store, job: Job, video: JobVideo, beats: list[Heartbeat]) -> VideoStatus:
    """How far one video of a job is.

    Args:
        beats: of living workers.
    """
    results = store.results(job.recipe, video)
    chunks, damage = None, ""
    try:
        chunks = results.read_chunks()
    except DamagedError as error:
        damage = error.message
    # A video whose chunks.json was deleted may have been cut differently since: what is left of
    # its former chunks does not count.
    known = {chunk.name for chunk in chunks or ()}
    failures, done, tracks = results.failures(), results.parts() & known, set(results.merges())
    notes = results.frame_notes()
    unreadable = tuple(note for note in notes.unreadable if note.chunk in done)
    damage = "\n    ".join([*filter(None, [damage]), *(note.reason for note in unreadable)])
    # Tracks that were made without a chunk count only as long as that chunk is a failure.
    absent = [chunk for chunk in chunks or () if chunk.name not in done]
    wanted = {job.merge_digest}
    if all(chunk.name in failures for chunk in absent):
        wanted.add(tracks_name(job.merge_digest, absent))
    return VideoStatus(
        video=video,
        chunks=chunks,
        done=frozenset(done),
        failures={name: one for name, one in failures.items() if name in known or name == MERGE},
        merged=bool(tracks & wanted),
        running=tuple(beat for beat in beats if beat.fingerprint == video.fingerprint),
        damage=damage,
        damaged=_of_done(notes.damaged, done),
        fitted=_of_done(notes.fitted, done),
        crowded=_of_done(notes.crowded, done),
        unreadable=unreadable,
    )


def _of_done(ranges: Mapping[str, Sequence[T]], done: Set[str]) -> tuple[T, ...]:
    """The ranges of chunks that are done, in order."""
    return tuple(one for name in sorted(ranges) if name in done for one in ranges[name])
