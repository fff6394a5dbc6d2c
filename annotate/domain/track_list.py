"""The tracks of a video, a row a track: what can be said of them without their poses."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.columns import Shape, check_shapes, taken

_COLUMNS: dict[str, Shape] = {
    "track_id": ("T",),
    "first_frame": ("T",),
    "last_frame": ("T",),
    "start_s": ("T",),
    "end_s": ("T",),
    "poses": ("T",),
    "score_sum": ("T",),
}


@dataclass(frozen=True, eq=False)
class TrackList:
    """The tracks of a video, ordered by id.

    Attributes:
        track_id: (T,) int64, increasing.
        first_frame, last_frame: (T,) int64: source indices of its first and last pose.
        start_s, end_s: (T,) float64: their times in seconds from the stream's first frame.
        poses: (T,) int64: how many it has, filled ones included.
        score_sum: (T,) float64: the sum of their scores.

    Raises:
        ValueError: a column does not have its shape.
    """

    track_id: IntArray
    first_frame: IntArray
    last_frame: IntArray
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    poses: IntArray
    score_sum: NDArray[np.float64]

    def __post_init__(self) -> None:
        check_shapes(self, _COLUMNS)

    def __len__(self) -> int:
        return len(self.track_id)

    @cached_property
    def highest_id(self) -> int:
        """The highest id; 0 without tracks."""
        return int(self.track_id[-1]) if len(self) else 0

    def take(self, rows: NDArray[np.bool_]) -> "TrackList":
        """Some of the tracks: (T,) bool."""
        return TrackList(**taken(self, [*_COLUMNS], rows))

    @classmethod
    def of(
        cls,
        track_id: IntArray,
        frame_index: IntArray,
        time_s: NDArray[np.float64],
        score: NDArray[np.float32],
    ) -> "TrackList":
        """The tracks of all poses of a video: (P,) columns as in `Tracks`, ordered by frame."""
        ids, first, track, poses = np.unique(
            track_id, return_index=True, return_inverse=True, return_counts=True
        )
        last = np.zeros(len(ids), np.int64)
        score_sum = np.zeros(len(ids))
        np.add.at(score_sum, track, score)
        np.maximum.at(last, track, np.arange(len(track_id)))
        return cls(
            track_id=ids.astype(np.int64),
            first_frame=frame_index[first],
            last_frame=frame_index[last],
            start_s=time_s[first],
            end_s=time_s[last],
            poses=poses.astype(np.int64),
            score_sum=score_sum,
        )


_NO_ROWS = np.zeros(0, np.int64)
NO_TRACKS = TrackList.of(_NO_ROWS, _NO_ROWS, np.zeros(0), np.zeros(0, np.float32))
