"""The poses of a range of frames, before tracking."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Poses:
    """The poses of a range of frames, in columns: P poses over F frames, L landmarks each.

    Frames with nobody are present in the frame columns and own no pose. Poses of one frame stand
    together, in descending order of `detection_score`.

    Attributes:
        frame_index: (F,) int64, increasing: all frames, or those asked for.
        pts: (F,) int64, in the stream's time base.
        time_s: (F,) float64, seconds from the stream's first frame.
        offsets: (F + 1,) int64: the poses of frame i are `[offsets[i], offsets[i + 1])`.
        detection_score: (P,) float32 in [0, 1], the detector's, maybe from some frames before.
        score: (P,) float32 in [0, 1], the landmark model's flag "there is a person".
        roi: (P, 4) float32: centre x, centre y, side in pixels, rotation in radians, clockwise.
        landmarks: (P, L, 5) float32: x, y, z in pixels, visibility and presence in [0, 1].
        appearance: (P, 6) float32 in [0, 255]: red, green, blue of the trunk, then of the thighs.
    """

    frame_index: IntArray
    pts: IntArray
    time_s: NDArray[np.float64]
    offsets: IntArray
    detection_score: FloatArray
    score: FloatArray
    roi: FloatArray
    landmarks: FloatArray
    appearance: FloatArray

    def __post_init__(self) -> None:
        frames, poses = len(self.frame_index), len(self.score)
        if len(self.offsets) != frames + 1 or self.offsets[0] != 0 or self.offsets[-1] != poses:
            raise ValueError("offsets do not fit the frames and poses")
