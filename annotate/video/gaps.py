"""Frames that vanished where a file is damaged between its packets: no packet tells of them.

A gap in the time stamps alone is none: recorders leave frames out. Where bytes of the file belong
to no packet there, too, frames were lost. ASF numbers its frames.
"""

from contextlib import suppress
from typing import NamedTuple

import av
import numpy as np

from annotate.domain.arrays import IntArray
from annotate.video.asf import asf_frames
from annotate.video.file import VideoFile
from annotate.video.packets import LONGER_STEP, MAX_REORDERED, NO_PTS
from annotate.video.raw_file import raw_file
from annotate.video.transport import passes_over

# Formats that have a header before each packet and hardly anything else, and its greatest number of
# bytes, such as that of a new cluster; 0 for those without gaps. The same for packets of others.
HEADER_BYTES = {"matroska,webm": 256, "flv": 256, "nut": 256, "ivf": 256, "mxf": 0}
PACKET_HEADER_BYTES = 32
# The number of bytes of a packet at least, which bounds how many packets are lost.
LEAST_BYTES = 8
# The number of frames, at most, that a transport stream lost where its counters break. A longer gap
# is a pause of the receiver.
MOST_LOST = 250
# Formats that list all their frames.
NUMBERS_FRAMES = frozenset({"asf", "avi"})


class Places(NamedTuple):
    """Of n packets in the order of the file.

    Attributes:
        pts, dts: (n,) int64: times of presentation and of decoding, `NO_PTS` where there is none.
        begin, size: (n,) int64: place in the file, and length, in bytes.
        lost: (n,) int64: 1 where the container knows that data is lost in a packet or behind it.
    """

    pts: IntArray
    dts: IntArray
    begin: IntArray
    size: IntArray
    lost: IntArray


def lost_pts(video: VideoFile, packets: Places) -> IntArray:
    """The time stamps that frames had which vanished, spread evenly where none is known.

    Args:
        video: open; read again where there are gaps.
        packets: all of the stream.
    """
    none, kind = np.empty(0, np.int64), video.container.format.name
    if NO_PTS in packets.pts:
        return none
    if kind in NUMBERS_FRAMES:
        return none if NO_PTS in packets.dts else _not_listed(video, packets)
    if kind == "mpegts":
        return _in_gaps(packets.pts, _may_have_lost(video, packets) * MOST_LOST)
    header = HEADER_BYTES.get(kind)
    if header is None or NO_PTS in packets.begin or (np.diff(packets.begin) <= 0).any():
        return none
    if not len(_gaps(np.unique(packets.pts))[0]):
        return none
    return _in_gaps(packets.pts, (_unknown_bytes(video, packets) - header) // LEAST_BYTES)


def _not_listed(video: VideoFile, packets: Places) -> IntArray:
    """As `lost_pts`, where the container lists all frames.

    It lists times of decoding. Those of presentation are the same ones in another order, but for
    the first ones.
    """
    if video.container.format.name == "asf":
        lost = asf_frames(video.path, video.stream.id).lost_ms(packets.dts)
    else:
        entries = video.stream.index_entries
        listed = np.array([entry.timestamp for entry in entries if entry.size], np.int64)
        lost = np.setdiff1d(listed[listed < packets.dts.max()], packets.dts)
    if not len(lost):
        return packets.pts[:0]
    times: IntArray = np.setdiff1d(np.union1d(packets.dts, lost), packets.pts)
    found: IntArray = times[(times > packets.pts.min()) | np.isin(times, lost)]
    return found


def _may_have_lost(video: VideoFile, packets: Places) -> IntArray:
    """(n,): 1 where a transport stream lost data in a packet or behind it. Its counters do not tell
    of 16 of its packets in a row; bytes that belong to none of them do, if frames are missing.
    """
    steps, lost = np.diff(packets.dts), packets.lost.copy()
    usual = np.median(steps) if len(steps) else 0
    with raw_file(video.path) as file:
        for at in np.flatnonzero(steps > LONGER_STEP * usual).tolist():
            begin, end = packets.begin[at : at + 2].tolist()
            lost[at] |= 0 <= begin < end and passes_over(file, begin, end)
    return lost


def _gaps(shown: IntArray) -> tuple[IntArray, int]:
    """The places of the frames that a gap follows, and the usual step from frame to frame.

    Args:
        shown: (n,) int64: time stamps of frames, rising.
    """
    usual = int(np.median(np.diff(shown))) if len(shown) > 2 else 0
    gaps = np.flatnonzero(np.diff(shown) > LONGER_STEP * usual) if usual > 0 else shown[:0]
    return gaps, usual


def _in_gaps(pts: IntArray, most: IntArray) -> IntArray:
    """The time stamps that frames had in gaps where so many of them can have been lost.

    Args:
        pts: (n,) int64 of all packets.
        most: (m,) int64: how many frames can be lost behind each of them, but for the last ones.
    """
    shown = np.unique(pts)
    gaps, usual = _gaps(shown)
    # The first packet in the file that is displayed behind each gap. Decoding reorders some more.
    behind = np.searchsorted(np.maximum.accumulate(pts), shown[gaps + 1])
    found = [shown[:0]]
    for at, place in zip(gaps.tolist(), behind.tolist(), strict=True):
        near = most[max(0, place - MAX_REORDERED) : place + MAX_REORDERED]
        step = int(shown[at + 1] - shown[at])
        count = round(step / usual) - 1
        if count <= near.max():
            found.append(shown[at] + np.arange(1, count + 1) * step // (count + 1))
    return np.concatenate(found)


def _unknown_bytes(video: VideoFile, packets: Places) -> IntArray:
    """(n - 1,): bytes between two packets that belong to no packet of any stream."""
    begins, ends = (packets.begin + packets.size)[:-1], packets.begin[1:]
    unknown: IntArray = ends - begins
    if len(video.container.streams) > 1:
        video.rewind()
        with suppress(av.FFmpegError, IndexError):
            for packet in video.container.demux():
                at = int(np.searchsorted(ends, packet.pos or 0, "right"))
                if at < len(ends) and (packet.pos or 0) >= begins[at]:
                    unknown[at] -= packet.size + PACKET_HEADER_BYTES
    return unknown
