"""The tracks of a job to a file of one of the export formats."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.errors import PartialResultError, UsageError
from annotate.domain.job import Job, JobVideo
from annotate.domain.progress import Progress, silent
from annotate.domain.tracks import Tracks
from annotate.formats.base import Dataset, DatasetVideo
from annotate.formats.registry import find_format
from annotate.numeric.selection import selected_frames
from annotate.queue.job_status import JobStatus, job_status
from annotate.store import LocalFiles, Store
from annotate.use_cases.final_tracks import final_tracks, tracks_skeleton


@dataclass(frozen=True)
class Summary:
    """What an export holds.

    Attributes:
        videos, frames, poses: how many.
        missing: what is not in it, a line each; empty for a complete job.
    """

    videos: int
    frames: int
    poses: int
    missing: tuple[str, ...]


def export(
    store: Store,
    job: Job,
    out: Path,
    format_name: str = "coco",
    *,
    allow_partial: bool = False,
    progress: Progress = silent,
) -> Summary:
    """Writes the tracks of a job to a file; `out` appears whole or not at all.

    Args:
        format_name: one of `annotate.formats.registry.format_names()`.
        allow_partial: write what there is of an unfinished job.

    Raises:
        UsageError: there is no such format, or `out` is a folder.
        PartialResultError: frames are missing and that is not allowed; nothing was written.
        StoreError: the store cannot be read, or `out` cannot be written.
    """
    file_format = find_format(format_name)
    if out.is_dir():
        raise UsageError(f"{out} is a folder", f"Name a file in it, e.g. {out / 'people.json'}.")
    status = job_status(store, job)
    missing = tuple(_missing(status))
    if missing and not allow_partial:
        raise _refusal(status, missing)
    meter = _Meter(progress)
    dataset = Dataset(tuple(_videos(store, status, meter)), tracks_skeleton(store, job))
    meter.frames = sum(len(video.frames) for video in dataset.videos)
    # The folder of `out` serves as a store of one file, so that it is written as safely as a part.
    with LocalFiles(out.absolute().parent).writer(out.name) as file:
        file_format.write(dataset, file)
    return Summary(len(dataset.videos), meter.frames, sum(meter.poses.values()), missing)


class _Meter:
    """Counts poses on their way into the file, and reports progress."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.frames = 0
        self.poses: dict[int, int] = {}

    def watched(
        self, blocks: Iterable[Tracks], number: int, frames: IntArray, before: int
    ) -> Iterator[Tracks]:
        """The same blocks.

        Args:
            blocks: of the video of that number.
            frames: (N,) of the video that are in the dataset.
            before: frames of the videos before it.
        """
        self.poses[number] = 0
        for block in blocks:
            self.poses[number] += len(block)
            if len(block):
                reached = before + int(np.searchsorted(frames, block.frame_index[-1]))
                self._progress("Writing", reached / max(self.frames, 1))
            yield block


def _videos(store: Store, status: JobStatus, meter: _Meter) -> Iterator[DatasetVideo]:
    """The videos of a job that have tracks."""
    merged = {video.video.fingerprint: video.merged for video in status.videos}
    before = 0
    for number, video in enumerate(status.job.videos, start=1):
        if not merged[video.fingerprint]:
            continue
        index = store.read_index(video.fingerprint, status.job.recipe.selection)
        frames = selected_frames(index, status.job.recipe.selection)

        def tracks(video: JobVideo, number: int, frames: IntArray, before: int) -> Iterator[Tracks]:
            blocks = final_tracks(store, status.job, video)
            return meter.watched(blocks, number, frames, before)

        yield DatasetVideo(
            id=number,
            name=video.name,
            width=index.width,
            height=index.height,
            fps=index.fps,
            frames=frames,
            pts=index.pts[frames],
            time_s=index.time_s[frames],
            tracks=partial(tracks, video, number, frames, before),
        )
        before += len(frames)


def _missing(status: JobStatus) -> Iterator[str]:
    """What of a job is not done, a line each."""
    for one in status.job.rejected:
        yield one.reason
    for video in status.videos:
        name = video.video.name
        for failure in video.failures.values():
            yield f"{name}: {failure.unit} failed: {failure.reason}"
        if not video.planned:
            yield f"{name}: not planned, all frames missing"
        elif not video.finished:
            missing = video.frames - video.frames_done
            yield f"{name}: {missing} of {video.frames} frames missing ({video.state})"


def _refusal(status: JobStatus, missing: tuple[str, ...]) -> PartialResultError:
    listed = "\n".join(f"  {line}" for line in missing)
    next_step = (
        "Submit again without what cannot be read, or `annotate retry` what failed"
        if status.finished
        else "Run the same `annotate submit` again to continue"
    )
    return PartialResultError(
        f"job {status.job.id} is not complete:\n{listed}",
        f"{next_step}, or export what there is: --partial.",
    )
