"""Decoders in hardware: which one of this host takes a video, if any does."""

from contextlib import suppress
from pathlib import Path

import av
from av.codec.hwaccel import hwdevices_available

from annotate.video.opening import opened


def hardware_device(path: Path) -> str | None:
    """FFmpeg's name of a device type, e.g. `cuda`, that decodes the video here; None where the
    CPU must.

    Raises:
        VideoError: there is no such file, or it is no video.
    """
    for device in hwdevices_available():
        # A device type that FFmpeg knows and this host lacks fails in ways of its own.
        with suppress(av.FFmpegError), opened(path, device=device) as (container, stream):
            next(container.decode(stream), None)
            if stream.codec_context.is_hwaccel:
                return device
    return None
