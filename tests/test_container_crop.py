"""What a container cuts off the stored frame is not displayed: Matroska's PixelCrop, MP4's clap.

The files are made by writing the element or box into a sound file; the truth is the same part of
the picture that is decoded without it.
"""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from annotate.domain.video import NO_CROP, Chunk, Crop, Display
from annotate.store import open_store
from annotate.video import VideoWriter, decode, first_frames, probe
from annotate.video.container_crop import clean_aperture, matroska_crop
from annotate.video.picture import RgbConverter
from annotate.video.playable import media_type
from annotate.video.writer import Encoding
from tests.made_videos import LAYOUTS

CROP = Crop(left=10, top=6, right=20, bottom=4)


def with_pixel_crop(path: Path, crop: Crop = CROP) -> Path:
    """Writes PixelCrop elements in place of the track's id and language, which nothing needs."""
    data = path.read_bytes()
    entry = data.index(b"\xae", data.index(b"\x16\x54\xae\x6b") + 4)
    uid, language = data.index(b"\x73\xc5\x88", entry), data.index(b"\x22\xb5\x9c\x83", entry)
    video = data.index(b"\xe0", language + 7)
    size, length = data[video + 1], 1
    if size == 1:  # eight bytes
        size, length = int.from_bytes(data[video + 2 : video + 9], "big") | 0x80, 8
    content = video + 1 + length
    end = content + (size & 0x7F)
    sides = {0x54CC: crop.left, 0x54BB: crop.top, 0x54DD: crop.right, 0x54AA: crop.bottom}
    added = b"".join(b"%c%c\x81%c" % (one >> 8, one & 255, by) for one, by in sides.items())
    room = 11 + 7 - len(added)
    longer = (size & 0x7F) + len(added)
    header = bytes([0x80 | longer]) if length == 1 else b"\1" + longer.to_bytes(7, "big")
    rest = data[entry:uid] + data[uid + 11 : language] + data[language + 7 : video + 1] + header
    void = b"\xec" + bytes([0x80 | room - 2]) + bytes(room - 2)
    made = data[:entry] + rest + data[content:end] + added + void + data[end:]
    assert len(made) == len(data)
    target = path.with_stem("cropped")
    target.write_bytes(made)
    return target


def with_clap(path: Path, *words: int) -> Path:
    """Adds a clean aperture of these numbers to the first track of a file that ends with `moov`."""
    data = bytearray(path.read_bytes())
    at, places = 0, []
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
        at = data.index(kind, at) - 4
        places.append(at)
        at += 8
    places.append(at + 8)  # the first entry
    end = places[-1] + int.from_bytes(data[places[-1] : places[-1] + 4], "big")
    box = b"clap" + b"".join(word.to_bytes(4, "big", signed=word < 0) for word in words)
    data[end:end] = (len(box) + 4).to_bytes(4, "big") + box
    for place in places:
        size = int.from_bytes(data[place : place + 4], "big") + len(box) + 4
        data[place : place + 4] = size.to_bytes(4, "big")
    target = path.with_stem("aperture")
    target.write_bytes(data)
    return target


def pictures(path: Path) -> list[NDArray[np.uint8]]:
    index = probe(path)
    return [frame.rgb for frame in decode(path, index, Chunk(0, len(index)))]


def check_part(cropped: Path, plain: Path, crop: Crop) -> None:
    whole, part = pictures(plain), pictures(cropped)
    height, width = whole[0].shape[:2]
    index = probe(cropped)
    assert index.crop == crop
    assert (index.width, index.height) == (
        width - crop.left - crop.right,
        height - crop.top - crop.bottom,
    )
    assert len(part) == len(whole)
    rows = slice(crop.top, height - crop.bottom)
    columns = slice(crop.left, width - crop.right)
    assert all(np.array_equal(a, b[rows, columns]) for a, b in zip(part, whole, strict=True))


@pytest.fixture
def mkv(tmp_path: Path) -> Path:
    return LAYOUTS["H.264 in MKV"].make(tmp_path / "film.mkv").path


@pytest.fixture
def mp4(tmp_path: Path) -> Path:
    return LAYOUTS["H.264 with B-frames in MP4"].make(tmp_path / "film.mp4").path


def test_the_pixel_crop_of_matroska(mkv: Path, tmp_path: Path) -> None:
    cropped = with_pixel_crop(mkv)
    check_part(cropped, mkv, CROP)
    index, store = probe(cropped), open_store(str(tmp_path / "store"))
    store.write_index(index)
    assert store.read_index(index.fingerprint).crop == CROP
    assert media_type(cropped, index) is None, "browsers show the whole frame"


def test_the_clean_aperture_of_mp4(mp4: Path) -> None:
    height, width = pictures(mp4)[0].shape[:2]
    check_part(with_clap(mp4, width - 30, 1, height - 10, 1, -5, 1, 1, 1), mp4, CROP)
    half = (2 * (width - 5), 2, height, 1, 1, 2, 0, 1)
    assert probe(with_clap(mp4, *half)).crop == Crop(left=3, right=2)


@pytest.mark.parametrize(
    "words",
    [
        (0, 1, 10, 1, 0, 1, 0, 1),
        (10, 0, 10, 1, 0, 1, 0, 1),
        (9999, 1, 10, 1, 0, 1, 0, 1),
        (20, 1, 20, 1, 9999, 1, 0, 1),
    ],
    ids=["no width", "divided by 0", "wider than the frame", "outside the frame"],
)
def test_an_impossible_aperture_crops_nothing(mp4: Path, words: tuple[int, ...]) -> None:
    assert probe(with_clap(mp4, *words)).crop == NO_CROP


def test_a_crop_that_leaves_nothing_is_none(mkv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames may be smaller than what the container says of them."""
    monkeypatch.setattr(first_frames, "matroska_crop", lambda *_: Crop(9999, 0, 0, 0))
    assert probe(mkv).crop == NO_CROP
    small = VideoFrame.from_ndarray(np.full((40, 40, 3), 200, np.uint8), format="rgb24")
    shown = RgbConverter(Display(40, 40, crop=Crop(left=60))).rgb(small)
    assert shown.shape == (40, 40, 3)
    assert shown.min() > 190


def test_a_cropped_picture_is_turned_after_that(tmp_path: Path) -> None:
    path = tmp_path / "turned.mp4"
    noise = np.random.default_rng(1).integers(0, 255, (60, 40, 3), np.uint8)
    picture = np.kron(noise, np.ones((4, 4, 1), np.uint8))
    with VideoWriter(path, Encoding(fps=Fraction(25), rotation=90)) as video:
        for _ in range(3):
            video.write(picture)
    plain = pictures(path)[0]
    assert plain.shape == (240, 160, 3)
    cropped = with_clap(path, 240 - 30, 1, 160 - 10, 1, -5, 1, 1, 1)
    stored = np.rot90(plain)
    expected = np.rot90(stored[6 : 160 - 4, 10 : 240 - 20], -1)
    assert np.array_equal(pictures(cropped)[0], expected)


@pytest.mark.parametrize("name", ["H.264 in MKV", "H.264 with B-frames in MP4"])
def test_damage_crops_nothing_and_raises_nothing(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    path = layout.make(tmp_path / f"film{layout.suffix}").path
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for cut in (*range(0, 400, 7), *rng.integers(0, len(whole), 20).tolist()):
        damaged = bytearray(whole[:cut] if cut % 2 else whole)
        for _ in range(cut % 5):
            if damaged:
                damaged[int(rng.integers(len(damaged)))] = int(rng.integers(256))
        path.write_bytes(damaged)
        found = matroska_crop(path, 0), clean_aperture(path, 1, (160, 120))
        assert all(len(crop) == len(NO_CROP) for crop in found)
