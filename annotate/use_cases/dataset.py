"""A job as the dataset that an export writes."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from annotate import __version__
from annotate.domain.choices import one_of
from annotate.domain.errors import StoreError, UsageError
from annotate.domain.export_options import ExportOptions
from annotate.domain.job import Job, JobVideo
from annotate.domain.keypoint_sets import KEYPOINT_SETS, KeypointSet
from annotate.domain.names import printable, printable_lines
from annotate.domain.progress import Progress
from annotate.domain.skeleton import Skeleton
from annotate.domain.video import VideoIndex
from annotate.formats.base import (
    Dataset,
    DatasetVideo,
    Format,
    LeftOut,
    Origin,
    PoseBlock,
    Provenance,
)
from annotate.formats.names import video_folders
from annotate.formats.poses import pose_blocks
from annotate.numeric.selection import selected_frames
from annotate.queue.job_status import JobStatus
from annotate.store import Store
from annotate.use_cases.final_tracks import (
    damaged_frames,
    edited_tracks,
    final_tracks,
    missing_mask,
    providers,
    track_list,
    tracks_skeleton,
)
from annotate.use_cases.select_poses import chosen_poses, chosen_tracks

_SUBMITTED = re.compile(r"(\d{4})(\d\d)(\d\d)-")


def open_dataset(
    store: Store,
    status: JobStatus,
    options: ExportOptions,
    file_format: Format,
    meter: "Meter",
    *,
    with_edits: bool = True,
) -> Dataset:
    """The videos of a job that the options name.

    Args:
        meter: gets the poses on their way.
        with_edits: without them, the poses are those of the models alone; which frames are
            reviewed stays as it is.

    Raises:
        UsageError: the job has no such video or track, or the format no such keypoints.
        StoreError: the store cannot be read.
    """
    job = status.job
    keypoints = _keypoints(file_format, options)
    skeleton = tracks_skeleton(store, job)
    has_world = file_format.has_world
    opener = _Opener(store, job, options, skeleton, keypoints, meter, with_edits, has_world)
    videos, left_out = opener.videos(status, _wanted(job, options))
    _check_tracks(videos, options)
    meter.frames = sum(len(video.frames) for video in videos)
    return Dataset(
        videos,
        keypoints,
        np.array([place is not None for place in keypoints.places(skeleton)]),
        left_out,
        () if options.video else job.rejected,
        options.keep_missing,
        _provenance(job),
        options.angles,
    )


@dataclass(eq=False)
class Meter:
    """Counts poses on their way into the file, and reports progress.

    Attributes:
        progress: gets the fraction of frames that are written.
        frames: of the dataset.
        poses: of each video, by its number.
    """

    progress: Progress
    frames: int = 0
    poses: dict[int, int] = field(default_factory=dict)

    def watched(
        self, blocks: Callable[[], Iterable[PoseBlock]], number: int, before: int
    ) -> Iterator[PoseBlock]:
        """The blocks of the video of that number, which has `before` frames before it."""
        self.poses[number] = 0
        for block in blocks():
            self.poses[number] += len(block)
            if len(block):
                self.progress("Writing", (before + int(block.place[-1])) / max(self.frames, 1))
            yield block


@dataclass(frozen=True, eq=False)
class _Opener:
    """What all videos of a dataset are opened with."""

    store: Store
    job: Job
    options: ExportOptions
    skeleton: Skeleton
    keypoints: KeypointSet
    meter: Meter
    with_edits: bool
    has_world: bool

    def videos(
        self, status: JobStatus, wanted: frozenset[int]
    ) -> tuple[tuple[DatasetVideo, ...], tuple[LeftOut, ...]]:
        """The wanted videos, by number, and what is left out because its frames are unknown."""
        merged = {video.video.fingerprint: video.merged for video in status.videos}
        found: list[DatasetVideo] = []
        left_out: list[LeftOut] = []
        folders = video_folders([video.name for video in self.job.videos])
        # Ids count over all videos, so that they are the same whichever of them are exported.
        images = tracks = frames = 0
        for number, video in enumerate(self.job.videos, start=1):
            try:
                made = self._video(number, video, folders[number - 1], images + 1, tracks)
            except StoreError as error:
                if merged[video.fingerprint]:
                    raise
                if number in wanted:
                    left_out.append(LeftOut(printable(video.name), printable_lines(error.message)))
                continue
            images += made.count
            tracks += made.highest_track
            if number in wanted:
                found.append(made.with_meter(self.meter, frames))
                frames += len(made.video.frames)
        return tuple(found), tuple(left_out)

    def _video(
        self, number: int, video: JobVideo, folder: str, first_image: int, track_offset: int
    ) -> "_Opened":
        """A video of the job; without tracks, all its frames are missing."""
        store, job, options = self.store, self.job, self.options
        index = store.read_index(video.fingerprint, job.recipe.selection)
        frames = selected_frames(index, job.recipe.selection)
        missing = missing_mask(store, job, index, len(frames))
        edits = edited_tracks(store, job, video)
        tracks = track_list(store, job, video, with_edits=self.with_edits)
        chosen = chosen_tracks(tracks, options)
        reviewed = np.zeros(len(frames), np.bool_) if edits is None else edits.reviewed[frames]
        kept = frames % options.every == 0
        if options.reviewed_only:
            kept &= reviewed
        size = (index.width, index.height)

        def poses() -> Iterator[PoseBlock]:
            if len(tracks):
                # What the format does not write is not read.
                found = final_tracks(
                    store,
                    job,
                    video,
                    with_edits=self.with_edits,
                    raw=options.raw,
                    world=self.has_world,
                )
                if options.reviewed_only:
                    found = (one.take(np.isin(one.frame_index, frames[kept])) for one in found)
                blocks = chosen_poses(found, chosen, options, size)
                places = self.keypoints.places(self.skeleton)
                yield from pose_blocks(blocks, frames[kept], track_offset, places, size)

        made = DatasetVideo(
            id=number,
            name=printable(video.name),
            folder=folder,
            width=index.width,
            height=index.height,
            fps=index.fps,
            frames=frames[kept],
            pts=index.pts[frames[kept]],
            time_s=index.time_s[frames[kept]],
            missing=missing[kept],
            images=first_image + np.flatnonzero(kept),
            tracks=chosen,
            track_offset=track_offset,
            poses=poses,
            origin=_origin(index),
            damaged=damaged_frames(store, job, video),
            reviewed=reviewed[kept],
            names=edits.names if edits is not None and self.with_edits else {},
            image_ending=f".{options.image_format}",
            providers=providers(store, job, video),
        )
        return _Opened(made, len(frames), tracks.highest_id)


@dataclass(frozen=True, eq=False)
class _Opened:
    """A video, and what ids of the next ones depend on: its frames and tracks, chosen or not."""

    video: DatasetVideo
    count: int
    highest_track: int

    def with_meter(self, meter: Meter, before: int) -> DatasetVideo:
        """The video, its poses counted on their way."""
        watched = partial(meter.watched, self.video.poses, self.video.id, before)
        return replace(self.video, poses=watched)


def _keypoints(file_format: Format, options: ExportOptions) -> KeypointSet:
    own, *_ = file_format.keypoint_sets
    if options.keypoints is None:
        return own
    names = [one.name for one in file_format.keypoint_sets]
    return KEYPOINT_SETS[
        one_of(names, options.keypoints, f"--keypoints for --format {file_format.name}")
    ]


def _wanted(job: Job, options: ExportOptions) -> frozenset[int]:
    """Numbers of the videos that the options name."""
    names = [printable(video.name) for video in job.videos]
    for name in options.video:
        one_of(names, name, "--video")
    return frozenset(
        number
        for number, name in enumerate(names, start=1)
        if not options.video or name in options.video
    )


def _check_tracks(videos: tuple[DatasetVideo, ...], options: ExportOptions) -> None:
    known = {track for video in videos for track in video.tracks.track_id.tolist()}
    unknown = set(options.tracks or ()) - known
    if unknown and not options.min_seconds:
        raise UsageError(
            f"no video of the export has track {', '.join(map(str, sorted(unknown)))}",
            "Ids are those of the video, from 1; each track's `video_track_id` in the COCO file.",
        )


def _provenance(job: Job) -> Provenance:
    when = _SUBMITTED.match(job.id)
    return Provenance(
        program=f"annotate {__version__}",
        submitted="{}-{}-{}".format(*when.groups()) if when else "",
        pack_name=job.recipe.pack_name,
        pack=job.recipe.pack,
        recipe=job.recipe.digest,
        merge=job.merge_digest,
    )


def _origin(index: VideoIndex) -> Origin:
    last_s = float(index.time_s[-1])
    return Origin(
        fingerprint=index.fingerprint,
        time_base=index.time_base,
        start_s=index.start_s,
        player_start_s=float(index.player_s[0]),
        duration_s=last_s + (1 / index.fps if index.fps else 0.0),
    )
