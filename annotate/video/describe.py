"""What the first frame of a video tells about how it was recorded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from annotate.domain.errors import VideoError
from annotate.domain.limits import DEFAULT_LIMITS, Limits
from annotate.video.file import NOT_A_VIDEO, Reading, VideoFile

Hdr: TypeAlias = Literal["PQ", "HLG"]

# FFmpeg's numbers of the transfer functions of HDR (AVColorTransferCharacteristic).
_TRANSFERS: dict[int, Hdr] = {16: "PQ", 18: "HLG"}


@dataclass(frozen=True)
class Recording:
    """How the frames of a video are stored.

    Attributes:
        width, height: of the stored frame in pixels.
        pixel_format: FFmpeg's name, e.g. `yuv420p`.
        interlaced: the frames consist of two fields, recorded one after the other.
        hdr: transfer function of a video with a high dynamic range, or None.
    """

    width: int
    height: int
    pixel_format: str
    interlaced: bool
    hdr: Hdr | None


def describe(path: Path, stream: int | None, limits: Limits = DEFAULT_LIMITS) -> Recording:
    """How the frames of the video at `path` are stored, by the first one that can be decoded.

    Args:
        stream: as in `VideoIndex`.
        limits: what the video may take of this host.

    Raises:
        VideoError: the file cannot be read.
    """
    with VideoFile(path, stream, Reading(limits=limits)) as video:
        frame = next(video.frames(video.packets()), None)
    if frame is None:
        raise VideoError(f"no frame of {path} can be decoded", NOT_A_VIDEO)
    return Recording(
        width=frame.width,
        height=frame.height,
        pixel_format=frame.format.name,
        interlaced=frame.interlaced_frame,
        hdr=_TRANSFERS.get(int(frame.color_trc)),
    )
