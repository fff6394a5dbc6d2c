"""Pictures that are sampled from a decoder's planes, against the exact RGB of the same frames."""

from fractions import Fraction
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.model_spec import Border
from annotate.domain.picture import Picture
from annotate.domain.video import Chunk, Display, Frame
from annotate.numeric.plane_picture import PlanePicture
from annotate.numeric.rgb_picture import RgbPicture
from annotate.pipeline.crops import window_of
from annotate.video import decode, probe
from annotate.video.picture import RgbConverter
from tests.made_films import film
from tests.made_hdr import hdr_video
from tests.made_videos import LAYOUTS
from tests.test_container_crop import with_pixel_crop
from tests.test_deinterlace import mixed

# Steps of 255. On slow gradients swscale's RGB of 4:2:0 and 4:2:2 is up to 2 steps too dark, and
# rounding adds to that; with a wrong matrix or range the greatest difference is 18 or more.
SMOOTH_MEAN, SMOOTH_MOST = 3.0, 8
# Of fine stripes of colours that are 140 steps apart.
STRIPES_MEAN = 18.0
# On photographs, colour edges are sharper in the exact RGB.
PHOTO_MEAN, PHOTO_P99 = 3.0, 16
# What is interpolated twice, as where pixels are not square, and the markers of made videos.
SCALED_MEAN = 5.0

FORMATS = [f"yuv{letter}{steps}p" for letter, steps in product(("", "j"), (420, 422, 444))] + [
    f"yuv{steps}p10le" for steps in (420, 422, 444)
]
BT709, UNSPECIFIED, BT601, BT2020 = 1, 2, 5, 9
SIZE = (320, 240)


def smooth(width: int, height: int, number: int = 0) -> NDArray[np.uint8]:
    """(height, width, 3): slow gradients of all colours."""
    seeds = np.random.default_rng(number).integers(30, 226, (4, 5, 3), np.uint8)
    return cv2.resize(seeds, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def paint(number: int, width: int, height: int) -> NDArray[np.uint8]:
    return smooth(width, height, number)


def frame_of(
    rgb: NDArray[np.uint8], pixel_format: str = "yuv420p", space: int = BT601, colour_range: int = 1
) -> VideoFrame:
    frame = VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pixel_format)
    frame.colorspace, frame.color_range = space, colour_range
    return frame


def both(frame: VideoFrame, display: Display | None = None) -> tuple[Picture, NDArray[np.uint8]]:
    """The sampled picture of a frame, and its exact RGB."""
    shown = display or Display(frame.width, frame.height)
    return RgbConverter(shown, planes=True).picture(frame), RgbConverter(shown).rgb(frame)


def apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.int64]:
    difference: NDArray[np.int64] = np.abs(one.astype(np.int64) - other)
    return difference


@pytest.mark.parametrize("colour_range", [0, 1, 2])
@pytest.mark.parametrize("space", [BT709, UNSPECIFIED, BT601, BT2020])
@pytest.mark.parametrize("pixel_format", FORMATS)
def test_the_colours_are_those_of_swscale(pixel_format: str, space: int, colour_range: int) -> None:
    sampled, exact = both(frame_of(smooth(*SIZE), pixel_format, space, colour_range))
    assert isinstance(sampled, PlanePicture)
    assert apart(sampled.rgb, exact).mean() <= SMOOTH_MEAN
    assert apart(sampled.rgb, exact).max() <= SMOOTH_MOST


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_photographs_look_alike(pixel_format: str, shared_data: Path) -> None:
    photo = cv2.imread(str(shared_data / "people" / "000000000790.jpg"))
    assert photo is not None
    sampled, exact = both(frame_of(np.ascontiguousarray(photo[:, :, ::-1], np.uint8), pixel_format))
    difference = apart(sampled.rgb, exact)
    assert difference.mean() <= PHOTO_MEAN
    assert np.percentile(difference, 99) <= PHOTO_P99


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "yuv444p"])
@pytest.mark.parametrize("border", ["replicate", "constant"])
@pytest.mark.parametrize(
    "roi",
    [
        (160, 120, 100, 0.0),
        (160, 120, 60, 0.7),
        (30, 20, 120, -0.4),
        (300, 230, 150, 2.5),
        (160, 120, 900, 0.2),
        (319.5, 239.5, 40, 0),
        (-500, 120, 100, 0.3),
    ],
    ids=["inside", "turned", "over a corner", "over another", "around", "at the edge", "outside"],
)
def test_a_crop_is_that_of_the_exact_picture(
    roi: tuple[float, ...], border: Border, pixel_format: str
) -> None:
    sampled, exact = both(frame_of(smooth(*SIZE), pixel_format))
    for size in ((96, 96), (63, 95)):
        window = window_of(np.array(roi, np.float32), size)
        expected = RgbPicture(exact).crop(window, border, 114)
        difference = apart(sampled.crop(window, border, 114), expected)
        assert difference.shape == (*size[::-1], 3)
        assert difference.mean() <= SMOOTH_MEAN
        # At the picture's edge, colour fades over twice as many pixels.
        assert np.percentile(difference, 96) <= SMOOTH_MOST


@pytest.mark.parametrize(
    ("pixel_format", "stripe", "shrunk"),
    [("yuv444p", 2, 1), ("yuv420p", 4, 2), ("yuv422p", 4, 2)],
    ids=["no colour is halved", "a picture made smaller", "the same, halved across"],
)
def test_a_crop_has_all_the_colour_that_the_planes_have(
    pixel_format: str, stripe: int, shrunk: int
) -> None:
    """Stripes of red and blue, which are two pixels wide in the crop."""
    red = (np.arange(SIZE[0]) // stripe % 2)[None, :, None]
    stripes = np.where(red, (200, 60, 60), (60, 60, 200)).astype(np.uint8)
    sampled, exact = both(frame_of(np.repeat(stripes, SIZE[1], axis=0), pixel_format))
    side = 64
    window = window_of(np.array([160, 120, side * shrunk, 0], np.float32), (side, side))
    expected = RgbPicture(exact).crop(window, "replicate")
    assert apart(sampled.crop(window, "replicate"), expected).mean() <= STRIPES_MEAN


@pytest.mark.parametrize("grey", [0, 16, 114, 255])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv420p10le"])
def test_outside_the_picture_is_the_grey_of_the_pack(pixel_format: str, grey: int) -> None:
    sampled, _ = both(frame_of(smooth(*SIZE), pixel_format))
    window = window_of(np.array([-900, 0, 50, 0], np.float32), (8, 8))
    assert apart(sampled.crop(window, "constant", grey), np.full((8, 8, 3), grey)).max() <= 1


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30, -1e9])
def test_impossible_rois_give_some_crop(value: float) -> None:
    sampled, _ = both(frame_of(smooth(*SIZE)))
    for place in range(4):
        roi: FloatArray = np.array([160, 120, 100, 0.3], np.float32)
        roi[place] = value
        with np.errstate(all="ignore"):
            crop = sampled.crop(window_of(roi, (64, 64)), "replicate")
        assert crop.shape == (64, 64, 3)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj422p", "yuv444p10le"])
def test_single_colours_are_those_of_the_exact_picture(pixel_format: str) -> None:
    sampled, exact = both(frame_of(smooth(*SIZE), pixel_format))
    places = np.random.default_rng(1).integers(0, SIZE, (200, 2))
    corners = np.array([[0, 0], [319, 239], [0, 239], [319, 0]])
    points = np.concatenate([places, corners])
    assert apart(sampled.colours(points), RgbPicture(exact).colours(points)).max() <= SMOOTH_MOST


QUARTERS = [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)]
MIRRORS = [(-1, 0, 0, 1), (0, 1, 1, 0), (1, 0, 0, -1), (0, -1, -1, 0)]


def check_film(path: Path, most: float = SMOOTH_MEAN, *, deinterlace: bool = False) -> list[Frame]:
    """Compares all frames with the exact ones, whole and at single points."""
    index = probe(path)
    every = Chunk(0, len(index))
    sampled = [*decode(path, index, every, planes=True, deinterlace=deinterlace)]
    exact = [*decode(path, index, every, deinterlace=deinterlace)]
    points = np.random.default_rng(2).integers(0, (index.width, index.height), (99, 2))
    for one, other in zip(sampled, exact, strict=True):
        assert isinstance(one.picture, PlanePicture)
        assert one.picture.size == other.picture.size == (index.width, index.height)
        assert apart(one.rgb, other.rgb).mean() <= most
        assert apart(one.picture.colours(points), other.picture.colours(points)).mean() <= most
    return sampled


@pytest.mark.parametrize("signs", QUARTERS + MIRRORS, ids=str)
@pytest.mark.parametrize("size", [(160, 120), (128, 96)], ids=str)
def test_turned_and_mirrored_frames(
    signs: tuple[int, ...], size: tuple[int, int], tmp_path: Path
) -> None:
    a, b, c, d = (65536 * sign for sign in signs)
    matrix = [a, b, 0, c, d, 0, 0, 0, 2**30]
    check_film(film(tmp_path / "m.mp4", [size], frames=2, matrix=matrix, paint=paint))


@pytest.mark.parametrize("aspect", [Fraction(64, 45), Fraction(8, 9), Fraction(4, 1)], ids=str)
@pytest.mark.parametrize("matrix", [None, [0, 65536, 0, -65536, 0, 0, 0, 0, 2**30]])
def test_pixels_that_are_not_square(
    aspect: Fraction, matrix: list[int] | None, tmp_path: Path
) -> None:
    path = film(
        tmp_path / "a.mp4", [(160, 120)], frames=2, aspect=aspect, matrix=matrix, paint=paint
    )
    check_film(path)


def test_what_the_container_cuts_off_is_not_shown(tmp_path: Path) -> None:
    made = LAYOUTS["H.264 in MKV"].make(tmp_path / "whole.mkv")
    check_film(with_pixel_crop(made.path), SCALED_MEAN)


def test_frames_of_two_moments(tmp_path: Path) -> None:
    check_film(mixed(tmp_path / "mixed.ts"), deinterlace=True)


@pytest.mark.parametrize(("planar", "given"), [("yuv420p", "nv12"), ("yuv420p10le", "p010le")])
def test_frames_of_hardware_decoders_give_the_same_pictures(planar: str, given: str) -> None:
    frame = frame_of(smooth(*SIZE), planar)
    sampled, _ = both(frame.reformat(format=given))
    np.testing.assert_array_equal(sampled.rgb, both(frame)[0].rgb)


@pytest.mark.parametrize(
    "pixel_format", ["rgb24", "bgra", "gray", "yuv411p", "yuva420p", "yuv420p12le", "gbrp"]
)
def test_other_formats_are_converted_exactly(pixel_format: str) -> None:
    sampled, exact = both(frame_of(smooth(*SIZE), pixel_format))
    assert isinstance(sampled, RgbPicture)
    np.testing.assert_array_equal(sampled.rgb, exact)


@pytest.mark.parametrize("space", [4, 7])
def test_colours_of_other_matrices_are_converted_exactly(space: int) -> None:
    sampled, exact = both(frame_of(smooth(*SIZE), space=space))
    assert isinstance(sampled, RgbPicture)
    np.testing.assert_array_equal(sampled.rgb, exact)


def test_hdr_is_tone_mapped(tmp_path: Path) -> None:
    path = hdr_video(tmp_path / "hdr.mp4", [smooth(64, 48)], "pq")
    index = probe(path)
    (sampled,) = decode(path, index, Chunk(0, 1), planes=True)
    (exact,) = decode(path, index, Chunk(0, 1))
    assert isinstance(sampled.picture, RgbPicture)
    np.testing.assert_array_equal(sampled.rgb, exact.rgb)


def test_frames_of_another_size_than_the_first_are_converted_exactly(tmp_path: Path) -> None:
    path = film(tmp_path / "turned.ts", [(160, 240), (240, 160)], frames=3)
    index = probe(path)
    sampled = [*decode(path, index, Chunk(0, 6), planes=True)]
    exact = [*decode(path, index, Chunk(0, 6))]
    kinds = [type(frame.picture) for frame in sampled]
    assert kinds == [PlanePicture] * 3 + [RgbPicture] * 3
    for one, other in zip(sampled[3:], exact[3:], strict=True):
        np.testing.assert_array_equal(one.rgb, other.rgb)
        assert one.own_size == other.own_size == (240, 160)


def test_kept_frames_stay_as_they_are_while_decoding_goes_on(shared_data: Path) -> None:
    """Their planes are not copied, and the decoder goes on to use its memory."""
    path = shared_data / "videos" / "single_person.mp4"
    index = probe(path)
    window = window_of(np.array([540, 960, 1400, 0.1], np.float32), (128, 128))
    at_once, kept = [], []
    for frame in decode(path, index, Chunk(0, len(index)), planes=True):
        at_once.append(frame.picture.crop(window, "replicate"))
        kept.append(frame.picture)
    for before, picture in zip(at_once, kept, strict=True):
        np.testing.assert_array_equal(picture.crop(window, "replicate"), before)


def test_pictures_do_not_depend_on_where_decoding_begins(shared_data: Path) -> None:
    path = shared_data / "videos" / "two_people.mp4"
    index = probe(path)
    window = window_of(np.array([540, 960, 1400, 0.1], np.float32), (128, 128))
    whole = [*decode(path, index, Chunk(0, 70), planes=True)]
    for start in (1, 37, 69):
        later = decode(path, index, Chunk(start, 70), planes=True)
        for one, other in zip(later, whole[start:], strict=True):
            np.testing.assert_array_equal(
                one.picture.crop(window, "replicate"), other.picture.crop(window, "replicate")
            )
