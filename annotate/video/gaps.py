"""Frames that vanished where a file is damaged between its packets: no packet tells of them.

A gap in the time stamps alone is none: recorders leave frames out. Where bytes of the file belong
to no packet there, too, frames were lost. ASF numbers its frames.
"""

from contextlib import suppress

import av
import numpy as np

from annotate.domain.arrays import IntArray
from annotate.video.asf import asf_frames
from annotate.video.file import VideoFile
from annotate.video.packets import LONGER_STEP, MAX_REORDERED, NO_PTS

# Formats that have a header before each packet and hardly anything else, and its greatest number of
# bytes, such as that of a new cluster; 0 for those without gaps. The same for packets of others.
HEADER_BYTES = {"matroska,webm": 256, "flv": 256, "nut": 256, "ivf": 256, "mxf": 0}
PACKET_HEADER_BYTES = 32
# The number of bytes of a packet at least, which bounds how many packets are lost.
LEAST_BYTES = 8


def lost_pts(video: VideoFile, packets: IntArray, dts: IntArray) -> IntArray:
    """The time stamps that frames had which vanished, spread evenly where none is known.

    Args:
        video: open; read again where there are gaps.
        packets: (n, 3) int64 in the order of the file: pts, place in the file, number of bytes.
        dts: (n,) int64 of the packets, `NO_PTS` where one has none.
    """
    none = np.empty(0, np.int64)
    if video.container.format.name == "asf":
        return _lost_in_asf(video, packets[:, 0], dts)
    header = HEADER_BYTES.get(video.container.format.name)
    if header is None or NO_PTS in packets[:, :2] or (np.diff(packets[:, 1]) <= 0).any():
        return none
    shown = np.unique(packets[:, 0])
    usual = int(np.median(np.diff(shown))) if len(shown) > 2 else 0
    gaps = np.flatnonzero(np.diff(shown) > LONGER_STEP * usual) if usual > 0 else none
    if not len(gaps):
        return none
    unknown = _unknown_bytes(video, packets) - header
    # The first packet in the file that is displayed behind each gap. Decoding reorders some more.
    behind = np.searchsorted(np.maximum.accumulate(packets[:, 0]), shown[gaps + 1])
    found = [none]
    for at, place in zip(gaps.tolist(), behind.tolist(), strict=True):
        near = unknown[max(0, place - MAX_REORDERED) : place + MAX_REORDERED]
        step = int(shown[at + 1] - shown[at])
        count = round(step / usual) - 1
        if count <= near.max() // LEAST_BYTES:
            found.append(shown[at] + np.arange(1, count + 1) * step // (count + 1))
    return np.concatenate(found)


def _lost_in_asf(video: VideoFile, pts: IntArray, dts: IntArray) -> IntArray:
    """As `lost_pts`: ASF has times of decoding, which are those of display in another order, and
    later by a constant.
    """
    if NO_PTS in pts or NO_PTS in dts:
        return np.empty(0, np.int64)
    later = int(np.median(np.sort(pts) - np.sort(dts)))
    return np.setdiff1d(asf_frames(video.path, video.stream.id).lost_ms(dts) + later, pts)


def _unknown_bytes(video: VideoFile, packets: IntArray) -> IntArray:
    """(n - 1,): bytes between two packets that belong to no packet of any stream."""
    begins, ends = packets[:-1, 1] + packets[:-1, 2], packets[1:, 1]
    unknown: IntArray = ends - begins
    if len(video.container.streams) > 1:
        video.rewind()
        with suppress(av.FFmpegError, IndexError):
            for packet in video.container.demux():
                at = int(np.searchsorted(ends, packet.pos or 0, "right"))
                if at < len(ends) and (packet.pos or 0) >= begins[at]:
                    unknown[at] -= packet.size + PACKET_HEADER_BYTES
    return unknown
