"""The results in a store: its jobs, their videos, and the people in these."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from annotate.api.people import PeopleInFrame, people_in
from annotate.domain.arrays import IntArray
from annotate.domain.choices import one_of
from annotate.domain.errors import PartialResultError, UsageError, VideoError
from annotate.domain.export_options import ExportOptions
from annotate.domain.job import Job, JobVideo
from annotate.domain.skeleton import Skeleton
from annotate.domain.tracks import Tracks
from annotate.domain.video import DamagedRange, VideoIndex
from annotate.formats.track_table import track_table
from annotate.numeric.selection import selected_frames
from annotate.queue.job_status import JobStatus, job_status
from annotate.store import Store
from annotate.use_cases.draw import FramePeople
from annotate.use_cases.export import Summary, export
from annotate.use_cases.final_tracks import (
    damaged_frames,
    final_tracks,
    missing_frames,
    tracks_skeleton,
)

if TYPE_CHECKING:
    import pyarrow as pa


class ResultStore(Store):
    """A store whose results can be looked at; `annotate.open_store` opens one."""

    def jobs(self) -> list["AnnotatedJob"]:
        """All jobs, the newest first.

        Raises:
            StoreError: the manifest of a job cannot be read.
        """
        return [self.job(job_id) for job_id in reversed(self.job_ids())]

    def job(self, job_id: str | None = None) -> "AnnotatedJob":
        """A job by its id; None is the newest one.

        Raises:
            UsageError: there is no such job.
            StoreError: its manifest cannot be read.
        """
        return AnnotatedJob(self, self.newest_job() if job_id is None else self.read_job(job_id))

    def video(self, name: str, job_id: str | None = None) -> "AnnotatedVideo":
        """A video of a job by its name; None is the newest job.

        Raises:
            UsageError: there is no such job or video.
            StoreError: the job's manifest cannot be read.
        """
        return self.job(job_id).video(name)


@dataclass(frozen=True)
class AnnotatedJob:
    """A job in a store.

    Attributes:
        store: that it is in.
        job: its manifest: the settings, and the files that were rejected.
    """

    store: ResultStore
    job: Job

    @property
    def id(self) -> str:
        """The job's id, as `annotate jobs` lists it."""
        return self.job.id

    @property
    def videos(self) -> list["AnnotatedVideo"]:
        """Its videos, in the order in which they were submitted."""
        return [AnnotatedVideo(self, video) for video in self.job.videos]

    def video(self, name: str) -> "AnnotatedVideo":
        """A video by its name.

        Raises:
            UsageError: the job has no such video.
        """
        names = [video.name for video in self.job.videos]
        return self.videos[names.index(one_of(names, name, f"video of job {self.id}"))]

    def status(self) -> JobStatus:
        """How far it is: `complete`, `frames_done` of `frames`, and each video with its failures.

        Raises:
            StoreError: the store cannot be read.
        """
        return job_status(self.store, self.job)

    def export(self, out: str | Path, options: ExportOptions | None = None) -> Summary:
        """Writes its tracks to a file or folder; see `annotate.export`."""
        options = replace(options or ExportOptions(), out=Path(out))
        return export(self.store, self.job, options)


@dataclass(frozen=True)
class AnnotatedVideo:
    """A video of a job.

    Attributes:
        job: that it is part of.
        entry: what the job's manifest says about it.
    """

    job: AnnotatedJob
    entry: JobVideo

    @property
    def name(self) -> str:
        """Its name, unique in the job."""
        return self.entry.name

    @cached_property
    def index(self) -> VideoIndex:
        """The facts of the file: `width`, `height`, `fps`, `codec`, the `time_s` of all frames.

        Raises:
            StoreError: the store has no index of the video.
        """
        return self._store.read_index(self.entry.fingerprint, self.job.job.recipe.selection)

    @cached_property
    def frames(self) -> IntArray:
        """(N,) int64, increasing: indices of the frames that the job annotates."""
        return selected_frames(self.index, self.job.job.recipe.selection)

    @property
    def missing(self) -> IntArray:
        """(M,) int64, increasing: those of `frames` that were not processed."""
        return missing_frames(self._store, self.job.job, self.entry)

    @property
    def damaged(self) -> tuple[DamagedRange, ...]:
        """Ranges of frames that cannot be decoded."""
        return damaged_frames(self._store, self.job.job, self.entry)

    @cached_property
    def skeleton(self) -> Skeleton:
        """Names of the landmarks, and which of them are COCO's keypoints."""
        return tracks_skeleton(self._store, self.job.job)

    def blocks(self) -> Iterator[Tracks]:
        """The tracks as arrays, block by block in the order of frames, one block in memory.

        Raises:
            StoreError: the video has no tracks yet, or they cannot be read.
        """
        return final_tracks(self._store, self.job.job, self.entry)

    def tracks(self, *, raw: bool = False) -> "pa.Table":
        """All tracks as one table: a row for each pose, ordered by frame, then track.

        `.to_pandas()` makes a data frame of it, and so does `polars.from_arrow(table)`. An hour of
        two people takes about 0.5 GB; `blocks` needs less.

        Args:
            raw: the model's own landmarks rather than the smoothed ones; NaN where a pose was
                filled in.

        Returns:
            Columns `frame`, `pts`, `time_s`, `track_id`, `score`, `filled`, `box_x`, `box_y`,
            `box_width`, `box_height`; for each landmark, e.g. `nose`, `nose_x`, `nose_y`, `nose_z`
            in pixels, `nose_visibility`, `nose_presence`; and where the model gives them
            `nose_world_x`, `nose_world_y`, `nose_world_z` in metres.

        Raises:
            StoreError: the video has no tracks yet, or they cannot be read.
        """
        names = self.skeleton.landmarks
        return track_table(self.blocks(), names, axes=self._world_axes, raw=raw)

    def poses(self, frame: int, *, raw: bool = False) -> PeopleInFrame:
        """The people of one frame; an empty answer where it shows none.

        Ask for frames in rising order: going back reads the tracks from their beginning.

        Args:
            frame: one of `frames`.
            raw: the model's own landmarks rather than the smoothed ones.

        Raises:
            UsageError: the job does not annotate this frame.
            PartialResultError: it was not processed, so that its people are unknown.
            VideoError: it is damaged.
            StoreError: the tracks cannot be read.
        """
        self._check(frame)
        rows = self._reader.at(frame)
        if rows is None:
            rows = Tracks.none(len(self.skeleton.landmarks), self._world_axes)
        return people_in(frame, float(self.index.time_s[frame]), rows, self.skeleton, raw=raw)

    @property
    def _store(self) -> ResultStore:
        return self.job.store

    @cached_property
    def _world_axes(self) -> int:
        return self._store.read_pack(self.job.job.recipe.pack).landmark.world_axes

    @cached_property
    def _reader(self) -> "_FrameReader":
        return _FrameReader(self.blocks)

    @cached_property
    def _unknown(self) -> frozenset[int]:
        return frozenset(self.missing.tolist())

    def _check(self, frame: int) -> None:
        place = int(np.searchsorted(self.frames, frame))
        if place == len(self.frames) or self.frames[place] != frame:
            raise UsageError(
                f"job {self.job.id} does not annotate frame {frame} of {self.name}",
                "The attribute `frames` lists those that it annotates.",
            )
        if frame in self._unknown:
            raise PartialResultError(
                f"frame {frame} of {self.name} was not processed",
                "`annotate status` says why; `annotate retry` tries again what failed.",
            )
        if any(one.start <= frame < one.stop for one in self.damaged):
            raise VideoError(f"frame {frame} of {self.name} is damaged and has no poses")


class _FrameReader:
    """Rows of single frames. It reads on from where it is, or again from the beginning."""

    def __init__(self, blocks: Callable[[], Iterator[Tracks]]) -> None:
        self._blocks = blocks
        self._people: FramePeople | None = None
        self._last = -1

    def at(self, frame: int) -> Tracks | None:
        """The rows of a frame, None where it shows no person."""
        if self._people is None or frame < self._last:
            self._people = FramePeople(self._blocks())
        self._last = frame
        return self._people.at(frame)
