"""A video: its index, its frames, and the chunks that it is cut into."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.picture import Picture

# How HDR videos code light: SMPTE ST 2084, or hybrid log-gamma.
Hdr: TypeAlias = Literal["pq", "hlg"]
# The shape of pixels that are as wide as they are high.
SQUARE = Fraction(1)


# Why a frame cannot be shown as it was recorded: the decoder gives no picture; or marks it as
# corrupt, or the container does; or a frame that it may be predicted from is not sound.
DamageReason: TypeAlias = Literal["not decoded", "corrupt", "reference lost"]
DAMAGE_REASONS: tuple[DamageReason, ...] = get_args(DamageReason)


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


class Crop(NamedTuple):
    """Pixels of the stored frame at each side that are not displayed."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0


NO_CROP = Crop()


@dataclass(frozen=True)
class Display:
    """How the stored frames of a video become the displayed picture; fields as in `VideoIndex`."""

    width: int
    height: int
    rotation: int = 0
    mirrored: bool = False
    pixel_aspect: Fraction = SQUARE
    hdr: Hdr | None = None
    interlaced: bool = False
    crop: Crop = NO_CROP


@dataclass(frozen=True, eq=False)
class VideoIndex:
    """What one pass over a video's packets tells, without judging pixels.

    Attributes:
        fingerprint: lower-case hex SHA-256 of the file's bytes.
        size_bytes: length of the file.
        codec: FFmpeg's name of the codec, e.g. `h264`.
        width, height: of the displayed frame in pixels, rotation applied.
        rotation: clockwise degrees from the stored frame to the displayed one: 0, 90, 180, 270.
        mirrored: left and right are swapped for display, after the rotation.
        pixel_aspect: width of a stored pixel divided by its height. The displayed picture has
            square pixels: the stored width is multiplied by this, and rounded.
        crop: what the container cuts off the stored frame for display, before it is turned.
        hdr: how light is coded in HDR videos, which are tone-mapped; None for standard ones.
        interlaced: of the first frames, some hold two moments in their odd and even lines.
        container_start_s: when the container starts, in seconds of the clock of `pts`: the earliest
            start of its streams, sound included, which players show as 0.
        time_base: seconds per unit of `pts`.
        pts: (N,) int64, strictly increasing: presentation time of every displayed frame.
        keyframes: (K,) int64, increasing frame indices at which decoding can start: 0 and, unless
            its marks prove wrong, every displayed frame that the container marks as a keyframe.
            Empty where frames can only be counted from the beginning, because the time stamps
            that they carry are not in the order of display (H.264 in AVI) or unusable.
        declared_frames: what the container claims, or None where it claims nothing.
        missing_s: seconds of video that the container claims and the file does not hold, as where
            it was cut off; 0.0 where it is whole, or claims nothing.
        undecodable: number of damaged packets: those that the decoder rejected when the video was
            read (of its first frames, or all where all had to be decoded), all that lack data as
            far as container and codec tell, and those that vanished.
        image_gaps: of a video that was joined from numbered images, how many numbers between the
            first and the last have no image; None for other videos.
        lost: (L,) int64, increasing: frames that the decoder gives no picture of, where frames can
            only be counted; empty where they are found by their time stamps.
        interpolated: number of frames whose time stamps were out of order and were replaced.
        assumed_fps: frames per second at which `pts` counts frames, since the container's time
            stamps are unusable; None where they are used.
        stream: index of the video stream in its container, as ffprobe numbers them; None in
            indexes of earlier versions, which took the first one.
        video_streams: indexes of all video streams in the container that are moving pictures.
        reader: version of the code that read the video, or empty; others may read it otherwise.
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
    undecodable: int = 0
    interpolated: int = 0
    assumed_fps: float | None = None
    stream: int | None = None
    video_streams: tuple[int, ...] = ()
    reader: str = ""
    mirrored: bool = False
    pixel_aspect: Fraction = SQUARE
    hdr: Hdr | None = None
    interlaced: bool = False
    crop: Crop = NO_CROP
    container_start_s: float = 0.0
    image_gaps: int | None = None
    lost: IntArray = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.pts)

    @property
    def display(self) -> Display:
        """How the stored frames become the displayed picture."""
        return Display(*(getattr(self, one.name) for one in fields(Display)))

    @property
    def time_s(self) -> NDArray[np.float64]:
        """(N,) float64: seconds of every frame from the stream's first frame."""
        relative: NDArray[np.float64] = (self.pts - self.pts[0]) * float(self.time_base)
        return relative

    @property
    def start_s(self) -> float:
        """Seconds of the first frame on the container's clock, which all its streams share."""
        return float(self.pts[0] * self.time_base)

    @property
    def player_s(self) -> NDArray[np.float64]:
        """(N,) float64: seconds of every frame as players show them, rounded to microseconds."""
        # A container's start is rounded to microseconds, so the first frame may seem earlier.
        return np.maximum(np.round(self.time_s + (self.start_s - self.container_start_s), 5), 0.0)

    @property
    def fps(self) -> float:
        """Mean frames per second; 0.0 where the video has a single frame."""
        seconds = float(self.time_s[-1])
        return (len(self) - 1) / seconds if seconds > 0 else 0.0

    @property
    def missing_frames(self) -> int:
        """How many frames the container claims and the file does not hold."""
        if not self.missing_s:
            return 0
        undeclared = max(1, round(self.missing_s * self.fps))
        return max((self.declared_frames or 0) - len(self), 0) or undeclared


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded frame.

    Attributes:
        index: 0-based, in presentation order.
        pts: presentation time in the stream's time base.
        picture: what is displayed.
        own_size: width and height in pixels of the frame's own displayed picture, where they differ
            from those of the video: `picture` then holds it as `annotate.numeric.fitting` says.
            None otherwise.
    """

    index: int
    pts: int
    picture: Picture
    own_size: tuple[int, int] | None = None

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8: the displayed picture; rows may be apart in memory."""
        return self.picture.rgb


@dataclass(frozen=True)
class DamagedFrame:
    """A frame that cannot be decoded as it was recorded, so that no person is looked for in it.

    Attributes:
        index, pts: as in `Frame`.
        reason: what is wrong with it.
    """

    index: int
    pts: int
    reason: DamageReason


AnyFrame: TypeAlias = Frame | DamagedFrame


@dataclass(frozen=True)
class DamagedRange:
    """Damaged frames that follow each other among the frames that a job annotates.

    Attributes:
        start, stop: every annotated frame in `[start, stop)` is damaged.
        first_pts, last_pts: of the first and the last of them.
        reason: the same for all.
        count: how many they are.
    """

    start: int
    stop: int
    first_pts: int
    last_pts: int
    reason: DamageReason
    count: int


@dataclass(frozen=True)
class ProviderRange:
    """Annotated frames that follow each other and whose models one execution provider ran.

    Attributes:
        start, stop: every annotated frame in `[start, stop)` is one of them.
        provider: such as `cpu`; `unknown` in parts of earlier versions.
        count: how many they are.
    """

    start: int
    stop: int
    provider: str
    count: int


@dataclass(frozen=True)
class FittedRange:
    """Annotated frames that follow each other and were fitted into the size of the video.

    Attributes:
        start, stop: they are in `[start, stop)`.
        width, height: of their own displayed picture, in pixels.
        count: how many they are.
    """

    start: int
    stop: int
    width: int
    height: int
    count: int


@dataclass(frozen=True)
class CrowdedRange:
    """Annotated frames in which the detector found more people than are annotated.

    Attributes:
        start, stop: they are in `[start, stop)`.
        count: how many they are.
        most: how many people are annotated in each.
    """

    start: int
    stop: int
    count: int
    most: int


def fitted_ranges(frames: Iterable[tuple[int, tuple[int, int] | None]]) -> list[FittedRange]:
    """The fitted ranges among consecutive annotated frames.

    Args:
        frames: the index of each, and its `Frame.own_size`.

    >>> fitted_ranges([(0, None), (2, (60, 80)), (4, (60, 80))])
    [FittedRange(start=2, stop=5, width=60, height=80, count=2)]
    """
    ranges = []
    for size, group in groupby(frames, key=lambda frame: frame[1]):
        indices = [index for index, _ in group]
        if size is not None:
            width, height = size
            first, last = indices[0], indices[-1]
            ranges.append(FittedRange(first, last + 1, width, height, len(indices)))
    return ranges


def damaged_ranges(frames: IntArray, pts: IntArray, damage: NDArray[np.int8]) -> list[DamagedRange]:
    """The damaged ranges among consecutive annotated frames.

    Args:
        frames: (N,) int64, increasing: their indices.
        pts: (N,) int64 of these frames.
        damage: (N,) int8 as in `Poses`.

    >>> damaged_ranges(np.arange(4), np.arange(4) * 512, np.array([0, 1, 1, 0], np.int8))
    [DamagedRange(start=1, stop=3, first_pts=512, last_pts=1024, reason='not decoded', count=2)]
    """
    edges = [0, *(np.flatnonzero(np.diff(damage)) + 1).tolist(), len(damage)]
    return [
        DamagedRange(
            start=int(frames[a]),
            stop=int(frames[b - 1]) + 1,
            first_pts=int(pts[a]),
            last_pts=int(pts[b - 1]),
            reason=DAMAGE_REASONS[damage[a] - 1],
            count=b - a,
        )
        for a, b in pairwise(edges)
        if a < b and damage[a]
    ]
