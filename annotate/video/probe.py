"""What a video holds, from its packets: every frame's time, the keyframes, size and rotation.

Packets are believed as far as the decoder agrees: the first frames are decoded and compared. Where
packets and decoder differ, or packets cannot tell, the whole video is decoded once.
"""

from fractions import Fraction
from pathlib import Path
from typing import TypeGuard

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.errors import VideoError
from annotate.domain.limits import DEFAULT_LIMITS, Limits
from annotate.domain.progress import ByteProgress
from annotate.domain.video import VideoIndex
from annotate.video.claims import claims_of
from annotate.video.clock import (
    Times,
    are_numbers,
    counted,
    is_plausible,
    is_regular,
    repaired,
    usable_rate,
    usual_rate,
)
from annotate.video.endings import ReadPart
from annotate.video.file import (
    NOT_A_VIDEO,
    Reading,
    VideoFile,
    VideoPacket,
    check_file,
    fingerprint,
)
from annotate.video.first_frames import FirstFrames, damaged_packets, decode_all
from annotate.video.gaps import Places, lost_pts
from annotate.video.marks import marked
from annotate.video.packets import (
    NO_PTS,
    DecodedFrames,
    PacketTable,
    agreed_pts,
    keyframes,
    reordered_pts,
)
from annotate.video.progress import ReadProgress
from annotate.video.seeking import is_seekable


def probe(
    path: Path,
    progress: ByteProgress | None = None,
    *,
    stream: int | None = None,
    assume_fps: float | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> VideoIndex:
    """The index of the video at `path`.

    Args:
        path: of the video.
        progress: called with the bytes read so far and the bytes in all; the latter grows by the
            file's length where the whole video has to be decoded.
        stream: index of the video stream in its container; None: the best one.
        assume_fps: at which frames are counted where time stamps cannot be used; None: the rate
            that the codec or the container declares.
        limits: what the video may take of this host.

    Raises:
        VideoError: there is no such file; it is not a video, or lacks the stream; its frames
            cannot be decoded or are displayed tilted; it exceeds a limit; or it changed meanwhile.
    """
    with VideoFile(path, stream, Reading(limits=limits)) as video:
        # One pass for the packets, one for the fingerprint.
        read = ReadProgress(video.size_bytes, 2, progress)
        packets, decoded = _read_packets(video, read)
        decoded, times, keys = _frame_times(video, read, packets, decoded, assume_fps)
        chosen, streams = video.stream.index, video.video_streams()
        container_start_s = 0.0 if times.assumed_fps else video.start_s
        vanished = np.count_nonzero(np.isin(packets.lost_pts, times.pts))
    # A clock that cannot be used does not tell how long the video should be, either.
    is_known = times.assumed_fps is None or packets.declared_frames is not None
    digest = fingerprint(path, read.at)
    read.end_pass()
    if check_file(path) != video.size_bytes:
        raise VideoError(f"{path} changed while it was read", "Try again when it is complete.")
    return VideoIndex(
        fingerprint=digest,
        size_bytes=video.size_bytes,
        codec=packets.codec,
        **vars(decoded.display),
        time_base=times.time_base,
        pts=times.pts,
        keyframes=keys,
        declared_frames=packets.declared_frames,
        missing_s=packets.missing_s if is_known else 0.0,
        undecodable=damaged_packets(packets, decoded) + int(vanished),
        interpolated=times.interpolated,
        assumed_fps=None if times.assumed_fps is None else float(times.assumed_fps),
        stream=chosen,
        video_streams=streams,
        container_start_s=container_start_s,
        lost=decoded.lost if not len(keys) else decoded.lost[:0],
    )


def _frame_times(
    video: VideoFile,
    read: ReadProgress,
    packets: PacketTable,
    decoded: DecodedFrames | None,
    assume_fps: float | None,
) -> tuple[DecodedFrames, Times, IntArray]:
    """The decoded frames, the times of all frames, and the keyframes as in `VideoIndex`.

    Args:
        decoded: the first frames, or None where they do not help.
    """
    declared = video.stream.codec_context.framerate, video.stream.average_rate

    def are_times(pts: IntArray | None) -> TypeGuard[IntArray]:
        return (
            pts is not None
            and is_plausible(pts, packets.time_base)
            and not are_numbers(pts, packets.time_base, *declared)
        )

    pts = None if decoded is None else agreed_pts(packets, decoded)
    usable = (
        are_times(pts)
        and is_regular(packets.pts[packets.shown])
        and not packets.jumps()
        and packets.found_by_seeking
    )
    if decoded is None or not (usable or decoded.whole):
        decoded = decode_all(video, read)
        pts = agreed_pts(packets, decoded)
    # Without keyframes frames are counted, so decoding starts at the file's beginning.
    no_keyframes = np.empty(0, np.int64)
    if are_times(pts):
        if packets.found_by_seeking:
            pts = np.union1d(pts, packets.lost_pts)
        keys = keyframes(pts, packets, decoded) if packets.found_by_seeking else no_keyframes
        return decoded, Times(pts, packets.time_base), keys
    pts = reordered_pts(packets, decoded)
    if are_times(pts):
        return decoded, Times(pts, packets.time_base), no_keyframes
    assumed = None if assume_fps is None else Fraction(assume_fps).limit_denominator(1001)
    pts = decoded.all_pts()
    if are_numbers(pts, packets.time_base, *declared):
        return decoded, counted(len(pts), assumed or usable_rate(*declared)), no_keyframes
    fps = assumed or usable_rate(*declared, usual_rate(pts, packets.time_base))
    return decoded, repaired(pts, packets.time_base, fps), no_keyframes


def _read_packets(video: VideoFile, read: ReadProgress) -> tuple[PacketTable, DecodedFrames | None]:
    """All packets, and the first frames that they decode to."""
    rows: list[tuple[int, int, bool, bool, int, int, bool]] = []
    keys: list[tuple[int | None, int | None]] = []
    first_frames, limits = FirstFrames(video), video.limits
    decoded_packets = 0
    for packet, lost in marked(video, read.count(video.packets())):
        pts, dts, place = (
            NO_PTS if one is None else one for one in (packet.pts, packet.dts, packet.pos)
        )
        if len(rows) >= limits.frames:
            raise VideoError(
                f"{video.path} has over {limits.frames:,} frames", "Cut it into parts."
            )
        if packet.is_keyframe or not rows:
            _check_not_encrypted(video, packet)
        if packet.is_keyframe:
            keys.append((packet.dts, packet.pos))
        decoded_packets += not first_frames.enough
        lost = first_frames.take(packet, lost=lost)
        shown = not packet.is_discard
        rows.append((pts, dts, packet.is_keyframe, shown, place, packet.size, lost))
    if not rows:
        raise VideoError(f"{video.path} holds no frame", NOT_A_VIDEO)
    decoded, table = first_frames.end(), np.array(rows, dtype=np.int64)
    vanished = lost_pts(video, Places(*table[:, [0, 1, 4, 5, 6]].T))
    known = np.concatenate([table[table[:, 3] == 1, 0], vanished])
    claims = claims_of(
        video,
        known,
        ReadPart(len(rows), int(table[-1, 4]), int(table[-1, 5]), int(table[:, 1].max())),
    )
    packets = PacketTable(
        pts=table[:, 0],
        key=table[:, 2] == 1,
        shown=table[:, 3] == 1,
        found_by_seeking=is_seekable(video, keys),
        lost=table[:, 6] == 1,
        decoded=decoded_packets,
        lost_pts=vanished,
        codec=video.stream.codec.canonical_name,
        # FFmpeg gives every stream a time base, though the type allows for none.
        time_base=Fraction(video.stream.time_base or 1),
        declared_frames=claims.frames,
        missing_s=claims.missing_s,
    )
    return packets, decoded


def _check_not_encrypted(video: VideoFile, packet: VideoPacket) -> None:
    """Raises a `VideoError` where the packet is encrypted; decoders would see noise."""
    if any("encryption" in str(data.data_type) for data in packet.iter_sidedata()):
        raise VideoError(
            f"{video.path} is encrypted", "Get a copy without copy protection, or decrypt it first."
        )
