"""Decoding a chunk reads, decodes and converts little more than the frames of the chunk."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.video import Chunk
from annotate.video import VideoFile, decode, probe
from annotate.video.file import Packets, VideoPacket
from annotate.video.picture import RgbConverter
from tests.made_videos import Layout, make_video

SEEKABLE = [
    "H.264 with B-frames in MP4",
    "H.264 with open GOPs",
    "H.264 in fragmented MP4",
    "H.264 in MKV",
    "H.264 in MKV without an index",
    "H.264 in FLV",
    "H.264 in MPEG-TS with a late start",
    "edit list that begins amid a GOP",
    "edit list that shows a part twice",
    "HEVC with open GOPs in MPEG-TS",
    "HEVC with leading pictures that can be decoded",
    "VP9 with hidden frames",
    "AV1 in MKV",
    "MPEG-4 with B-frames in AVI",
    "MPEG-2 with open GOPs in a program stream",
]


def count_frames(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Counts, from now on, the frames that decoders give out."""
    original, count = VideoFile.decoded, 0

    def counted(video: VideoFile, packet: VideoPacket | None) -> list[av.VideoFrame]:
        nonlocal count
        frames = original(video, packet)
        count += len(frames)
        return frames

    monkeypatch.setattr(VideoFile, "decoded", counted)
    return lambda: count


def test_frames_that_nothing_needs_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video("H.264 with B-frames in MP4", tmp_path).path
    index = probe(path)
    decoded = count_frames(monkeypatch)
    asked = np.arange(0, len(index), 8)
    list(decode(path, index, Chunk(0, len(asked)), asked=asked))
    assert len(asked) <= decoded() < 0.8 * len(index)


@pytest.mark.parametrize("name", SEEKABLE)
def test_decoding_begins_at_the_nearest_keyframe(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoding from the beginning would give the same frames, but take too long."""
    path = make_video(name, tmp_path).path
    index = probe(path)
    decoded = count_frames(monkeypatch)
    leading_pictures = 3
    for start in index.keyframes[1:].tolist():
        before = decoded()
        assert len(list(decode(path, index, Chunk(start, start + 1)))) == 1
        assert decoded() - before <= 1 + leading_pictures


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi", ".mpg"])
def test_seeking_reads_a_small_part_of_the_file(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = 400
    codec = "mpeg4" if suffix == ".avi" else "mpeg2video" if suffix == ".mpg" else "libx264"
    layout = Layout(suffix, codec=codec, frames=frames, b_frames=2)
    path = layout.make(tmp_path / f"long{suffix}").path
    index = probe(path)
    original, count = VideoFile.packets, 0

    def counted(video: VideoFile) -> Packets:
        nonlocal count
        for packet in original(video):
            count += 1
            yield packet

    monkeypatch.setattr(VideoFile, "packets", counted)
    assert len(list(decode(path, index, Chunk(380, 382)))) == 2
    assert count < frames // 4


def test_frames_before_the_chunk_are_not_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video("H.264 with one keyframe in the whole file", tmp_path).path
    index = probe(path)
    convert, calls = RgbConverter.rgb, 0

    def counted(
        converter: RgbConverter, frame: av.VideoFrame, aspect: Fraction | None
    ) -> NDArray[np.uint8]:
        nonlocal calls
        calls += 1
        return convert(converter, frame, aspect)

    monkeypatch.setattr(RgbConverter, "rgb", counted)
    list(decode(path, index, Chunk(30, 33)))
    assert calls == 3
