"""Opening a file that nobody vouches for, and the packets and frames that come out of it."""

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from annotate.domain.errors import VideoError
from annotate.files import sha256_of

# Packet is generic for the type checker only.
Packets: TypeAlias = "Iterator[Packet[VideoStream]]"

# About 8192 x 8192, twice 8K: what one frame may cost in memory.
MAX_PIXELS = 2**26
BLOCK = 2**20
# Containers that hold video in one file and give its packets time stamps. Whatever can name
# another file or an address (playlists, concat scripts, DASH, SDP) stays out, and so do single
# images and bare streams.
FORMATS = "mov,mp4,matroska,webm,mpegts,mpeg,avi,flv,asf,ogg,mxf,nut,ivf"
# Neither is a moving picture: a cover, or the still images of a progress bar.
NO_VIDEO = Disposition.attached_pic | Disposition.timed_thumbnails
NOT_A_VIDEO = (
    "Give a video file such as MP4, MOV, MKV, WebM, AVI or MPEG-TS. Anything else, a bare "
    "stream (.h264) too, can be converted: `ffmpeg -i FILE -c:v libx264 -crf 16 NEW.mp4`."
)


@contextmanager
def opened(
    path: Path, threads: int = 1, device: str | None = None
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The file's container and its first video stream, ready to demux and decode.

    Args:
        threads: of the decoder.
        device: FFmpeg's name of the device type that decodes, by default the CPU.

    Raises:
        VideoError: there is no such file, or it is no video.
        av.FFmpegError: there is no such device.
    """
    check_file(path)
    try:
        # "file:" keeps a name such as `concat:a` or `http:b` from being taken for a protocol.
        container = av.open(
            f"file:{path}",
            options={"max_pixels": str(MAX_PIXELS)},
            container_options={"protocol_whitelist": "file", "format_whitelist": FORMATS},
            metadata_errors="replace",
            hwaccel=None if device is None else HWAccel(device),
        )
    except av.FFmpegError as error:
        if device is not None:
            raise
        raise VideoError(f"{path} is no video file, or is cut off", NOT_A_VIDEO) from error
    with container:
        stream = _video_stream(path, container)
        stream.thread_count = threads
        stream.thread_type = "AUTO"
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        yield container, stream


def check_file(path: Path) -> int:
    """The length in bytes of the file at `path`.

    Raises:
        VideoError: it does not exist, is empty, may not be read, or is no regular file (a pipe
            would block).
    """
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            path.open("rb").close()
    except PermissionError as error:
        raise VideoError(f"{path} may not be read", "Give this user the right to it.") from error
    except (OSError, ValueError) as error:
        raise VideoError(f"{path} does not exist", "Check the name and the folder.") from error
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
        raise VideoError(f"{path} is {kind}", "Name the video files themselves.")
    if status.st_size == 0:
        raise VideoError(f"{path} is empty", "Copy or record it again.")
    return status.st_size


def fingerprint(path: Path, at: Callable[[int], None] | None = None) -> str:
    """Lower-case hex SHA-256 of the file; `at` is told how many bytes are done.

    Raises:
        VideoError: the file cannot be read to its end.
    """
    try:
        return sha256_of(path, at)
    except OSError as error:
        raise VideoError(f"{path} cannot be read: {error.strerror}", "Check the disk.") from error


def readable_packets(container: InputContainer, stream: VideoStream) -> Packets:
    """The stream's packets that hold data, in decoding order, up to the end or a read error.

    An empty packet would tell the decoder that the stream ends here.
    """
    try:
        for packet in container.demux(stream):
            if packet.size:
                yield packet
    except (av.FFmpegError, IndexError):
        # PyAV ends with an IndexError where a stream came up after the file was opened.
        return


def decoded(stream: VideoStream, packets: Packets) -> Iterator[VideoFrame]:
    """The frames in `packets`, in presentation order; a packet that is damaged gives none."""
    for packet in packets:
        try:
            frames = stream.decode(packet)
        except av.FFmpegError:
            continue
        yield from frames
    try:
        frames = stream.decode(None)
    except av.FFmpegError:
        return
    yield from frames


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    streams = [s for s in container.streams.video if not s.disposition & NO_VIDEO]
    if not streams:
        raise VideoError(f"{path} holds no video, only sound or pictures", NOT_A_VIDEO)
    stream = streams[0]
    if stream.codec_context is None:
        raise VideoError(f"{path} is in a codec that this FFmpeg cannot decode", NOT_A_VIDEO)
    return stream
