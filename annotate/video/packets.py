"""What demuxing alone tells about a video, and whether the decoder's frames agree with it."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.video import Display

# No codec delays a frame by more other frames than this.
MAX_REORDERED = 16
# Stands for "no time stamp" in int64 columns.
NO_PTS = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class PacketTable:
    """What demuxing tells of n packets, in decoding order.

    Attributes:
        pts: (n,) int64, `NO_PTS` where a packet has none.
        key: (n,) bool: the container marks the packet as a keyframe.
        shown: (n,) bool: the packet is to be displayed (an edit list may hide it).
        tail_pts: int64, pts of the frames that the last keyframe and all that follows it decode
            to; empty where the container confirms that nothing is cut off, or where that is too
            much to decode.
        codec, time_base, declared_frames, missing_s: as in `VideoIndex`.
    """

    pts: IntArray
    key: NDArray[np.bool_]
    shown: NDArray[np.bool_]
    tail_pts: IntArray
    codec: str
    time_base: Fraction
    declared_frames: int | None
    missing_s: float

    def frame_pts(self) -> IntArray:
        """The known pts of the packets that are to be displayed, each once, rising."""
        return np.unique(self.pts[self.shown & (self.pts != NO_PTS)])

    def first_key(self) -> int | None:
        """The pts of the first keyframe, displayed or not.

        None where packets do not tell frames: a packet has no time stamp, two have the same one,
        or keyframes come out of order.
        """
        unique = len(self.frame_pts()) == np.count_nonzero(self.shown)
        rising = (np.diff(self.pts[self.key & self.shown]) > 0).all()
        if NO_PTS in self.pts or not unique or not rising or not self.key.any():
            return None
        return int(self.pts[self.key][0])


@dataclass(frozen=True, eq=False)
class DecodedFrames:
    """What the decoder tells of the first n frames of a video, in the order of its output.

    Attributes:
        pts: (n,) int64, `NO_PTS` where a frame has none.
        key: (n,) bool: the decoder takes the frame for a keyframe.
        whole: these are all frames of the video.
        undecodable: number of packets after the first frame that the decoder rejected.
        display: how the first of them is displayed.
    """

    pts: IntArray
    key: NDArray[np.bool_]
    whole: bool
    undecodable: int
    display: Display


def agreed_pts(packets: PacketTable, decoded: DecodedFrames) -> IntArray | None:
    """(N,) pts of all frames; None where packets and decoder disagree, or times do not rise.

    The decoder is right about frames before the first keyframe (a recording that was cut), and
    about the end of a file that may be cut off.
    """
    found, announced = decoded.pts, packets.frame_pts()
    if NO_PTS in found or (np.diff(found) <= 0).any():
        return None
    if decoded.whole:
        return found
    first_key = packets.first_key()
    if first_key is None:
        return None
    expected = announced[(announced >= first_key) & (announced <= found[-1])]
    if not np.array_equal(found[found >= first_key], expected):
        return None
    pts = np.concatenate([found, announced[announced > found[-1]]])
    if len(packets.tail_pts):
        pts = pts[(pts < packets.tail_pts[0]) | np.isin(pts, packets.tail_pts)]
    return pts


def reordered_pts(packets: PacketTable, decoded: DecodedFrames) -> IntArray | None:
    """(N,) pts of a whole decode whose frames carry each other's time stamps.

    Containers that keep only times of decoding look like this: the packets' times in order are
    those of the frames, and none is further from its frame than decoding reorders. None where
    this is not so.
    """
    announced = packets.frame_pts()
    if len(announced) != len(decoded.pts):
        return None
    places = np.searchsorted(announced, decoded.pts)
    if np.abs(places - np.arange(len(places))).max() > MAX_REORDERED:
        return None
    return announced


def keyframes(pts: IntArray, packets: PacketTable, decoded: DecodedFrames) -> IntArray:
    """As in `VideoIndex`, for frames at `pts`. The first frame is always among them."""
    marked = np.intersect1d(pts, packets.pts[packets.key & packets.shown])
    checked = marked[marked <= decoded.pts[-1]]
    if not np.isin(checked, decoded.pts[decoded.key]).all():
        marked = marked[:0]
    return np.union1d([0], np.searchsorted(pts, marked)).astype(np.int64)
