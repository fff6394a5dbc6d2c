"""The tracks of a job to a file of one of the export formats."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.errors import PartialResultError, StoreError, UsageError, with_hint
from annotate.domain.job import Job, JobVideo
from annotate.domain.names import printable, printable_lines
from annotate.domain.progress import Progress, silent
from annotate.domain.tracks import Tracks
from annotate.formats.base import Dataset, DatasetVideo, LeftOut
from annotate.formats.registry import find_format
from annotate.numeric.selection import selected_frames
from annotate.queue.job_status import JobStatus, job_status
from annotate.store import LocalFiles, Store
from annotate.use_cases.final_tracks import final_tracks, missing_mask, tracks_skeleton


@dataclass(frozen=True)
class Summary:
    """What an export holds.

    Attributes:
        videos, frames, poses: how many; frames that were not processed do not count.
        missing: what is not in it, a line each; empty for a complete job.
        rejected: files that were submitted but cannot be read, a line each.
    """

    videos: int
    frames: int
    poses: int
    missing: tuple[str, ...]
    rejected: tuple[str, ...] = ()


def export(
    store: Store,
    job: Job,
    out: Path,
    format_name: str = "coco",
    *,
    allow_partial: bool = False,
    keep_missing: bool = False,
    progress: Progress = silent,
) -> Summary:
    """Writes the tracks of a job to a file; `out` appears whole or not at all.

    Args:
        format_name: one of `annotate.formats.registry.format_names()`.
        allow_partial: write what there is of an unfinished job.
        keep_missing: write the images of frames that were not processed too, and mark them;
            otherwise they are left out.

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
    videos, left_out = _videos(store, status, meter)
    dataset = Dataset(videos, tracks_skeleton(store, job), left_out, job.rejected, keep_missing)
    meter.frames = sum(len(video.frames) for video in videos)
    # The folder of `out` serves as a store of one file, so that it is written as safely as a part.
    with LocalFiles(out.absolute().parent).writer(out.name) as file:
        file_format.write(dataset, file)
    processed = [int((~video.missing).sum()) for video in videos]
    poses = sum(meter.poses.values())
    rejected = tuple(with_hint(one.reason, one.hint) for one in job.rejected)
    return Summary(sum(map(bool, processed)), sum(processed), poses, missing, rejected)


class _Meter:
    """Counts poses on their way into the file, and reports progress."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.frames = 0
        self.poses: dict[int, int] = {}

    def watched(
        self, tracks: Callable[[], Iterable[Tracks]], number: int, frames: IntArray, before: int
    ) -> Iterator[Tracks]:
        """The blocks of a video.

        Args:
            tracks: opens the video of that number.
            frames: (N,) of the video, missing ones included.
            before: frames of the videos before it.
        """
        self.poses[number] = 0
        for block in tracks():
            self.poses[number] += len(block)
            if len(block):
                reached = before + int(np.searchsorted(frames, block.frame_index[-1]))
                self._progress("Writing", reached / max(self.frames, 1))
            yield block


def _videos(
    store: Store, status: JobStatus, meter: _Meter
) -> tuple[tuple[DatasetVideo, ...], tuple[LeftOut, ...]]:
    """The videos of a job, and what is left out because its frames are unknown."""
    merged = {video.video.fingerprint: video.merged for video in status.videos}
    videos: list[DatasetVideo] = []
    left_out: list[LeftOut] = []
    before = 0
    for number, video in enumerate(status.job.videos, start=1):
        try:
            made = _video(store, status.job, number, video)
        except StoreError as error:
            if merged[video.fingerprint]:
                raise
            left_out.append(LeftOut(printable(video.name), printable_lines(error.message)))
            continue
        watch = partial(meter.watched, made.tracks, number, made.frames, before)
        videos.append(replace(made, tracks=watch))
        before += len(made.frames)
    return tuple(videos), tuple(left_out)


def _video(store: Store, job: Job, number: int, video: JobVideo) -> DatasetVideo:
    """A video of a job; without tracks, all its frames are missing."""
    index = store.read_index(video.fingerprint, job.recipe.selection)
    frames = selected_frames(index, job.recipe.selection)
    missing = missing_mask(store, job, index, len(frames))
    has_tracks = store.results(job.recipe, video).has_tracks(job.merge_digest)
    return DatasetVideo(
        id=number,
        name=printable(video.name),
        width=index.width,
        height=index.height,
        fps=index.fps,
        frames=frames,
        pts=index.pts[frames],
        time_s=index.time_s[frames],
        missing=missing,
        tracks=partial(final_tracks, store, job, video) if has_tracks else tuple,
    )


def _missing(status: JobStatus) -> Iterator[str]:
    """What of a job is not done, a line each."""
    for video in status.videos:
        name = video.video.name
        for failure in video.failures.values():
            yield with_hint(f"{name}: {failure.unit} failed: {failure.reason}", failure.hint)
        if not video.planned:
            yield f"{name}: not planned, all frames missing"
        elif not video.finished:
            missing = video.frames - video.frames_done
            yield f"{name}: {missing} of {video.frames} frames missing ({video.state})"


def _refusal(status: JobStatus, missing: tuple[str, ...]) -> PartialResultError:
    listed = "\n".join(f"  {line}" for line in missing)
    next_step = (
        "`annotate retry` what failed"
        if status.finished
        else "Run the same `annotate submit` again to continue"
    )
    return PartialResultError(
        f"job {status.job.id} is not complete:\n{listed}",
        f"{next_step}, or export what there is: --partial.",
    )
