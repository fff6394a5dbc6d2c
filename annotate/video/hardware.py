"""Hardware decoders: which one of this host can decode a video."""

from contextlib import suppress
from pathlib import Path

import av
from av.codec.hwaccel import hwdevices_available

from annotate.domain.limits import DEFAULT_LIMITS, Limits
from annotate.video.file import Reading, VideoFile


def hardware_device(
    path: Path, stream: int | None = None, limits: Limits = DEFAULT_LIMITS
) -> str | None:
    """FFmpeg's name of a device type, e.g. `cuda`, that decodes the video on this host.

    None where only the CPU can.

    Args:
        path: of the video.
        stream: as in `VideoFile`.
        limits: what the video may take of this host.

    Raises:
        VideoError: there is no such file, or it is not a video.
    """
    for device in hwdevices_available():
        # FFmpeg knows device types that this host lacks; each of them fails in another way.
        reading = Reading(device=device, limits=limits)
        with suppress(av.FFmpegError), VideoFile(path, stream, reading) as video:
            next(video.container.decode(video.stream), None)
            if video.stream.codec_context.is_hwaccel:
                return device
    return None
