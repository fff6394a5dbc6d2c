"""The nouns of the program: frozen dataclasses with no behaviour beyond their own consistency.

Coordinates are pixels of the displayed frame (the container's rotation applied), origin at the
top left, without a half-pixel shift, as OpenCV and MediaPipe give them. Ranges are `[start, stop)`.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]
IntArray: TypeAlias = NDArray[np.int64]

# Who is looked for: those whom the detector sees in the whole picture, or small ones too.
People: TypeAlias = Literal["near", "all"]


@dataclass(frozen=True, order=True)
class Chunk:
    """Frames `[start, stop)` of one video: the unit of work and of retry.

    Where a job does not ask for all frames of a video, those that it asks for are counted.
    """

    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise ValueError(f"not a chunk: [{self.start}, {self.stop})")

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def name(self) -> str:
        """The stem of the chunk's files; sorts by `start`."""
        return f"{self.start:09d}-{self.stop:09d}"


@dataclass(frozen=True, eq=False)
class VideoIndex:
    """What one pass over a video's packets tells, without judging pixels.

    Attributes:
        fingerprint: lower-case hex SHA-256 of the file's bytes.
        size_bytes: length of the file.
        codec: FFmpeg's name of the codec, e.g. `h264`.
        width, height: of the displayed frame in pixels, rotation applied.
        rotation: clockwise degrees from the stored frame to the displayed one: 0, 90, 180, 270.
        time_base: seconds per unit of `pts`.
        pts: (N,) int64, strictly increasing: presentation time of every displayed frame.
        keyframes: (K,) int64, increasing frame indices at which decoding can start: 0 and, unless
            its marks prove wrong, every displayed frame that the container marks as a keyframe.
            Empty where frames can only be counted from the beginning, because the time stamps
            that they carry are not in the order of display (H.264 in AVI).
        declared_frames: what the container claims, or None where it claims nothing.
        missing_s: seconds of video that the container claims and the file does not hold, as where
            it was cut off; 0.0 where it is whole, or claims nothing.
    """

    fingerprint: str
    size_bytes: int
    codec: str
    width: int
    height: int
    rotation: int
    time_base: Fraction
    pts: IntArray
    keyframes: IntArray
    declared_frames: int | None
    missing_s: float = 0.0

    def __len__(self) -> int:
        return len(self.pts)

    @property
    def time_s(self) -> NDArray[np.float64]:
        """(N,) float64: seconds of every frame from the stream's first frame."""
        relative: NDArray[np.float64] = (self.pts - self.pts[0]) * float(self.time_base)
        return relative

    @property
    def fps(self) -> float:
        """Mean frames per second; 0.0 where the video has a single frame."""
        seconds = float(self.time_s[-1])
        return (len(self) - 1) / seconds if seconds > 0 else 0.0


@dataclass(frozen=True)
class Selection:
    """Which frames of every video are asked for: by default all.

    Attributes:
        start_s, end_s: from this time of the video on, and before that one; None is its end.
        every: those whose index is a multiple of it.
        fps: instead, what is shown at each 1 / fps seconds of the video.
    """

    start_s: float = 0.0
    end_s: float | None = None
    every: int = 1
    fps: float | None = None


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded frame.

    Attributes:
        index: 0-based, in presentation order.
        pts: presentation time in the stream's time base.
        rgb: (H, W, 3) uint8, displayed orientation; rows may be apart in memory.
    """

    index: int
    pts: int
    rgb: NDArray[np.uint8]


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
        clothes: (P, 6) float32 in [0, 255]: red, green, blue of the trunk, then of the thighs.
    """

    frame_index: IntArray
    pts: IntArray
    time_s: NDArray[np.float64]
    offsets: IntArray
    detection_score: FloatArray
    score: FloatArray
    roi: FloatArray
    landmarks: FloatArray
    clothes: FloatArray

    def __post_init__(self) -> None:
        frames, poses = len(self.frame_index), len(self.score)
        if len(self.offsets) != frames + 1 or self.offsets[0] != 0 or self.offsets[-1] != poses:
            raise ValueError("offsets do not fit the frames and poses")


@dataclass(frozen=True, eq=False)
class Tracks:
    """Rows of a tracks file: one row per pose, ordered by frame, then track_id.

    Attributes:
        frame_index: (P,) int64.
        pts: (P,) int64, in the stream's time base.
        time_s: (P,) float64, seconds from the stream's first frame.
        track_id: (P,) int64, from 1, numbered by (first frame, x) of the track.
        score: (P,) float32 in [0, 1]: flag times mean visibility; 0 where filled.
        bbox: (P, 4) float32: x, y, width, height in pixels, of the smoothed landmarks.
        filled: (P,) bool: he was not detected here, or not believably; the smoother filled it in.
        raw: (P, L, 5) float32 as in `Poses.landmarks`; NaN where filled.
        smoothed: (P, L, 5) float32: the same, smoothed over time.
    """

    frame_index: IntArray
    pts: IntArray
    time_s: NDArray[np.float64]
    track_id: IntArray
    score: FloatArray
    bbox: FloatArray
    filled: NDArray[np.bool_]
    raw: FloatArray
    smoothed: FloatArray

    def __len__(self) -> int:
        return len(self.frame_index)
