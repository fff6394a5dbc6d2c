"""Whether a seek in a file leads to the frames that reading in order leads to.

It does where packets carry their time stamps; AVI and MXF count frames.
"""

from collections.abc import Sequence
from contextlib import suppress

import av

from annotate.video import avi
from annotate.video.file import VideoFile

# The number of keyframes to which a seek is tried.
_TRIED = 3


def is_seekable(video: VideoFile, keys: Sequence[tuple[int | None, int | None]]) -> bool:
    """Whether a seek leads to these keyframes, read in order; each is given by its dts and its
    place in the file.
    """
    kind = video.container.format.name
    if kind == "avi":
        return avi.leads_to(video.stream, keys)
    if kind != "mxf" or not keys:
        return True
    tried = {len(keys) * part // _TRIED for part in range(1, _TRIED)} | {len(keys) - 1}
    with video.again() as other:
        return all(_leads_to(other, *keys[at]) for at in sorted(tried))


def _leads_to(video: VideoFile, dts: int | None, place: int | None) -> bool:
    with suppress(av.FFmpegError):
        video.seek(dts or 0)
        for packet in video.packets():
            if packet.dts == dts:
                return packet.pos == place
            if packet.dts is None or dts is None or packet.dts > dts:
                break
    return False
