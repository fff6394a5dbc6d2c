"""What an export format is, and the dataset that it writes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
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
        frames: (N,) int64, increasing: source indices of the frames in the dataset, those without
            people included.
        pts: (N,) int64: their presentation times in the stream's time base.
        time_s: (N,) float64: the same in seconds from the stream's first frame.
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
    tracks: Callable[[], Iterable[Tracks]]


@dataclass(frozen=True, eq=False)
class Dataset:
    """What an export writes: videos, and the skeleton that all their poses have."""

    videos: tuple[DatasetVideo, ...]
    skeleton: Skeleton


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
