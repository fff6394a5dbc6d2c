"""What a container claims to hold, compared with what was found in it."""

import re
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

import av

from annotate.domain.arrays import IntArray
from annotate.video.asf import asf_frames
from annotate.video.file import VideoFile
from annotate.video.matroska import is_cut_off, leads_nowhere
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


def claims_of(video: VideoFile, pts: IntArray, end: int) -> Claims:
    """What the container claims. Only those are believed that are written once all is known.

    Args:
        video: whose packets have all been read.
        pts: (n,) int64, `NO_PTS` where there is none, of the packets that are to be displayed, and
            of frames that vanished.
        end: place in the file where the data of the last packet ends.
    """
    kind, stream = video.container.format.name, video.stream
    found_s = _end_s(video, pts)
    declared, rate = stream.frames or None, float(stream.average_rate or 1)
    if "mp4" in kind and declared and stream.duration is not None:
        start, base = stream.start_time or 0, Fraction(stream.time_base or 1)
        missing_s = float((start + stream.duration) * base) - found_s
        if missing_s * rate < LEAST_FRAME:
            # An edit list hides frames that the container counts.
            return Claims(declared if declared == len(pts) else None, 0.0)
        return Claims(declared, _of_frames(video, declared - len(pts)))
    if kind == "avi" and declared:
        return Claims(declared, _of_frames(video, declared - len(pts) - video.empty))
    if kind in OWN_DURATION and stream.duration is not None:
        missing_s = float(stream.duration * Fraction(stream.time_base or 1)) - found_s
        missing_s += float((stream.start_time or 0) * Fraction(stream.time_base or 1))
        return Claims(declared, missing_s if missing_s * rate >= LEAST_FRAME else 0.0)
    if "matroska" in kind or kind in ("flv", "asf", "rm"):
        return Claims(declared, _of_duration(video, found_s, pts, end))
    return Claims(declared, 0.0)


def _of_frames(video: VideoFile, missing: int) -> float:
    """Seconds of so many frames."""
    return max(0, missing) / float(video.stream.average_rate or 1)


def _of_duration(video: VideoFile, found_s: float, pts: IntArray, end: int) -> float:
    """Seconds that are missing, by the stream's own duration; else by the container's, which is
    that of its longest stream.
    """
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
        return 0.0
    if missing_s * float(video.stream.average_rate or 1) < LEAST_FRAME:
        return 0.0
    return missing_s if missing_s > MAX_UNCLEAR_S or _goes_on(video, pts, end) else 0.0


def _goes_on(video: VideoFile, pts: IntArray, end: int) -> bool:
    """Whether the container tells of more than was found; arguments as in `claims_of`."""
    kind, known = video.container.format.name, pts[pts != NO_PTS]
    if kind == "asf" and len(known):
        return asf_frames(video.path, video.stream.id).goes_on(int(known.max()))
    return "matroska" in kind and (
        is_cut_off(video.path, video.size_bytes) or leads_nowhere(video.path, end)
    )


def _last_s(video: VideoFile) -> float:
    """When the last packet of any stream begins, in seconds."""
    last_s = 0.0
    video.rewind()
    with suppress(av.FFmpegError, IndexError):
        for packet in video.container.demux():
            if packet.pts is not None and packet.time_base is not None:
                last_s = max(last_s, float(packet.pts * packet.time_base))
    return last_s


def _end_s(video: VideoFile, pts: IntArray) -> float:
    """When the last frame that was found ends, in seconds."""
    known = pts[pts != NO_PTS]
    if not len(known):
        return 0.0
    rate = float(video.stream.average_rate or 0)
    last_s = float(int(known.max()) * Fraction(video.stream.time_base or 1))
    return last_s + (1 / rate if rate > 0 else 0.0)
