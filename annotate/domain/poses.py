"""The poses of a range of frames, before tracking."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.columns import Shape, check_shapes, concatenated, taken

_FRAME_COLUMNS: dict[str, Shape] = {
    "frame_index": ("F",),
    "pts": ("F",),
    "time_s": ("F",),
    "damage": ("F",),
}
_POSE_COLUMNS: dict[str, Shape] = {
    "detection_score": ("P",),
    "score": ("P",),
    "roi": ("P", 4),
    "landmarks": ("P", "L", 5),
    "world": ("P", "L", "D"),
    "appearance": ("P", 6),
}


@dataclass(frozen=True, eq=False)
class Poses:
    """The poses of a range of frames, in columns: P poses over F frames, L landmarks each.

    A frame without people is in the frame columns and has no pose. The poses of one frame follow
    each other, in descending order of `detection_score` as the pipeline makes them.

    Attributes:
        frame_index: (F,) int64, increasing: all frames of the range, or the selected ones.
        pts: (F,) int64, in the stream's time base.
        time_s: (F,) float64, seconds from the stream's first frame.
        offsets: (F + 1,) int64: the poses of frame i are `[offsets[i], offsets[i + 1])`.
        detection_score: (P,) float32 in [0, 1], the detector's, maybe from some frames before.
        score: (P,) float32 in [0, 1], the landmark model's flag "there is a person".
        roi: (P, 4) float32: centre x, centre y, side in pixels, rotation in radians, clockwise.
        landmarks: (P, L, 5) float32: x, y, z in pixels, visibility and presence in [0, 1].
        world: (P, L, D) float32: x, y, z in metres with the hip centre as origin; right, down and
            away from the camera are positive. D is 3, or 0 where the model gives none.
        appearance: (P, 6) float32 in [0, 255]: red, green, blue of the trunk, then of the thighs.
        damage: (F,) int8: 0 for sound frames, else a place in `DAMAGE_REASONS`, counted from 1. By
            default all frames are sound. A damaged frame has no pose.

    Raises:
        ValueError: a column does not have its shape, or the offsets do not fit.
    """

    frame_index: IntArray
    pts: IntArray
    time_s: NDArray[np.float64]
    offsets: IntArray
    detection_score: FloatArray
    score: FloatArray
    roi: FloatArray
    landmarks: FloatArray
    world: FloatArray
    appearance: FloatArray
    damage: NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))

    def __post_init__(self) -> None:
        if not len(self.damage):
            object.__setattr__(self, "damage", np.zeros(len(self.frame_index), np.int8))
        sizes = check_shapes(self, {**_FRAME_COLUMNS, **_POSE_COLUMNS})
        frames, poses = sizes["F"], sizes["P"]
        if self.offsets.shape != (frames + 1,):
            raise ValueError(
                f"offsets: expected (F + 1,), got {self.offsets.shape}, where F is {frames}"
            )
        first, last = int(self.offsets[0]), int(self.offsets[-1])
        if first != 0 or last != poses or (np.diff(self.offsets) < 0).any():
            raise ValueError(
                f"offsets: expected to rise from 0 to {poses}, the number of poses; "
                f"got {first} to {last}"
            )

    def __len__(self) -> int:
        """The number of poses."""
        return len(self.score)

    @cached_property
    def frame(self) -> IntArray:
        """(P,) int64: place of each pose's frame, in [0, F)."""
        return np.repeat(np.arange(len(self.frame_index)), np.diff(self.offsets))

    def take(self, rows: IntArray | NDArray[np.bool_]) -> "Poses":
        """The same frames with some of the poses.

        Args:
            rows: (n,) int64 places of the poses, ordered by frame, or (P,) bool.

        Raises:
            ValueError: a pose comes after one of a later frame.
        """
        frame = self.frame[rows]
        if (np.diff(frame) < 0).any():
            raise ValueError("take: the rows must be ordered by frame")
        offsets = np.searchsorted(frame, np.arange(len(self.frame_index) + 1))
        columns = taken(self, [*_POSE_COLUMNS], rows)
        return Poses(
            **{name: getattr(self, name) for name in _FRAME_COLUMNS}, **columns, offsets=offsets
        )

    def between(self, start: int, stop: int) -> "Poses":
        """The frames at the places `[start, stop)` with their poses."""
        rows = slice(int(self.offsets[start]), int(self.offsets[stop]))
        return Poses(
            **taken(self, [*_FRAME_COLUMNS], slice(start, stop)),
            **taken(self, [*_POSE_COLUMNS], rows),
            offsets=self.offsets[start : stop + 1] - self.offsets[start],
        )

    @classmethod
    def concat(cls, pieces: Sequence["Poses"]) -> "Poses":
        """All frames of one or more pieces, in the order of the pieces."""
        counts = np.concatenate([np.diff(piece.offsets) for piece in pieces])
        return cls(
            **concatenated(pieces, [*_FRAME_COLUMNS, *_POSE_COLUMNS]),
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        )


@dataclass(frozen=True, eq=False)
class PartOutline:
    """What a part says beside its poses.

    Attributes:
        frames, damage: (F,) each, as in `Poses`; empty where no frame is damaged.
        provider: the execution provider that ran the models; `unknown` in parts of earlier
            versions.
    """

    frames: IntArray
    damage: IntArray
    provider: str
