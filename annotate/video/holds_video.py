"""Whether a file is a video, judged by its content."""

from pathlib import Path

from annotate.domain.errors import VideoError
from annotate.video.file import VideoFile


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
