"""The poses of a whole video without their landmarks: what fits in memory for hours of video."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.columns import Shape, check_shapes, taken
from annotate.domain.track_list import TrackList
from annotate.domain.tracks import Tracks

_COLUMNS: dict[str, Shape] = {
    "frame_index": ("P",),
    "time_s": ("P",),
    "track_id": ("P",),
    "score": ("P",),
    "bbox": ("P", 4),
    "filled": ("P",),
}


@dataclass(frozen=True, eq=False)
class Outline:
    """All poses of a video, in columns that are those of `Tracks`, ordered as there.

    Raises:
        ValueError: a column does not have its shape.
    """

    frame_index: IntArray
    time_s: NDArray[np.float64]
    track_id: IntArray
    score: FloatArray
    bbox: FloatArray
    filled: NDArray[np.bool_]

    def __post_init__(self) -> None:
        check_shapes(self, _COLUMNS)

    def __len__(self) -> int:
        return len(self.frame_index)

    def take(self, rows: IntArray | NDArray[np.bool_]) -> "Outline":
        """Some of the rows: (n,) int64 places, or (P,) bool."""
        return Outline(**taken(self, [*_COLUMNS], rows))

    @classmethod
    def of(cls, tracks: Tracks) -> "Outline":
        """The outline of poses that are all in memory."""
        return cls(**{name: getattr(tracks, name) for name in _COLUMNS})

    @property
    def track_list(self) -> TrackList:
        """Its tracks, a row a track."""
        return TrackList.of(self.track_id, self.frame_index, self.time_s, self.score)
