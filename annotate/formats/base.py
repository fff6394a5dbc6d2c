"""What an export format is, and the dataset that it writes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.columns import taken
from annotate.domain.job import Rejected
from annotate.domain.keypoint_sets import COCO17, KeypointSet, sets_from
from annotate.domain.track_list import TrackList
from annotate.domain.video import DamagedRange, ProviderRange
from annotate.numeric.ranges import runs_of


@dataclass(frozen=True, eq=False)
class PoseBlock:
    """Some poses of a video, in columns: P poses, ordered by frame, then track; K keypoints each.

    Numbers are rounded here, so that all formats say the same.

    Attributes:
        place: (P,) int64: place of each pose's frame in `DatasetVideo.frames`.
        track: (P,) int64, from 1: unique in the dataset.
        video_track: (P,) int64, from 1: the track's id in its video.
        score: (P,) float64 in [0, 1], rounded to 0.0001; 0 where filled.
        bbox: (P, 4) float64: x, y, width, height in pixels, rounded to 0.01.
        filled: (P,) bool: the person was not detected here; the smoother filled the pose in.
        xy: (P, K, 2) float64 pixels, rounded to 0.01; 0 where the model lacks the keypoint.
        z: (P, K) float32 pixels from the hips, away from the camera positive.
        visibility, presence: (P, K) float64 in [0, 1], rounded to 0.001.
        v: (P, K) int64: COCO's visibility, 0, 1 or 2, of the rounded coordinates.
        world: (P, K, D) float64 metres from the centre of the hips, rounded to 0.0001; 0 where the
            model lacks the keypoint. D is 3, or 0 where the model gives none.
    """

    place: IntArray
    track: IntArray
    video_track: IntArray
    score: NDArray[np.float64]
    bbox: NDArray[np.float64]
    filled: NDArray[np.bool_]
    xy: NDArray[np.float64]
    z: FloatArray
    visibility: NDArray[np.float64]
    presence: NDArray[np.float64]
    v: IntArray
    world: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.place)

    def take(self, rows: slice | IntArray | NDArray[np.bool_]) -> "PoseBlock":
        """Some of the poses: their places, or (P,) bool."""
        return PoseBlock(**taken(self, [one.name for one in fields(self)], rows))


@dataclass(frozen=True)
class Origin:
    """Where a video comes from.

    Attributes:
        fingerprint: lower-case hex SHA-256 of the file's bytes.
        time_base: seconds per unit of `pts`.
        start_s: time of the stream's first frame on the container's clock, in seconds.
        duration_s: seconds from the first frame's beginning to the last one's end, which is taken
            to be shown as long as the frames are on average.
        player_start_s: time of the first frame as players show it, from which `--start` counts, in
            seconds since the container's earliest stream starts.
    """

    fingerprint: str = ""
    time_base: Fraction = Fraction(1)
    start_s: float = 0.0
    duration_s: float = 0.0
    player_start_s: float = 0.0

    @property
    def clock(self) -> dict[str, str | float]:
        """What aligns time stamps with sound and with other cameras, as exports name it."""
        return {
            "time_base": str(self.time_base),
            "start_s": round(self.start_s, 6),
            "player_start_s": round(self.player_start_s, 6),
        }


@dataclass(frozen=True, eq=False)
class DatasetVideo:
    """One video of a dataset.

    Attributes:
        id: number of the video in its job, from 1; a video that is left out leaves a gap.
        name: unique in the job.
        folder: that its images and files are named after; unique in the job, and the same in every
            export of it.
        width, height: of the displayed frame in pixels.
        fps: mean frames per second of the source; 0.0 where it has a single frame.
        frames: (N,) int64, increasing: source indices of the frames of the dataset, those
            without people and missing ones included.
        pts: (N,) int64: their presentation times in the stream's time base.
        time_s: (N,) float64: the same in seconds from the stream's first frame.
        missing: (N,) bool: the frame was not processed, so that its people are unknown. The video
            has no pose there.
        images: (N,) int64, from 1: ids of the frames, the same in every export of the job.
        tracks: those of the dataset, by their ids in the video.
        track_offset: a track's id in the dataset less its id in the video.
        poses: opens the video's poses, block by block, ordered by frame, then track. A format
            may call it again to read them twice.
        origin: of the video.
        damaged: ranges of frames that cannot be decoded; the video has no pose there either.
        reviewed: (N,) bool: a reviewer marked the frame: its people are all there and right; None
            where none is.
        names: of tracks that a reviewer named, by their ids in the video.
        image_ending: of the names of its images.
        providers: what ran the models for which frames of the source; empty if unknown.
    """

    id: int
    name: str
    folder: str
    width: int
    height: int
    fps: float
    frames: IntArray
    pts: IntArray
    time_s: NDArray[np.float64]
    missing: NDArray[np.bool_]
    images: IntArray
    tracks: TrackList
    track_offset: int
    poses: Callable[[], Iterable[PoseBlock]]
    origin: Origin = Origin()
    damaged: tuple[DamagedRange, ...] = ()
    reviewed: NDArray[np.bool_] | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    image_ending: str = ".jpg"
    providers: tuple[ProviderRange, ...] = ()

    @property
    def reviewed_mask(self) -> NDArray[np.bool_]:
        """(N,) bool: the frame was marked by a reviewer."""
        return np.zeros(len(self.frames), np.bool_) if self.reviewed is None else self.reviewed

    @property
    def damaged_mask(self) -> NDArray[np.bool_]:
        """(N,) bool: the frame cannot be decoded, so that its people are unknown."""
        mask = np.zeros(len(self.frames), np.bool_)
        for one in self.damaged:
            mask |= (self.frames >= one.start) & (self.frames < one.stop)
        return mask

    @property
    def missing_ranges(self) -> list[tuple[int, int]]:
        """Ranges [start, stop) of source indices: every frame of the dataset in them is missing."""
        runs = runs_of(self.missing)
        return [(int(self.frames[a]), int(self.frames[b - 1]) + 1) for a, b in runs]


@dataclass(frozen=True)
class LeftOut:
    """A video of the job that the dataset has no frame of.

    Attributes:
        name: of the video.
        reason: one line.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Provenance:
    """What made a dataset.

    Attributes:
        program: name and version of the program.
        submitted: UTC day of the job's submission, e.g. `2026-01-02`; empty if unknown. Two
            submissions of the same videos on one day give the same bytes.
        pack_name: name of the model pack.
        pack, recipe, merge: digests of the pack, of all that can change the poses, and of all that
            can change the tracks made of them.
    """

    program: str = ""
    submitted: str = ""
    pack_name: str = ""
    pack: str = ""
    recipe: str = ""
    merge: str = ""


@dataclass(frozen=True, eq=False)
class Dataset:
    """What an export writes.

    Attributes:
        videos: of the job, those included of which all frames are missing.
        keypoints: that all poses have.
        known: (K,) bool: whether the model has the keypoint.
        left_out: videos whose frames are unknown.
        rejected: files that were submitted but cannot be read.
        keep_missing: write the images of missing frames too, and mark them. Otherwise they are left
            out: an image without people would say that there are none.
        provenance: of the dataset.
        angles: write joint angles instead of keypoints.
    """

    videos: tuple[DatasetVideo, ...]
    keypoints: KeypointSet
    known: NDArray[np.bool_]
    left_out: tuple[LeftOut, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    keep_missing: bool = False
    provenance: Provenance = Provenance()
    angles: bool = False

    def shown(self, video: DatasetVideo) -> NDArray[np.bool_]:
        """(N,) bool: the frames of a video whose images are in the dataset."""
        return np.ones_like(video.missing) if self.keep_missing else ~video.missing


class Format(ABC):
    """An export format; an object of it stands in `annotate.formats.registry`.

    Attributes:
        name: as `annotate export --format` knows it.
        suffix: usual ending of its files, e.g. `.json`; empty where it is a folder.
        signatures: how its files begin; a file that begins otherwise is not overwritten.
        keypoint_sets: that it can write, its own first.
        one_video: a file of it cannot hold several videos.
        has_angles: it can write joint angles.
        has_world: it writes world landmarks, or what follows from them; otherwise poses may come
            without them.
    """

    name: ClassVar[str]
    suffix: ClassVar[str] = ""
    signatures: ClassVar[tuple[bytes, ...]] = ()
    keypoint_sets: ClassVar[tuple[KeypointSet, ...]] = sets_from(COCO17)
    one_video: ClassVar[bool] = False
    has_angles: ClassVar[bool] = False
    has_world: ClassVar[bool] = False


class StreamFormat(Format):
    """A format whose file is written from its beginning to its end."""

    @abstractmethod
    def write(self, dataset: Dataset, out: BinaryIO) -> None:
        """Writes the dataset as a stream: memory does not grow with the number of poses."""


class FileFormat(Format):
    """A format whose file is written by a library that wants its path."""

    @abstractmethod
    def write_file(self, dataset: Dataset, path: Path) -> None:
        """Writes the file at `path`, which does not exist yet."""


class FolderFormat(Format):
    """A format of several files."""

    @abstractmethod
    def write_folder(self, dataset: Dataset, folder: Path) -> None:
        """Writes files below `folder`, which is empty."""
