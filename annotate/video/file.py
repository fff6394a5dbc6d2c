"""An untrusted video file, opened in one place: its stream, its packets and its frames."""

import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from time import thread_time
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from annotate.domain.errors import VideoError, unreadable
from annotate.domain.limits import DEFAULT_LIMITS, Limits
from annotate.files import sha256_of
from annotate.video.avi import ListedFrames
from annotate.video.orientation import usable_aspect

if TYPE_CHECKING:
    VideoPacket: TypeAlias = Packet[VideoStream]
else:  # Packet is generic for the type checker only.
    VideoPacket = Packet
Packets: TypeAlias = Iterator[VideoPacket]

# Containers that hold video in one file, and raw streams. Whatever can name another file or an
# address (playlists, concat scripts, DASH, SDP) stays out, and so do single images.
FORMATS = "mov,mp4,matroska,webm,mpegts,mpeg,avi,flv,asf,ogg,mxf,nut,ivf,h264,hevc,dv,gif,apng"
FORMATS += ",mpegvideo,m4v,vvc,obu,rm,wtv"
# Formats that are recorded from a running transmission, which may begin between keyframes.
BEGINS_ANYWHERE = frozenset({"mpegts", "mpeg", "h264", "hevc", "vvc", "mpegvideo", "m4v", "obu"})
# Neither is a moving picture: a cover, or the still images of a progress bar.
NOT_MOVING = Disposition.attached_pic | Disposition.timed_thumbnails
# Codecs whose decoders give a damaged picture, filled up with what was in the memory before, unless
# they are told to reject it.
REJECTS_WHEN_TOLD = frozenset({"mjpeg"})
NOT_A_VIDEO = (
    "Give a video file such as MP4, MOV, MKV, WebM, AVI or MPEG-TS. Convert anything else with all "
    "its frames: `ffmpeg -i FILE -fps_mode passthrough -c:v ffv1 NEW.mkv`. Of numbered images name "
    "the folder, or FOLDER/%05d.png. Copy or record again what was cut off."
)


@dataclass(frozen=True)
class Reading:
    """How a file is read.

    Attributes:
        threads: of the decoder.
        device: FFmpeg's name of the device type that decodes, or None for the CPU.
        limits: what the video may take of this host.
    """

    threads: int = 1
    device: str | None = None
    limits: Limits = DEFAULT_LIMITS


PLAIN = Reading()


class VideoFile:
    """One video file: every packet and every frame of it comes through this object.

        with VideoFile(path) as video:
            for frame in video.frames(video.packets()):
                ...

    Attributes:
        path: of the file.
        limits: what the video may take of this host.
        size_bytes: length of the file when this object was made.
        rejected: number of packets that the decoder rejected since the file was opened or rewound.
        empty: likewise, number of packets without data, which repeat the frame before them.
    """

    def __init__(self, path: Path, stream: int | None = None, reading: Reading = PLAIN) -> None:
        """Looks at the file, and opens it in the `with` statement.

        Args:
            path: of the file.
            stream: index of the video stream in its container, as ffprobe numbers them; None:
                the best one.
            reading: how it is read.

        Raises:
            VideoError: there is no such file, or it cannot be read.
        """
        self.path = path
        self.size_bytes = check_file(path)
        self.rejected = self.empty = 0
        self._at_start = True
        self._wanted = stream
        self._reading = reading
        self.limits = reading.limits
        self._container: InputContainer | None = None
        self._stream: VideoStream | None = None

    def __enter__(self) -> Self:
        """Opens the file.

        Raises:
            VideoError: it is not a video, or lacks the stream.
            av.FFmpegError: there is no such device.
        """
        self.rewind()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    @property
    def container(self) -> InputContainer:
        """PyAV's container; only inside the `with` statement."""
        if self._container is None:
            raise ValueError(f"{self.path} is not open")
        return self._container

    @property
    def stream(self) -> VideoStream:
        """PyAV's stream of the video that is annotated; only inside the `with` statement."""
        if self._stream is None:
            raise ValueError(f"{self.path} is not open")
        return self._stream

    def rewind(self) -> None:
        """Goes back to the first packet, with a new decoder.

        The file is opened again: not every container can seek to its beginning, and decoders
        keep some state even when they are flushed.
        """
        self._close()
        self.rejected = self.empty = 0
        self._at_start = True
        self._container = self._open()
        self._stream = self._video_stream(self._container)
        self._stream.thread_count = self._reading.threads
        self._stream.thread_type = "AUTO"
        options = {"max_pixels": str(self.limits.pixels)}
        if self._stream.codec.canonical_name in REJECTS_WHEN_TOLD:
            options["err_detect"] = "explode"
        self._stream.codec_context.options = options

    def again(self) -> "VideoFile":
        """The same stream of the same file, to be opened beside this one, with one thread."""
        return VideoFile(self.path, self._wanted, replace(self._reading, threads=1, device=None))

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a stored pixel divided by its height: the container's, else the codec's."""
        return usable_aspect(self.stream.sample_aspect_ratio)

    @property
    def start_s(self) -> float:
        """Seconds at which the container starts, as in `VideoIndex.container_start_s`."""
        start = self.container.start_time
        return 0.0 if start is None else start / av.time_base

    def video_streams(self) -> tuple[int, ...]:
        """Indexes of the streams of the container that are moving pictures."""
        return tuple(stream.index for stream in _moving(self.container))

    def seek(self, pts: int) -> None:
        """Goes to a keyframe at or before `pts`, as far as the container allows.

        Raises:
            av.FFmpegError: the container cannot seek there.
        """
        self._at_start = False
        self.container.seek(pts, stream=self.stream)

    def packets(self) -> Packets:
        """The stream's packets that hold data, in decoding order, up to the end or a read error.

        Empty packets are left out: they would tell the decoder that the stream ends. The first
        packet of the file counts as a keyframe; if it is not marked so, it is damaged.

        Raises:
            VideoError: they are too many.
        """
        kind, given = self.container.format.name, 0
        anywhere = kind in BEGINS_ANYWHERE
        listed = ListedFrames(self.stream) if kind == "avi" else None
        # PyAV ends with an IndexError where a stream came up after the file was opened.
        with suppress(av.FFmpegError, IndexError):
            for packet in self.container.demux(self.stream):
                if packet.size:
                    given += 1
                    self._check_packets(given)
                    packet.is_keyframe = packet.is_keyframe or (self._at_start and not anywhere)
                    self._at_start = False
                    if listed is not None:
                        listed.correct(packet)
                    yield packet
                elif packet.pts is not None or packet.dts is not None:
                    self.empty += 1
                    self._check_packets(given)

    def frames(self, packets: Packets) -> Iterator[VideoFrame]:
        """The frames in `packets`, to the last one, in presentation order."""
        for packet in packets:
            yield from self.decoded(packet)
        yield from self.decoded(None)

    def decoded(self, packet: VideoPacket | None) -> list[VideoFrame]:
        """The frames that the decoder gives out after `packet`; None: those that it still holds.

        A damaged packet gives no frame.

        Raises:
            VideoError: it takes too long. Time is that of the processor, so that a busy host does
                not count.
        """
        began = thread_time()
        try:
            frames = self.stream.decode(packet)
        except av.FFmpegError:
            self.rejected += 1
            frames = []
        if thread_time() - began > self.limits.decode_s * max(1, len(frames)):
            raise VideoError(
                f"{self.path} takes over {self.limits.decode_s:g} s to decode a frame",
                "Convert it: `ffmpeg -i FILE -c:v libx264 -crf 16 NEW.mp4`. `decode_s` in "
                "ANNOTATE_LIMITS allows more.",
            )
        return frames

    def _check_packets(self, given: int) -> None:
        most = self.limits.packets
        if given + self.empty > most:
            raise VideoError(
                f"{self.path} has over {most:,} packets",
                "Write it anew: `ffmpeg -i FILE -fps_mode passthrough -c:v ffv1 NEW.mkv`.",
            )

    def _open(self) -> InputContainer:
        try:
            # "file:" keeps a name such as `concat:a` or `http:b` from being taken for a protocol.
            return av.open(
                f"file:{self.path}",
                options={"max_pixels": str(self.limits.pixels)},
                container_options={"protocol_whitelist": "file", "format_whitelist": FORMATS},
                metadata_errors="replace",
                hwaccel=None if self._reading.device is None else HWAccel(self._reading.device),
            )
        except av.FFmpegError as error:
            if self._reading.device is not None:
                raise
            raise VideoError(
                f"{self.path} is not a video file, or is cut off", NOT_A_VIDEO
            ) from error

    def _video_stream(self, container: InputContainer) -> VideoStream:
        streams = _moving(container)
        if not streams:
            raise VideoError(f"{self.path} holds no video, only sound or pictures", NOT_A_VIDEO)
        if self._wanted is not None:
            numbers = ", ".join(str(stream.index) for stream in streams)
            streams = [stream for stream in streams if stream.index == self._wanted]
            if not streams:
                raise VideoError(
                    f"stream {self._wanted} of {self.path} is not a video",
                    f"Its video streams are {numbers}; without --stream the best one is taken.",
                )
        decodable = [stream for stream in streams if stream.codec_context is not None]
        if not decodable:
            raise VideoError(f"{self.path} has a codec that this FFmpeg cannot decode", NOT_A_VIDEO)
        # FFmpeg prefers streams that are marked as default and whose frames it saw when it opened
        # the file. Its best one can still be a cover.
        best = container.streams.best("video")
        return next((stream for stream in decodable if stream is best), decodable[0])

    def _close(self) -> None:
        container, self._container, self._stream = self._container, None, None
        if container is not None:
            container.close()


def _moving(container: InputContainer) -> list[VideoStream]:
    return [stream for stream in container.streams.video if not stream.disposition & NOT_MOVING]


def check_file(path: Path, *, may_be_empty: bool = False) -> int:
    """The length in bytes of the file at `path`.

    Raises:
        VideoError: it does not exist, is empty, may not be read, or is not a regular file (a pipe
            would block).
        HostError: the system cannot tell now.
    """
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            path.open("rb").close()
    except PermissionError as error:
        raise VideoError(
            f"{path} may not be read", "Give this user permission to read it."
        ) from error
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise VideoError(f"{path} does not exist", "Check the name and the folder.") from error
    except OSError as error:
        raise unreadable(path, error) from error
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise VideoError(f"{path} is {kind}", "Name the video files themselves.")
    if status.st_size == 0 and not may_be_empty:
        raise VideoError(f"{path} is empty", "Copy or record it again.")
    return status.st_size


def fingerprint(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """Lower-case hex SHA-256 of the file; `progress` gets the number of bytes read so far.

    Raises:
        HostError: the file cannot be read to its end.
    """
    try:
        return sha256_of(path, progress)
    except OSError as error:
        raise unreadable(path, error) from error
