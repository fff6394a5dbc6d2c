"""Whether a file is a video, judged by its content."""

from pathlib import Path
from typing import BinaryIO

import av

from annotate.domain.errors import VideoError
from annotate.domain.limits import DEFAULT_LIMITS
from annotate.video.file import FORMATS, NOT_MOVING, VideoFile


def holds_video(path: Path) -> bool:
    """Whether FFmpeg finds moving pictures in a file, whatever its name.

    Only the first bytes are read, and in a video some of its first frames. Single images, sound
    with a cover, text and subtitles are no videos.
    """
    try:
        with VideoFile(path):
            return True
    except VideoError:
        return False


def streams_video(file: BinaryIO) -> bool:
    """The same for an open file, of which only some ranges are read."""
    try:
        with av.open(
            file,
            options={"max_pixels": str(DEFAULT_LIMITS.pixels)},
            container_options={"format_whitelist": FORMATS},
            metadata_errors="replace",
        ) as container:
            return any(not one.disposition & NOT_MOVING for one in container.streams.video)
    except (av.FFmpegError, OSError, ValueError):
        return False
