"""Work units: one chunk, or the merge, of one video of a job; and what workers report of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from annotate.domain.errors import UnknownWorkError
from annotate.domain.job import Job, JobVideo
from annotate.domain.video import Chunk

# Name of the unit that makes the tracks of a video from its parts; all others are named after
# their chunk.
MERGE = "merge"
# Seconds without a heartbeat after which a worker counts as lost.
SILENCE_S = 30.0


@dataclass(frozen=True)
class WorkUnit:
    """What a message asks for, a lease protects and a failure names.

    Attributes:
        job: that the unit belongs to.
        video: of the job.
        chunk: whose part is to be made, or None for the merge of the video's parts into tracks.
    """

    job: Job
    video: JobVideo
    chunk: Chunk | None

    @property
    def name(self) -> str:
        """The name of the chunk, or `merge`; unique among the units of a video."""
        return MERGE if self.chunk is None else self.chunk.name

    def require_chunk(self) -> Chunk:
        """The chunk.

        Raises:
            ValueError: the unit is a merge.
        """
        if self.chunk is None:
            raise ValueError("a merge has no chunk")
        return self.chunk

    @property
    def key(self) -> str:
        """Names the unit in the queue; jobs with the same recipe have the same keys."""
        unit = f"{MERGE}-{self.job.merge_digest}" if self.chunk is None else self.chunk.name
        return f"{self.job.recipe.digest}:{self.video.fingerprint}:{unit}"

    @classmethod
    def from_key(cls, job: Job, key: str) -> "WorkUnit":
        """Inverse of `key`.

        Raises:
            UnknownWorkError: the job has no such video.
            ValueError: `key` is not the key of a unit.
        """
        _, fingerprint, unit = key.split(":")
        if unit.startswith(MERGE):
            return cls(job, job.video(fingerprint), None)
        start, stop = unit.split("-")
        return cls(job, job.video(fingerprint), Chunk(int(start), int(stop)))

    @property
    def message(self) -> list[str | int]:
        """Arguments of the unit's Celery task: the job's id and digest, the video's fingerprint,
        and for a chunk its start and stop.
        """
        bounds = [] if self.chunk is None else [self.chunk.start, self.chunk.stop]
        return [self.job.id, self.job.digest, self.video.fingerprint, *bounds]

    @classmethod
    def from_message(cls, job: Job, message: Sequence[Any]) -> "WorkUnit":
        """Inverse of `message`; `job` is the one that the message names.

        Raises:
            UnknownWorkError: the message was not sent for a unit of this job.
        """
        try:
            job_id, digest, fingerprint, *bounds = message
            if (job_id, digest) == (job.id, job.digest):
                chunk = Chunk(*bounds) if bounds else None
                return cls(job, job.video(fingerprint), chunk)
        except (TypeError, ValueError):
            pass
        raise UnknownWorkError(
            f"a message asks for work that job {job.id} does not have",
            "The message may have been tampered with; missing work is sent again.",
        )


@dataclass(frozen=True)
class Failure:
    """Why a work unit is not tried any more.

    Attributes:
        unit: name of the work unit: the chunk's name, or `merge`.
        reason: one line for the user.
        hint: what the user can do about it; empty where there is nothing.
        attempts: how often it was tried.
        traceback: of an error that the program did not foresee, for bug reports.
        lasting: whether the same bytes of the video would fail again. The same `annotate submit`
            tries again what failed for another reason, which may be gone.
    """

    unit: str
    reason: str
    attempts: int
    traceback: str = ""
    hint: str = ""
    lasting: bool = False

    @classmethod
    def from_fields(cls, unit: str, fields: Mapping[str, Any]) -> "Failure":
        """The failure of a unit from `dataclasses.asdict`; fields of other versions are left out.

        Raises:
            TypeError, KeyError: the fields are damaged.
        """
        own = {name: fields[name] for name in cls.__dataclass_fields__ if name in fields}
        failure = cls(**{"attempts": 1, **own, "unit": unit, "reason": fields["reason"]})
        texts = (failure.reason, failure.traceback, failure.hint)
        if not (all(isinstance(text, str) for text in texts) and isinstance(failure.attempts, int)):
            raise TypeError("a failure has a field of another type")
        return failure


@dataclass(frozen=True)
class Heartbeat:
    """What a worker process is doing, written about once a second; heartbeats may be lost.

    Attributes:
        worker: name of the process, `host-pid`.
        job, video: id of the job and name of the video.
        fingerprint: of the video.
        chunk: that the process works on.
        frames: of the chunk that are done.
        frames_per_s: since the chunk's first frame.
        provider: execution provider that actually runs the models.
        rss_bytes: resident memory.
        time_s: Unix time of writing.
        version: of the program.
        placement: how many nodes of each model each execution provider of ONNX Runtime has.
        reason: why `auto` chose the CPU, or empty.
        waiting: what trouble of its host the process waits for, or empty.
    """

    worker: str
    job: str
    video: str
    fingerprint: str
    chunk: Chunk
    frames: int
    frames_per_s: float
    provider: str
    rss_bytes: int
    time_s: float
    version: str
    placement: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reason: str = ""
    waiting: str = ""

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "Heartbeat":
        """Inverse of `dataclasses.asdict`.

        Raises:
            ValueError, TypeError, KeyError: the fields are damaged, or of another version.
        """
        beat = cls(**{**fields, "chunk": Chunk(**fields["chunk"])})
        texts = [beat.worker, beat.job, beat.video, beat.fingerprint, beat.provider]
        texts += [beat.version, beat.reason, beat.waiting]
        numbers = (beat.frames, beat.frames_per_s, beat.rss_bytes, beat.time_s)
        sound = all(isinstance(text, str) for text in texts)
        sound = sound and all(isinstance(one, int | float) and isfinite(one) for one in numbers)
        if not (sound and isinstance(beat.placement, Mapping)):
            raise TypeError("a heartbeat has a field of another type")
        return beat
