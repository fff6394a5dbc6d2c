"""What demuxing alone tells about a video, and whether the decoder's frames agree with it."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.video import Display

# No codec delays a frame by more other frames than this.
MAX_REORDERED = 16
# The longest time in seconds by which a packet is displayed after one that follows it in decoding
# order: reordering, unless its time stamp is wrong.
MAX_AHEAD_S = 10.0
# Codecs whose packets each show one frame, whatever else is in them.
ONE_FRAME_A_PACKET = frozenset({"av1", "mpeg1video", "mpeg2video"})
# A step between frames that is longer than this multiple of the usual one is a gap. Of films that
# were pulled down, one step in two is 1.5 of the other, rounded.
LONGER_STEP = 1.6
# Stands for "no time stamp" in int64 columns.
NO_PTS = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class PacketTable:
    """What demuxing tells of n packets, in decoding order.

    Attributes:
        pts: (n,) int64, `NO_PTS` where a packet has none.
        key: (n,) bool: the container marks the packet as a keyframe.
        shown: (n,) bool: the packet is to be displayed (an edit list may hide it).
        found_by_seeking: a seek to a keyframe leads to the packet that reading in order leads to.
        lost: (n,) bool: data of the packet is lost, as far as container and codec tell.
        decoded: number of packets, from the first on, that were decoded as they were read.
        lost_pts: (L,) int64: time stamps of frames that vanished between packets.
        codec, time_base, declared_frames, missing_s: as in `VideoIndex`.
    """

    pts: IntArray
    key: NDArray[np.bool_]
    shown: NDArray[np.bool_]
    found_by_seeking: bool
    lost: NDArray[np.bool_]
    decoded: int
    lost_pts: IntArray
    codec: str
    time_base: Fraction
    declared_frames: int | None
    missing_s: float

    def frame_pts(self) -> IntArray:
        """The known pts of the packets that are to be displayed, each once, rising."""
        return np.unique(self.pts[self.shown & (self.pts != NO_PTS)])

    def jumps(self) -> bool:
        """Whether packets are displayed so long after those that follow them that their time stamps
        look wrong.
        """
        known = self.pts[self.shown & (self.pts != NO_PTS)]
        ahead = np.maximum.accumulate(known) - known
        return bool(len(known) and ahead.max() * self.time_base > MAX_AHEAD_S)

    def reordered(self) -> bool:
        """Whether packets come in another order than they are displayed, so that their time stamps
        cannot be those of decoding.
        """
        return bool((np.diff(self.pts) < 0).any())

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
        lost: (L,) int64: places among all frames of those that the decoder gave no picture of, as
            far as the order of packets tells.
        damaged_packets: number of packets that the decoder rejected, or of which data is lost.
        damaged: the decoder rejected a packet after the first keyframe, or marked a frame as
            corrupt.
        display: how the first of them is displayed.
    """

    pts: IntArray
    key: NDArray[np.bool_]
    whole: bool
    lost: IntArray
    damaged_packets: int
    damaged: bool
    display: Display

    def places(self) -> IntArray:
        """(n,) int64: where each frame is among all frames, lost ones included."""
        every = np.arange(len(self.pts) + len(self.lost))
        return np.setdiff1d(every, self.lost)

    def all_pts(self) -> IntArray:
        """(n + L,) int64: the same pts, `NO_PTS` for lost frames."""
        pts = np.full(len(self.pts) + len(self.lost), NO_PTS)
        pts[self.places()] = self.pts
        return pts


def agreed_pts(packets: PacketTable, decoded: DecodedFrames) -> IntArray | None:
    """(N,) pts of all frames; None where packets and decoder disagree, or times do not rise.

    The decoder is right about frames before the first keyframe (a recording that was cut), and
    about the end of a file that may be cut off. Frames that damage keeps from it are those of the
    packets.
    """
    found, announced = decoded.pts, packets.frame_pts()
    first_key = packets.first_key()
    # Each packet of these codecs shows one frame; their decoders leave frames out without an error.
    in_order = NO_PTS not in found and bool((np.diff(found) > 0).all())
    told = (
        decoded.damaged
        or len(packets.lost_pts) > 0
        or (in_order and packets.codec in ONE_FRAME_A_PACKET)
    )
    told = told and (in_order or (packets.reordered() and not packets.jumps()))
    told = told and bool(np.isin(found, announced).all())
    if told and first_key is not None:
        pts = np.union1d(found, announced[announced >= first_key])
    elif told and decoded.whole and packets.found_by_seeking and len(packets.lost_pts):
        # Some packets carry the time of others, and some frames vanished: neither list has all. An
        # index that does not lead to the packets tells nothing.
        pts = np.union1d(found, announced)
    elif not in_order:
        return None
    elif decoded.whole:
        return None if len(decoded.lost) else found
    elif first_key is None:
        return None
    else:
        expected = announced[(announced >= first_key) & (announced <= found[-1])]
        if not np.array_equal(found[found >= first_key], expected):
            return None
        pts = np.concatenate([found, announced[announced > found[-1]]])
    return pts


def reordered_pts(packets: PacketTable, decoded: DecodedFrames) -> IntArray | None:
    """(N,) pts of a whole decode whose frames carry each other's time stamps.

    Containers that keep only times of decoding look like this: the packets' times rise, are in
    order those of the frames, and none is further from its frame than decoding reorders. None where
    this is not so.
    """
    announced = packets.frame_pts()
    expected = decoded.places()
    if (
        packets.reordered()
        or packets.jumps()
        or len(announced) != len(decoded.pts) + len(decoded.lost)
    ):
        return None
    places = np.searchsorted(announced, decoded.pts)
    if np.abs(places - expected).max() > MAX_REORDERED:
        return None
    return announced


def keyframes(pts: IntArray, packets: PacketTable, decoded: DecodedFrames) -> IntArray:
    """As in `VideoIndex`, for frames at `pts`. The first frame is always among them."""
    marked = np.intersect1d(pts[1:], packets.pts[packets.key & packets.shown])
    wrong = np.setdiff1d(marked[marked <= decoded.pts.max()], decoded.pts[decoded.key])
    if decoded.damaged or len(packets.lost_pts):
        # It is the damage that keeps some from being keyframes.
        marked = np.setdiff1d(marked, wrong[np.isin(wrong, decoded.pts)])
    elif len(wrong):
        marked = marked[:0]
    return np.union1d([0], np.searchsorted(pts, marked)).astype(np.int64)
