"""How the frames of a video are stored, before they are made the displayed picture."""

from dataclasses import dataclass
from pathlib import Path

from annotate.domain.errors import VideoError
from annotate.domain.limits import DEFAULT_LIMITS, Limits
from annotate.video.file import NOT_A_VIDEO, Reading, VideoFile


@dataclass(frozen=True)
class Recording:
    """How the frames of a video are stored.

    Attributes:
        width, height: of the stored frame in pixels.
        pixel_format: FFmpeg's name, e.g. `yuv420p`.
    """

    width: int
    height: int
    pixel_format: str


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
    return Recording(frame.width, frame.height, frame.format.name)
