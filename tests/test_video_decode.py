"""Chunked decode equals sequential decode, hash by hash, on every codec and layout."""

import gc
import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from annotate.domain.errors import VideoError
from annotate.domain.video import Chunk, DamagedFrame, Display, Frame, VideoIndex
from annotate.video import Reading, decode, decode_with_damage, probe
from annotate.video.picture import RgbConverter
from tests.made_videos import FRAMES, LAYOUTS, Layout, Made, number_of

TIME_TOLERANCE_S = 0.001  # MKV and FLV keep milliseconds
TEN_BITS = {"HEVC with 10 bits in MKV", "ProRes in MOV"}
# The wheel of OpenCV decodes no AV1, and with several threads it loses frames of a cut-off file.
NOT_FOR_OPENCV = {"AV1 in MP4", "AV1 in MKV", "H.264 in MP4 without its back"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    folder = tmp_path_factory.mktemp("videos")
    return {
        name: layout.make(folder / f"{place}{layout.suffix}")
        for place, (name, layout) in enumerate(LAYOUTS.items())
    }


@pytest.fixture(scope="module")
def indexes(made: dict[str, Made]) -> dict[str, VideoIndex]:
    return {name: probe(video.path) for name, video in made.items()}


def whole(index: VideoIndex) -> Chunk:
    return Chunk(0, len(index))


def by_ffmpeg(path: Path) -> list[NDArray[np.uint8]]:
    """The frames that FFmpeg alone decodes, from the first packet to the last."""
    frames = []
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            try:
                frames += packet.decode()
            except av.InvalidDataError:
                continue
    converted = (frame.to_ndarray(format="rgb24", interpolation="BICUBIC") for frame in frames)
    return [np.asarray(rgb, np.uint8) for rgb in converted]


def by_opencv(path: Path) -> list[NDArray[np.uint8]]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(np.asarray(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB), np.uint8))
    return frames


def hashes(frames: Iterable[NDArray[np.uint8]]) -> list[str]:
    return [hashlib.sha256(rgb.tobytes()).hexdigest() for rgb in frames]


def cuts(index: VideoIndex) -> Iterator[Chunk]:
    """At every keyframe, just before and after it, single frames, and the last frame."""
    last = len(index) - 1
    for key in {*index.keyframes.tolist(), 0, last}:
        for start in {key - 1, key, key + 1} & set(range(len(index))):
            yield Chunk(start, start + 1)
            yield Chunk(start, min(start + 3, len(index)))
    yield Chunk(last // 2, len(index))


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_memory_of_a_frame_is_free_when_it_was_used(
    name: str, made: dict[str, Made], indexes: dict[str, VideoIndex]
) -> None:
    """Python looks for what refers to itself only now and then, and a frame of 4K has 12 MB."""
    gc.collect()
    gc.disable()
    try:
        probe(made[name].path)
        frames = decode_with_damage(made[name].path, indexes[name], whole(indexes[name]))
        deque(frames, maxlen=0)  # keeps none
        left = [one for one in gc.get_objects() if isinstance(one, VideoFrame)]
    finally:
        gc.enable()
    assert left == []


@pytest.mark.parametrize("name", LAYOUTS)
def test_frames_are_found_in_order_and_in_time(
    name: str, made: dict[str, Made], indexes: dict[str, VideoIndex]
) -> None:
    video, index = made[name], indexes[name]
    frames = list(decode(video.path, index, whole(index)))
    truth = video.numbers
    if truth is None:
        truth = [number_of(rgb) for rgb in by_ffmpeg(video.path)]
        assert FRAMES // 2 < len(truth) < FRAMES
    assert [number_of(frame.rgb) for frame in frames] == list(truth)
    assert [frame.index for frame in frames] == list(range(len(truth)))
    assert [frame.pts for frame in frames] == index.pts[: len(frames)].tolist()
    # Of the last frame of a file that was cut off, a part is there, and no picture.
    assert len(index) - len(frames) in ((0,) if video.numbers is not None else (0, 1))
    if video.times_s is not None:
        np.testing.assert_allclose(index.time_s, video.times_s, atol=TIME_TOLERANCE_S)


@pytest.mark.parametrize("name", LAYOUTS)
def test_whole_decode_equals_ffmpeg_alone(
    name: str, made: dict[str, Made], indexes: dict[str, VideoIndex]
) -> None:
    path, index = made[name].path, indexes[name]
    frames = list(decode(path, index, whole(index)))
    alone = [np.rot90(rgb, -index.rotation // 90) for rgb in by_ffmpeg(path)]
    assert hashes(frame.rgb for frame in frames) == hashes(alone)
    assert {frame.rgb.shape for frame in frames} == {(index.height, index.width, 3)}


@pytest.mark.parametrize("name", LAYOUTS)
def test_any_chunk_equals_the_same_range_of_the_whole(
    name: str, made: dict[str, Made], indexes: dict[str, VideoIndex]
) -> None:
    path, index = made[name].path, indexes[name]
    expected = hashes(frame.rgb for frame in decode(path, index, whole(index)))
    for chunk in cuts(index):
        frames = list(decode(path, index, chunk))
        sound = range(chunk.start, min(chunk.stop, len(expected)))
        assert [frame.index for frame in frames] == list(sound)
        assert hashes(f.rgb for f in frames) == expected[chunk.start : chunk.stop], chunk


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("every", [2, 5])
def test_asked_frames_equal_those_of_the_whole(
    name: str, every: int, made: dict[str, Made], indexes: dict[str, VideoIndex]
) -> None:
    """Frames between them that no other frame needs are skipped."""
    path, index = made[name].path, indexes[name]
    expected = hashes(frame.rgb for frame in decode(path, index, whole(index)))
    asked = np.arange(min(1, len(index) - 1), len(index), every)
    for chunk in (Chunk(0, len(asked)), Chunk(len(asked) // 2, len(asked))):
        frames = list(decode(path, index, chunk, asked=asked))
        wanted = asked[chunk.start : chunk.stop]
        numbers = wanted[wanted < len(expected)].tolist()
        assert [frame.index for frame in frames] == numbers
        assert hashes(f.rgb for f in frames) == [expected[number] for number in numbers]


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name not in NOT_FOR_OPENCV])
def test_frames_are_those_of_opencv(
    name: str, made: dict[str, Made], indexes: dict[str, VideoIndex]
) -> None:
    path, index = made[name].path, indexes[name]
    ours = [frame.rgb for frame in decode(path, index, whole(index))]
    theirs = by_opencv(path)
    if name in TEN_BITS:  # which OpenCV rounds to 8 in another way
        assert [number_of(rgb) for rgb in ours] == [number_of(rgb) for rgb in theirs]
    else:
        assert hashes(ours) == hashes(theirs)


@pytest.mark.parametrize("name", ["H.264 with open GOPs", "HEVC with open GOPs in MP4"])
def test_several_threads_give_the_same_frames(
    name: str, made: dict[str, Made], indexes: dict[str, VideoIndex]
) -> None:
    path, index = made[name].path, indexes[name]
    chunk = Chunk(11, 30)
    one, two = (
        [f.rgb for f in decode(path, index, chunk, reading=Reading(threads=n))] for n in (1, 2)
    )
    assert hashes(one) == hashes(two)


@pytest.mark.parametrize(
    "name",
    [
        "H.264 refreshed bit by bit",
        "MPEG-4, every packet marked as keyframe",
        "HEVC, every packet marked as keyframe",
    ],
)
def test_wrong_keyframe_marks_cost_time_but_change_no_bit(name: str, tmp_path: Path) -> None:
    """As if the marks were right in the first frames, which `probe` checks."""
    layout = replace(LAYOUTS[name], frames=120)
    path = layout.make(tmp_path / f"video{layout.suffix}").path
    index = probe(path)
    expected = hashes(frame.rgb for frame in decode(path, index, whole(index)))
    with av.open(str(path)) as container:
        marked = [p.pts or 0 for p in container.demux(video=0) if p.size and p.is_keyframe]
    believed = replace(index, keyframes=np.searchsorted(index.pts, np.unique(marked)))
    assert len(believed.keyframes) >= 10
    for start in range(1, 118, 9):
        frames = decode(path, believed, Chunk(start, start + 3))
        assert hashes(frame.rgb for frame in frames) == expected[start : start + 3]


@pytest.mark.parametrize(("planar", "given"), [("yuv420p", "nv12"), ("yuv420p10le", "p010le")])
def test_frames_of_hardware_decoders_become_the_same_rgb(
    made: dict[str, Made], planar: str, given: str
) -> None:
    path = made["H.264 with B-frames in MP4"].path
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0)).reformat(format=planar)
    converter = RgbConverter(Display(frame.width, frame.height))
    np.testing.assert_array_equal(converter.rgb(frame.reformat(format=given)), converter.rgb(frame))


@pytest.mark.parametrize("tags", [{"colorspace": 1}, {"colorspace": 1, "color_range": 2}])
def test_colours_are_converted_as_the_file_says(tags: dict[str, int], tmp_path: Path) -> None:
    """A video of BT.709, of limited and of full range, as OpenCV shows it."""
    path = tmp_path / "709.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 64
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        rgb = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
        frame = av.VideoFrame.from_ndarray(rgb.repeat(8, 0).repeat(8, 1), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    [ours] = decode(path, probe(path), Chunk(0, 1))
    [theirs] = by_opencv(path)
    np.testing.assert_array_equal(ours.rgb, theirs)


@pytest.mark.parametrize("name", ["single_person", "two_people", "street_5fps"])
def test_real_videos_give_the_frames_of_opencv(name: str, shared_data: Path) -> None:
    path = shared_data / "videos" / f"{name}.mp4"
    index = probe(path)
    expected = hashes(by_opencv(path))
    assert len(index) == len(expected)
    assert hashes(f.rgb for f in decode(path, index, whole(index))) == expected
    start = len(index) * 6 // 10
    assert (
        hashes(f.rgb for f in decode(path, index, Chunk(start, start + 2)))
        == (expected[start : start + 2])
    )


def test_damage_of_one_frame_costs_one_frame(tmp_path: Path) -> None:
    layout = Layout(".mov", codec="prores_ks", pix_fmt="yuv422p10le")
    path = layout.make(tmp_path / "damaged.mov").path
    with av.open(str(path)) as container:
        packet = list(container.demux(video=0))[40]
    with path.open("r+b") as file:
        file.seek(packet.pos or 0)
        file.write(bytes(packet.size))
    index = probe(path)
    assert len(index) == FRAMES
    frames = list(decode_with_damage(path, index, Chunk(39, 42)))
    assert [isinstance(frame, Frame) for frame in frames] == [True, False, True]
    assert frames[1] == DamagedFrame(40, int(index.pts[40]), "not decoded")
    assert [number_of(frame.rgb) for frame in decode(path, index, Chunk(39, 42))] == [39, 41]


def test_frames_that_the_file_lacks_are_damaged(
    made: dict[str, Made], indexes: dict[str, VideoIndex]
) -> None:
    name = "H.264 with B-frames in MP4"
    index = indexes[name]
    more = replace(index, pts=np.append(index.pts, index.pts[-1] + 512))
    frames = list(decode_with_damage(made[name].path, more, Chunk(47, 51)))
    assert [frame.index for frame in frames] == [47, 48, 49, 50]
    assert isinstance(frames[3], DamagedFrame)
    assert all(isinstance(frame, Frame) for frame in frames[:3])


def test_file_of_another_length_must_be_submitted_again(
    made: dict[str, Made], indexes: dict[str, VideoIndex], tmp_path: Path
) -> None:
    name = "H.264 in MKV"
    path = tmp_path / "longer.mkv"
    path.write_bytes(made[name].path.read_bytes() + b"\0")
    with pytest.raises(VideoError, match="not the file that was submitted") as caught:
        next(decode(path, indexes[name], Chunk(0, 1)))
    assert "submit it again" in caught.value.hint


@pytest.mark.parametrize("start", [0, 20])
def test_file_with_other_frames_must_be_submitted_again(
    start: int, made: dict[str, Made], indexes: dict[str, VideoIndex]
) -> None:
    old, new = "H.264 with B-frames in MP4", "H.264 in MPEG-TS with a late start"
    index = replace(indexes[old], size_bytes=indexes[new].size_bytes)
    assert index.fingerprint != indexes[new].fingerprint
    with pytest.raises(VideoError, match="not the file that was submitted") as caught:
        list(decode(made[new].path, index, Chunk(start, start + 5)))
    assert "submit it again" in caught.value.hint


def test_chunk_beyond_the_video_is_an_error_of_the_caller(
    made: dict[str, Made], indexes: dict[str, VideoIndex]
) -> None:
    name = "H.264 in MKV"
    with pytest.raises(ValueError, match="beyond"):
        next(decode(made[name].path, indexes[name], Chunk(0, FRAMES + 1)))
