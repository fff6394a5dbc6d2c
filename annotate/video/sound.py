"""The sound of a video, copied packet by packet into another file, in step with its frames."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
from av.container import OutputContainer

from annotate.video.file import VideoFile


class Sound:
    """All sound streams of a file; nothing is decoded.

        with Sound(path, start_s) as sound:
            sound.add_streams(container)
            for packet in sound.until(math.inf):
                container.mux(packet)

    Raises:
        VideoError: the file cannot be read.
    """

    def __init__(self, path: Path, start_s: float) -> None:
        """Reads from `path`; times then count from `start_s` on the clock of its container."""
        self._file = VideoFile(path)
        self._start_s = start_s

    def __enter__(self) -> Self:
        self._file.__enter__()
        self._packets = self._read()
        self._next: Any = next(self._packets, None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.__exit__(kind, error, traceback)

    def add_streams(self, container: OutputContainer) -> None:
        """Adds a stream for each one of the source, with the same codec.

        Raises:
            ValueError, av.FFmpegError: the container does not take the codec.
        """
        self._streams = {
            stream.index: container.add_stream_from_template(stream)
            for stream in self._file.container.streams.audio
        }

    def until(self, time_s: float) -> Iterator[Any]:
        """The next packets that begin before `time_s`, ready for the other container."""
        while self._next is not None and self._time_s(self._next) < time_s:
            packet, self._next = self._next, next(self._packets, None)
            shift = round(self._start_s / packet.time_base)
            packet.pts -= shift
            packet.dts -= shift
            packet.stream = self._streams[packet.stream.index]
            yield packet

    def _time_s(self, packet: Any) -> float:
        return float(packet.dts * packet.time_base) - self._start_s

    def _read(self) -> Iterator[Any]:
        streams = list(self._file.container.streams.audio)
        if not streams:
            return
        try:
            for packet in self._file.container.demux(streams):
                if packet.size and packet.dts is not None and packet.pts is not None:
                    yield packet
        except (av.FFmpegError, IndexError):  # as in `VideoFile.packets`
            return
