"""The displayed picture: shape of pixels, mirrors, and frames of another size than the first."""

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph
from av.packet import Packet
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from annotate.domain.errors import VideoError
from annotate.domain.limits import Limits
from annotate.domain.video import Chunk, Frame
from annotate.numeric.fitting import fit
from annotate.video import decode, probe
from annotate.video.file import VideoPacket
from annotate.video.orientation import displayed_size, usable_aspect
from tests.in_process import InProcess, cheap_work
from tests.made_films import film
from tests.made_videos import FPS, SQUARE, AnyPacket, mpeg2, number_of, repacked

# The largest mean difference, in steps of 255, between two ways to scale the same picture.
SCALING_TOLERANCE = 3.0


def frames_of(path: Path) -> list[Frame]:
    index = probe(path)
    return list(decode(path, index, Chunk(0, len(index))))


def test_a_size_that_changes_is_said_by_submit_and_status(
    tmp_path: Path, blazepose_pack: Path
) -> None:
    host = InProcess(tmp_path, blazepose_pack.parent)
    path = film(tmp_path / "turned.ts", [(160, 240), (240, 160)])
    with cheap_work():
        said = host.run("submit", path)
        assert (said.code, said.defect) == (0, None), said.text
        line = "turned.ts: 12 frames of another size, fitted into the first: 12-23 (240x160)"
        assert line in said.text
        assert line in host.run("status").text
        (video,) = json.loads(host.run("status", "--json").text)["videos"]
    fitted = {"start": 12, "stop": 24, "width": 240, "height": 160, "count": 12}
    assert (video["fitted"], video["damaged"]) == ([fitted], [])


@pytest.mark.parametrize(
    ("stored", "aspect", "displayed"),
    [
        ((720, 576), Fraction(64, 45), (1024, 576)),
        ((352, 576), Fraction(32, 11), (1024, 576)),
        ((1440, 1080), Fraction(4, 3), (1920, 1080)),
        ((720, 480), Fraction(8, 9), (640, 480)),
        ((720, 480), Fraction(10, 11), (655, 480)),  # 654.5 is rounded up
        ((1, 1), Fraction(1, 8), (1, 1)),
    ],
)
def test_the_width_is_scaled_and_the_height_is_kept(
    stored: tuple[int, int], aspect: Fraction, displayed: tuple[int, int]
) -> None:
    assert displayed_size(*stored, aspect, 0) == displayed
    assert displayed_size(*stored, aspect, 90) == displayed[::-1]


@pytest.mark.parametrize(
    ("claimed", "used"),
    [(None, 1), (Fraction(0), 1), (Fraction(-4, 3), 1), (Fraction(8), 8), (Fraction(9), 1)],
)
def test_impossible_shapes_of_pixels_are_square(claimed: Fraction | None, used: int) -> None:
    assert usable_aspect(claimed) == used


@pytest.mark.parametrize(("suffix"), [".mp4", ".mkv", ".ts"])
def test_frames_have_square_pixels(suffix: str, tmp_path: Path) -> None:
    path = film(tmp_path / f"wide{suffix}", [(160, 120)], aspect=Fraction(64, 45))
    index = probe(path)
    assert (index.width, index.height, index.pixel_aspect) == (228, 120, Fraction(64, 45))
    for frame in frames_of(path):
        assert frame.rgb.shape == (120, 228, 3)
        assert frame.own_size is None
        middles = np.arange(SQUARE // 2, 6 * SQUARE, SQUARE) * 228 // 160
        bits = frame.rgb[SQUARE // 2, middles, 1] > 128
        assert sum(1 << bit for bit in range(6) if bits[bit]) == frame.index


@pytest.mark.parametrize("name", ["square_1024", "pal169_720", "cctv2cif_352x576"])
def test_the_same_scene_is_displayed_alike_whatever_its_pixels(
    name: str, shared_data: Path
) -> None:
    """The stored width differs, the picture does not."""
    cases = shared_data / "cases"
    index = probe(cases / f"21_two_{name}.mp4")
    assert (index.width, index.height, len(index)) == (1024, 576, 33)
    chunk = Chunk(10, 11)
    [ours] = decode(cases / f"21_two_{name}.mp4", index, chunk)
    square = cases / "21_two_square_1024.mp4"
    [truth] = decode(square, probe(square), chunk)
    difference = np.abs(ours.rgb.astype(float) - truth.rgb).mean()
    assert difference < SCALING_TOLERANCE


@pytest.mark.parametrize(
    ("signs", "by_ffplay"),
    [
        ((-1, 0, 0, 1), ("hflip", None)),
        ((1, 0, 0, -1), ("vflip", None)),
        ((0, 1, 1, 0), ("transpose", "cclock_flip")),
        ((0, -1, -1, 0), ("transpose", "clock_flip")),
        ((0, 1, -1, 0), ("transpose", "clock")),
        ((0, -1, 1, 0), ("transpose", "cclock")),
    ],
)
def test_mirrored_pictures_are_those_of_ffplay(
    signs: tuple[int, int, int, int], by_ffplay: tuple[str, str | None], tmp_path: Path
) -> None:
    """The filter is the one that ffplay puts in for this matrix."""
    a, b, c, d = (65536 * sign for sign in signs)
    path = film(tmp_path / "m.mp4", [(160, 120)], matrix=[a, b, 0, c, d, 0, 0, 0, 2**30])
    ours = frames_of(path)
    for frame, truth in zip(ours, filtered(path, *by_ffplay), strict=True):
        np.testing.assert_array_equal(frame.rgb, truth)
    index = probe(path)
    assert (index.width, index.height) == ((160, 120) if a else (120, 160))
    assert index.mirrored == (a * d - b * c < 0)


def filtered(path: Path, name: str, argument: str | None) -> list[NDArray[np.uint8]]:
    """The frames of a video as RGB, through one of FFmpeg's filters."""
    pictures = []
    with av.open(str(path)) as container:
        graph = Graph()
        source = graph.add_buffer(
            width=160, height=120, format=av.VideoFormat("rgb24"), time_base=Fraction(1, FPS)
        )
        graph.link_nodes(source, graph.add(name, argument), graph.add("buffersink")).configure()
        for frame in container.decode(video=0):
            graph.vpush(frame.reformat(format="rgb24", interpolation="BICUBIC"))
            pictures.append(np.asarray(graph.vpull().to_ndarray(), np.uint8))
    return pictures


def test_a_frame_of_another_size_is_fitted_into_the_first(tmp_path: Path) -> None:
    path = film(tmp_path / "turned.ts", [(160, 240), (240, 160)])
    index = probe(path)
    assert (index.width, index.height, len(index)) == (160, 240, 24)
    for frame in frames_of(path):
        assert frame.rgb.shape == (240, 160, 3)
        if frame.index < 12:
            assert frame.own_size is None
            assert number_of(frame.rgb) == frame.index
            continue
        assert frame.own_size == (240, 160)
        place = fit((240, 160), (160, 240))
        assert (place.width, place.height, place.left, place.top) == (160, 107, 0, 66)
        assert not frame.rgb[: place.top].any()
        assert not frame.rgb[place.top + place.height :].any()
        inside = VideoFrame.from_ndarray(
            np.ascontiguousarray(frame.rgb[place.top : place.top + place.height]), format="rgb24"
        ).reformat(240, 160)
        assert number_of(np.asarray(inside.to_ndarray(), np.uint8)) == frame.index


@pytest.mark.parametrize("suffix", [".ts", ".flv"])
def test_a_frame_of_other_pixels_than_the_first_keeps_its_proportions(
    suffix: str, tmp_path: Path
) -> None:
    """As in a broadcast that goes from 4:3 to 16:9 and back."""
    shapes = [Fraction(16, 15), Fraction(64, 45), Fraction(16, 15)]
    path = film(tmp_path / f"switched{suffix}", [(180, 144)] * 3, aspect=shapes)
    index = probe(path)
    frames = frames_of(path)
    assert [frame.own_size for frame in frames] == [None] * 12 + [(256, 144)] * 12 + [None] * 12
    assert all(frame.rgb.shape == (144, 192, 3) for frame in frames)
    (amid,) = decode(path, index, Chunk(17, 18))
    assert amid.own_size == (256, 144)
    np.testing.assert_array_equal(amid.rgb, frames[17].rgb)
    place = fit((256, 144), (192, 144))
    assert not amid.rgb[: place.top].any()
    assert amid.rgb[place.top : place.top + place.height].any(axis=(1, 2)).all()


def test_a_container_that_states_the_shape_of_pixels_is_believed(tmp_path: Path) -> None:
    shapes = [Fraction(16, 15), Fraction(64, 45)]
    path = film(tmp_path / "switched.mkv", [(180, 144)] * 2, aspect=shapes)
    assert {frame.own_size for frame in frames_of(path)} == {None}


def test_the_shape_of_pixels_does_not_depend_on_where_a_chunk_begins(tmp_path: Path) -> None:
    """Frames that are decoded behind a keyframe and displayed before it have its shape."""
    path = mpeg2(".ts").make(tmp_path / "switched.ts").path
    codes = iter([2, 2, 3, 3, 3])  # ISO/IEC 13818-2: 2 is 4:3, 3 is 16:9

    def switched(packet: VideoPacket) -> list[AnyPacket]:
        data = bytearray(packet)
        if packet.is_keyframe:
            at = data.index(b"\0\0\1\xb3") + 7
            data[at] = next(codes, 3) << 4 | data[at] & 0xF
        new = Packet(bytes(data))
        new.pts, new.dts, new.time_base = packet.pts, packet.dts, packet.time_base
        new.is_keyframe = packet.is_keyframe
        return [new]

    repacked(path, switched)
    index = probe(path)
    sizes = [frame.own_size for frame in frames_of(path)]
    first = sizes.index((213, 120))
    key = index.keyframes[2]
    assert 0 < first < key
    assert sizes == [None] * first + [(213, 120)] * (len(index) - first)
    for number in range(first - 1, key + 1):
        (alone,) = decode(path, index, Chunk(number, number + 1))
        assert alone.own_size == sizes[number]


def test_a_picture_that_is_too_large_when_displayed_is_refused(tmp_path: Path) -> None:
    path = film(tmp_path / "wide.mp4", [(160, 120)], aspect=Fraction(4))
    pixels = 160 * 120 * 4
    probe(path, limits=Limits(pixels=pixels))
    with pytest.raises(VideoError, match="displayed at 640x120") as caught:
        probe(path, limits=Limits(pixels=pixels - 1))
    assert "scale" in caught.value.hint


@pytest.mark.parametrize(
    ("own", "displayed"), [((640, 360), (360, 640)), ((3, 1000), (1000, 3)), ((1, 1), (7, 5))]
)
def test_a_fitted_frame_touches_two_sides_and_stays_inside(
    own: tuple[int, int], displayed: tuple[int, int]
) -> None:
    place = fit(own, displayed)
    assert place.width == displayed[0] or place.height == displayed[1]
    assert 0 <= place.left <= displayed[0] - place.width
    assert 0 <= place.top <= displayed[1] - place.height
    assert min(place.width, place.height) >= 1
