"""The tracks files of a job to one file of another format."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.errors import PartialResultError
from annotate.domain.job import Job, JobVideo
from annotate.domain.skeleton import SKELETONS
from annotate.domain.tracks import Tracks
from annotate.formats.coco import CocoVideo, annotation_file, results_file
from annotate.numeric.selection import asked_frames
from annotate.queue.job_status import JobStatus, job_status
from annotate.store import LocalFiles, Store

Progress = Callable[[str, float], None]


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


def export_coco(
    store: Store, job: Job, out: Path, *, results: bool, allow_partial: bool, progress: Progress
) -> Summary:
    """Writes the annotation file, or the results file, of a job; `out` appears whole or not at all.

    Raises:
        PartialResultError: frames are missing and that is not allowed; nothing was written.
        StoreError: the store cannot be read, or `out` cannot be written.
    """
    status = job_status(store, job)
    missing = tuple(_missing(status))
    if missing and not allow_partial:
        listed = "\n".join(f"  {line}" for line in missing)
        go_on = (
            "Submit again without what cannot be read, or `annotate retry` what failed"
            if status.finished
            else "Run the same `annotate submit` again to go on"
        )
        raise PartialResultError(
            f"job {job.id} is not complete:\n{listed}",
            f"{go_on}, or export what there is: --partial.",
        )
    skeleton = SKELETONS[store.read_pack(job.recipe.pack).skeleton]
    meter = _Meter(status.frames, progress)
    videos = tuple(_coco_videos(store, status, meter))
    write = results_file if results else annotation_file
    # The folder of `out` serves as a store of one file, so that it is written as safely as a part.
    with LocalFiles(out.absolute().parent).writer(out.name) as file:
        for piece in write(videos, skeleton):
            file.write(piece)
    return Summary(len(videos), sum(len(v.pts) for v in videos), meter.poses, missing)


class _Meter:
    """Counts poses on their way into the file, and tells how far it is."""

    def __init__(self, frames: int, progress: Progress) -> None:
        self._frames = frames
        self._progress = progress
        self._before = 0
        self.poses = 0

    def watched(self, blocks: Iterator[Tracks], frames: IntArray) -> Iterator[Tracks]:
        """The same blocks of a video of which those frames are asked for."""
        for block in blocks:
            self.poses += len(block)
            if len(block):
                reached = self._before + int(np.searchsorted(frames, block.frame_index[-1]))
                self._progress("Writing", reached / max(self._frames, 1))
            yield block
        self._before += len(frames)


def _coco_videos(store: Store, status: JobStatus, meter: _Meter) -> Iterator[CocoVideo]:
    by_fingerprint = {video.video.fingerprint: video for video in status.videos}
    first_image = 1
    for number, video in enumerate(status.job.videos, start=1):
        if not by_fingerprint[video.fingerprint].merged:
            continue
        index = store.read_index(video.fingerprint)
        frames = asked_frames(index, status.job.recipe.selection)

        def tracks(video: JobVideo, frames: IntArray) -> Iterator[Tracks]:
            results = store.results(status.job.recipe, video)
            return meter.watched(results.read_tracks(status.job.merge_digest), frames)

        yield CocoVideo(
            id=number,
            name=video.name,
            width=index.width,
            height=index.height,
            frames=frames,
            pts=index.pts[frames],
            time_s=index.time_s[frames],
            first_image=first_image,
            tracks=partial(tracks, video, frames),
        )
        first_image += len(frames)


def _missing(status: JobStatus) -> Iterator[str]:
    for one in status.job.rejected:
        yield one.reason
    for video in status.videos:
        name = video.video.name
        for failure in video.failures.values():
            yield f"{name}: {failure.unit} failed: {failure.reason}"
        if not video.planned:
            yield f"{name}: not planned, so none of its frames is done"
        elif not video.finished:
            yield f"{name}: {video.frames_done} of {video.frames} frames done ({video.state})"
