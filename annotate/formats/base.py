"""What an export format is, and the dataset that it writes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.job import Rejected
from annotate.domain.skeleton import Skeleton
from annotate.domain.tracks import Tracks


@dataclass(frozen=True, eq=False)
class DatasetVideo:
    """One video of a dataset.

    Attributes:
        id: number of the video in its job, from 1; a video that is left out leaves a gap.
        name: unique in the dataset.
        width, height: of the displayed frame in pixels.
        fps: mean frames per second of the source; 0.0 where it has a single frame.
        frames: (N,) int64, increasing: source indices of the frames that the job annotates, those
            without people and missing ones included.
        pts: (N,) int64: their presentation times in the stream's time base.
        time_s: (N,) float64: the same in seconds from the stream's first frame.
        missing: (N,) bool: the frame was not processed, so that its people are unknown. The video
            has no pose there.
        tracks: opens the video's poses, block by block, ordered by frame, then track_id. A format
            may call it again to read them twice.
    """

    id: int
    name: str
    width: int
    height: int
    fps: float
    frames: IntArray
    pts: IntArray
    time_s: NDArray[np.float64]
    missing: NDArray[np.bool_]
    tracks: Callable[[], Iterable[Tracks]]

    @property
    def missing_ranges(self) -> list[tuple[int, int]]:
        """Ranges [start, stop) of source indices: every annotated frame in them is missing."""
        edges = np.flatnonzero(np.diff(self.missing, prepend=False, append=False)).reshape(-1, 2)
        return [(int(self.frames[a]), int(self.frames[b - 1]) + 1) for a, b in edges.tolist()]


@dataclass(frozen=True)
class LeftOut:
    """A video of the job that the dataset has no frame of.

    Attributes:
        name: of the video.
        reason: one line.
    """

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """What an export writes.

    Attributes:
        videos: of the job, those included of which all frames are missing.
        skeleton: that all their poses have.
        left_out: videos whose frames are unknown.
        rejected: files that were submitted but cannot be read.
        keep_missing: write the images of missing frames too, and mark them. Otherwise they are left
            out: an image without people would say that there are none.
    """

    videos: tuple[DatasetVideo, ...]
    skeleton: Skeleton
    left_out: tuple[LeftOut, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    keep_missing: bool = False

    def shown(self, video: DatasetVideo) -> NDArray[np.bool_]:
        """(N,) bool: the frames of a video whose images are in the dataset."""
        return np.ones_like(video.missing) if self.keep_missing else ~video.missing


class Format(Protocol):
    """One export format; an object of it stands in `annotate.formats.registry`."""

    @property
    def name(self) -> str:
        """As `annotate export --format` knows it."""

    @property
    def suffix(self) -> str:
        """Usual ending of its files, e.g. `.json`."""

    def write(self, dataset: Dataset, out: BinaryIO) -> None:
        """Writes the dataset as a stream: memory does not grow with the number of poses."""
