"""What a container claims to hold, compared with what was found in it."""

import re
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from annotate.domain.arrays import IntArray
from annotate.video.asf import asf_frames
from annotate.video.endings import ReadPart, unread_frames
from annotate.video.file import VideoFile
from annotate.video.packets import NO_PTS

# The number of seconds by which a container may claim to be longer than its frames.
MAX_UNCLEAR_S = 2.0
# The smallest part of a frame's duration that counts as missing.
LEAST_FRAME = 0.5

# Formats whose headers have the duration of each stream.
OWN_DURATION = frozenset({"ivf", "mxf"})
_CLOCK = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Claims:
    """As in `VideoIndex`.

    Attributes:
        frames: `declared_frames`.
        missing_s: `missing_s`.
    """

    frames: int | None
    missing_s: float


def claims_of(video: VideoFile, pts: IntArray, read: ReadPart) -> Claims:
    """What the container claims. Only those are believed that are written once all is known.

    Args:
        video: whose packets have all been read.
        pts: (n,) int64, `NO_PTS` where there is none, of the packets that are to be displayed, and
            of frames that vanished.
        read: how far the file could be read.
    """
    kind, stream = video.container.format.name, video.stream
    rate, declared = _rate(video, pts), stream.frames or None
    found_s = _end_s(video, pts, rate)
    if "mp4" in kind and declared and stream.duration is not None:
        return _of_table(video, declared - len(pts), read, found_s, rate)
    if kind == "avi" and declared:
        # Frames are counted. Empty ones, of which not all are read, repeat those before them.
        return Claims(declared, _seconds(declared - 1 - max(-1, read.last_dts), rate))
    if kind in OWN_DURATION and stream.duration is not None:
        missing_s = float(stream.duration * Fraction(stream.time_base or 1)) - found_s
        missing_s += float((stream.start_time or 0) * Fraction(stream.time_base or 1))
        # Headers of IVF may count packets, of which some are not displayed.
        all_read = kind == "ivf" and (declared or 0) <= read.packets
        return Claims(declared, 0.0 if all_read or missing_s * rate < LEAST_FRAME else missing_s)
    if "matroska" in kind or kind in ("flv", "asf", "rm"):
        return Claims(declared, _of_duration(video, pts, read, rate))
    return Claims(declared, _seconds(unread_frames(video, read), rate))


def _of_table(
    video: VideoFile, missing: int, read: ReadPart, found_s: float, rate: float
) -> Claims:
    """Of an MP4 or QuickTime file with one table of all frames.

    Args:
        missing: how many declared frames are not to be displayed.
        read: as in `claims_of`.
        found_s: when the last frame ends, in seconds.
        rate: frames per second.
    """
    stream, unread = video.stream, unread_frames(video, read)
    if missing < 0:  # fragments follow the table
        return Claims(None, _seconds(unread, rate))
    if unread > 0:
        return Claims(stream.frames, _seconds(min(missing, unread), rate))
    end = (stream.start_time or 0) + (stream.duration or 0)
    by_time = (float(end * Fraction(stream.time_base or 1)) - found_s) * rate
    if by_time < LEAST_FRAME or missing > by_time + 1:
        # An edit list hides frames that the container counts; the last frame may be a long one.
        return Claims(None if missing else stream.frames, 0.0)
    return Claims(stream.frames, _seconds(missing, rate))


def _seconds(missing: int, rate: float) -> float:
    """Of so many frames."""
    return max(0, missing) / rate


def _rate(video: VideoFile, pts: IntArray) -> float:
    """Frames per second, from the time stamps where the container tells none."""
    steps = np.diff(np.unique(pts[pts != NO_PTS]))
    usual_s = float(np.median(steps) * (video.stream.time_base or 1)) if len(steps) else 1.0
    return float(video.stream.average_rate or 1 / usual_s)


def _of_duration(video: VideoFile, pts: IntArray, read: ReadPart, rate: float) -> float:
    """Seconds that are missing, by the stream's own duration; else by the container's, which is
    that of its longest stream.
    """
    found_s = _end_s(video, pts, rate)
    own = _CLOCK.fullmatch(video.stream.metadata.get("DURATION", ""))
    if own:
        hours, minutes, seconds = map(float, own.groups())
        missing_s = hours * 3600 + minutes * 60 + seconds - found_s
    elif video.container.duration is not None:
        missing_s = video.container.duration / av.time_base - found_s
        if missing_s > MAX_UNCLEAR_S and len(video.container.streams) > 1:
            # Sound that goes on to the end says that the file is whole.
            missing_s = min(missing_s, video.container.duration / av.time_base - _last_s(video))
    else:
        return _seconds(unread_frames(video, read) or int(_goes_on(video, pts, read)), rate)
    if missing_s * rate < LEAST_FRAME:
        return 0.0
    return missing_s if missing_s > MAX_UNCLEAR_S or _goes_on(video, pts, read) else 0.0


def _goes_on(video: VideoFile, pts: IntArray, read: ReadPart) -> bool:
    """Whether the container tells of more than was found; arguments as in `claims_of`."""
    known = pts[pts != NO_PTS]
    if video.container.format.name == "asf" and len(known):
        return asf_frames(video.path, video.stream.id).goes_on(int(known.max()))
    return unread_frames(video, read) > 0


def _last_s(video: VideoFile) -> float:
    """When the last packet of any stream begins, in seconds."""
    last_s = 0.0
    video.rewind()
    with suppress(av.FFmpegError, IndexError):
        for packet in video.container.demux():
            if packet.pts is not None and packet.time_base is not None:
                last_s = max(last_s, float(packet.pts * packet.time_base))
    return last_s


def _end_s(video: VideoFile, pts: IntArray, rate: float) -> float:
    """When the last frame that was found ends, in seconds."""
    known = pts[pts != NO_PTS]
    if not len(known):
        return 0.0
    return float(int(known.max()) * Fraction(video.stream.time_base or 1)) + 1 / rate
