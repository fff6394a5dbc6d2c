"""The sound of a video, copied into another file in step with its frames."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer

from annotate.video.file import VideoFile

# What sound becomes whose codec the other container cannot hold: it loses nothing of samples of up
# to 24 bits, and MP4 and Matroska hold it; and the formats of samples of up to 2 bytes, and longer.
_LOSSLESS, _SHORT, _LONG = "flac", "s16", "s32"
# Seconds: times of sound are often rounded, even to whole packets; a longer hole is a pause.
_PAUSE_S = 0.25


class Sound:
    """All sound streams of a file: copied packet by packet where the other container can hold them.

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
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.__exit__(kind, error, traceback)

    def add_streams(self, container: OutputContainer) -> None:
        """Adds a stream for each one of the source; of what codec, its packets then say.

        Raises:
            ValueError, av.FFmpegError: the container does not take one.
        """
        known = container.supported_codecs
        # PyAV cannot copy codecs that FFmpeg does not know.
        streams = [s for s in self._file.container.streams.audio if s.codec_context is not None]
        copied = [s for s in streams if s.codec_context.codec.canonical_name in known]
        self._copied = {s.index: container.add_stream_from_template(s) for s in copied}
        self._encoded = {s.index: _Lossless(container, s) for s in streams if s not in copied}
        self._packets = self._ready(streams)
        self._next: Any = next(self._packets, None)

    def until(self, time_s: float) -> Iterator[Any]:
        """The next packets that begin before `time_s`, ready for the other container."""
        while self._next is not None and float(self._next.dts * self._next.time_base) < time_s:
            packet, self._next = self._next, next(self._packets, None)
            yield packet

    def _ready(self, streams: list[AudioStream]) -> Iterator[Any]:
        """All packets for the other container, in order."""
        for packet in self._read(streams):
            shift = round(self._start_s / packet.time_base)
            packet.pts -= shift
            packet.dts -= shift
            index = packet.stream.index
            if index in self._copied:
                packet.stream = self._copied[index]
                yield packet
            else:
                yield from self._encoded[index].packets(packet)
        for one in self._encoded.values():
            yield from one.packets(None)

    def _read(self, streams: list[AudioStream]) -> Iterator[Any]:
        if not streams:
            return
        try:
            for packet in self._file.container.demux(streams):
                if packet.size and packet.dts is not None and packet.pts is not None:
                    yield packet
        except (av.FFmpegError, IndexError):  # as in `VideoFile.packets`
            return


class _Lossless:
    """A stream of sound that is encoded anew, sample for sample.

    Encoders do not keep the times of what they are given, so samples are counted.
    """

    def __init__(self, container: OutputContainer, source: AudioStream) -> None:
        self._source = source
        stream = container.add_stream(_LOSSLESS, rate=source.rate, layout=source.layout.name)
        if not isinstance(stream, AudioStream):
            raise TypeError(f"{_LOSSLESS} does not encode sound")
        stream.codec_context.format = _LONG if source.format.bytes > 2 else _SHORT
        self._stream: Any = stream
        # In samples: where the sound starts, what was taken and given, and pauses without any.
        self._start: int | None = None
        self._taken = self._given = self._pauses = 0

    def packets(self, packet: Any | None) -> Iterator[Any]:
        """What is ready after a packet of the source; None ends it. Damaged ones are left out."""
        frames: list[AudioFrame] = []
        with suppress(av.FFmpegError):
            frames = self._source.codec_context.decode(packet)
        for frame in frames:
            self._take(frame)
            yield from self._timed(self._stream.encode(frame))
        if packet is None:
            yield from self._timed(self._stream.encode(None))

    def _take(self, frame: AudioFrame) -> None:
        if frame.pts is not None and frame.time_base is not None:
            place = round(frame.pts * frame.time_base * self._source.rate)
            if self._start is None:
                self._start = place
            pause = place - (self._start + self._taken + self._pauses)
            if pause > _PAUSE_S * self._source.rate:
                self._pauses += pause
        self._taken += frame.samples
        frame.pts = None

    def _timed(self, packets: list[Any]) -> Iterator[Any]:
        for one in packets:
            if one.size:
                one.pts = one.dts = (self._start or 0) + self._given + self._pauses
                one.time_base = Fraction(1, self._source.rate)
                self._given += one.duration
                yield one
