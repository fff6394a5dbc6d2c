"""Numbered images, and animated WebP, are the frames of one video."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL import ImageSequence as Animation

from annotate.domain.errors import UsageError
from annotate.domain.images import ImageSequence
from annotate.domain.job import Rejected
from annotate.domain.options import SubmitOptions
from annotate.domain.progress import silent
from annotate.domain.settings import settings_from
from annotate.domain.video import Chunk, DamagedFrame, Frame, VideoIndex
from annotate.store import Store, known_files, open_store
from annotate.use_cases import read_images
from annotate.use_cases.find_videos import find_videos
from annotate.use_cases.read_videos import ReadVideo, read_videos
from annotate.video import decode_with_damage, joined
from tests.in_process import InProcess, cheap_work
from tests.made_videos import BITS, SQUARE, number_of, picture

SIZE = (BITS * SQUARE, 4 * SQUARE)
COUNT = 6
# Decoders of lossy formats differ by rounding, in levels of 255; chroma is scaled differently.
LOSSY_LEVELS = {".jpg": 3.0, ".webp": 6.0, ".png": 0.0, ".tif": 0.0}


def make(folder: Path, names: list[str], size: tuple[int, int] = SIZE) -> Path:
    """Images that carry their place among `names`."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, name in enumerate(names):
        Image.fromarray(picture(place, *size)).save(folder / name)
    return folder


class Reading:
    """Reads on one host, and counts how often images are joined."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store: Store = open_store(str(folder / "store"))
        self.settings = settings_from({"ANNOTATE_CACHE": str(folder / "cache")})
        self.joined = 0
        monkeypatch.setattr(read_images, "joined", self._join)
        # Files of this test have only just been made.
        monkeypatch.setattr(known_files, "SETTLED_S", -60.0)

    def _join(self, *arguments: Any) -> None:
        self.joined += 1
        joined(*arguments)

    def __call__(self, *named: str | Path, fps: float | None = None) -> ReadVideo:
        options = SubmitOptions(assume_fps=fps)
        found = find_videos(named).videos
        (one,) = read_videos(self.store, found, options, self.settings, silent)
        assert isinstance(one, ReadVideo), one
        return one

    def frames(self, index: VideoIndex) -> list[Frame | DamagedFrame]:
        path = self.store.source_path(index.fingerprint)
        assert path is not None
        return list(decode_with_damage(path, index, Chunk(0, len(index))))


@pytest.fixture
def reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reading:
    return Reading(tmp_path, monkeypatch)


def pictures(frames: list[Frame | DamagedFrame]) -> list[NDArray[np.uint8]]:
    return [frame.rgb for frame in frames if isinstance(frame, Frame)]


@pytest.mark.parametrize("suffix", LOSSY_LEVELS)
def test_every_format_of_images_is_read_as_it_is(
    suffix: str, tmp_path: Path, reading: Reading
) -> None:
    folder = make(tmp_path / "walk", [f"{n:05d}{suffix}" for n in range(COUNT)])
    index = reading(folder, fps=25).index
    assert (len(index), index.width, index.height, index.fps) == (COUNT, *SIZE, 25.0)
    assert len(index.keyframes) == COUNT
    shown = pictures(reading.frames(index))
    for name, rgb in zip(sorted(folder.iterdir()), shown, strict=True):
        truth = np.asarray(Image.open(name).convert("RGB")).astype(float)
        assert np.abs(truth - rgb).mean() <= LOSSY_LEVELS[suffix]
    assert [number_of(rgb) for rgb in shown] == list(range(COUNT))


def test_a_pattern_a_folder_and_the_images_themselves_are_one_video(
    tmp_path: Path, reading: Reading
) -> None:
    folder = make(tmp_path / "walk", [f"f_{n:03d}.png" for n in range(COUNT)])
    first = reading(folder).index
    assert first.assumed_fps == 30.0
    assert reading(folder / "f_%03d.png").index.fingerprint == first.fingerprint
    assert reading(*sorted(folder.iterdir())).index.fingerprint == first.fingerprint
    with pytest.raises(UsageError, match="no image is named like"):
        find_videos([folder / "f_%05d.png"])
    with pytest.raises(UsageError, match="no such file"):
        find_videos([tmp_path / "away" / "%05d.png"])


def test_numbers_are_sorted_as_numbers_and_missing_ones_leave_their_time(
    tmp_path: Path, reading: Reading
) -> None:
    folder = make(tmp_path / "walk", [f"{n}.png" for n in (9, 10, 11, 14)])
    read = reading(folder, fps=10)
    assert read.index.time_s.tolist() == pytest.approx([0.0, 0.1, 0.2, 0.5])
    assert read.index.image_gaps == 2
    assert [number_of(rgb) for rgb in pictures(reading.frames(read.index))] == [0, 1, 2, 3]


def test_numbers_that_do_not_count_frames_are_no_clock(tmp_path: Path, reading: Reading) -> None:
    names = [f"{n}.png" for n in (1700000000017, 1700000000050, 1700000000084)]
    index = reading(make(tmp_path / "walk", names), fps=10).index
    assert index.time_s.tolist() == pytest.approx([0.0, 0.1, 0.2])


def test_images_of_several_formats_and_sizes_are_fitted(tmp_path: Path, reading: Reading) -> None:
    folder = make(tmp_path / "walk", ["0.png", "1.png"])
    Image.fromarray(picture(2, SIZE[0], 96)).save(folder / "2.png", format="JPEG")
    index = reading(folder).index
    frames = reading.frames(index)
    assert [frame.rgb.shape[1::-1] for frame in frames if isinstance(frame, Frame)] == [SIZE] * 3
    assert isinstance(frames[2], Frame)
    assert frames[2].own_size == (SIZE[0], 96)


def test_a_damaged_image_is_a_damaged_frame(tmp_path: Path, reading: Reading) -> None:
    folder = make(tmp_path / "walk", [f"{n:05d}.jpg" for n in range(COUNT)])
    (folder / "00002.jpg").write_bytes(b"\xff\xd8\xff no image")
    (folder / "00004.jpg").write_bytes(b"#EXTM3U\nhttp://127.0.0.1:9/x.ts\n")
    index = reading(folder).index
    damaged = [frame.index for frame in reading.frames(index) if isinstance(frame, DamagedFrame)]
    assert damaged == [2, 4]


def test_an_empty_image_is_a_damaged_frame(tmp_path: Path, reading: Reading) -> None:
    folder = make(tmp_path / "walk", [f"{n:05d}.jpg" for n in range(COUNT)])
    for number in (0, 3):
        (folder / f"{number:05d}.jpg").write_bytes(b"")
    read = reading(folder)
    frames = reading.frames(read.index)
    damaged = [frame.index for frame in frames if isinstance(frame, DamagedFrame)]
    assert damaged == [0, 3]
    assert read.index.codec == "mjpeg", "the others stay as they are"
    assert [number_of(rgb) for rgb in pictures(frames)] == [1, 2, 4, 5]


def test_images_that_are_all_empty_are_rejected(tmp_path: Path, reading: Reading) -> None:
    folder = make(tmp_path / "walk", [])
    for number in range(COUNT):
        (folder / f"{number:05d}.jpg").write_bytes(b"")
    found = find_videos([folder]).videos
    (one,) = read_videos(reading.store, found, SubmitOptions(), reading.settings, silent)
    assert not isinstance(one, ReadVideo)
    assert "can be decoded" in str(one)


def test_images_are_joined_once_and_again_when_one_changes(
    tmp_path: Path, reading: Reading
) -> None:
    folder = make(tmp_path / "walk", [f"{n:05d}.png" for n in range(COUNT)])
    first = reading(folder).index
    assert reading(folder).index.fingerprint == first.fingerprint
    assert reading.joined == 1
    assert reading(folder, fps=5).index.fingerprint != first.fingerprint
    assert reading.joined == 2
    Image.fromarray(picture(9, *SIZE)).save(folder / "00003.png")
    assert reading(folder).index.fingerprint != first.fingerprint
    assert reading.joined == 3
    # Another folder with the same images is the same video, wherever it lies.
    shutil.copytree(folder, tmp_path / "copy")
    copy = reading(tmp_path / "copy").index
    assert copy.fingerprint == reading(folder).index.fingerprint


def test_a_joined_video_that_the_store_lost_is_joined_again(
    tmp_path: Path, reading: Reading
) -> None:
    folder = make(tmp_path / "walk", [f"{n:05d}.png" for n in range(COUNT)])
    index = reading(folder).index
    path = reading.store.source_path(index.fingerprint)
    assert path is not None
    path.unlink()
    reading(folder)
    assert path.stat().st_size == index.size_bytes
    assert not list((tmp_path / "cache" / "images").iterdir())


def test_images_beside_videos_are_left_out_unless_they_are_named(tmp_path: Path) -> None:
    folder = make(tmp_path / "both", ["00001.png", "00002.png"])
    (folder / "clip.mp4").write_bytes(b"a video")
    make(folder / "left", ["00001.png", "00002.png"])
    make(folder / "single", ["cover.png", "7.jpg"])
    found = find_videos([folder])
    assert [str(one) for one in found.videos] == [
        str(folder / "clip.mp4"),
        str(folder / "left" / "%05d.png"),
    ]
    assert {(Path(one.path).name, one.reason) for one in found.left_out} == {
        ("00001.png", "an image beside videos"),
        ("00002.png", "an image beside videos"),
        ("cover.png", "a single image"),
        ("7.jpg", "a single image"),
    }
    assert len(find_videos([folder / "%05d.png"]).videos) == 1


def test_sequences_of_one_folder_are_told_apart(tmp_path: Path) -> None:
    names = [f"{side}_{n}.png" for side in ("left", "right") for n in (1, 2)]
    found = find_videos([make(tmp_path / "two", [*names, "left_01.png"])])
    assert [isinstance(one, ImageSequence) and one.title for one in found.videos] == [
        "left.png",
        "right.png",
    ]
    assert [Path(one.path).name for one in found.left_out] == ["left_1.png"]


def test_an_animated_webp_is_read_with_its_own_times(tmp_path: Path, reading: Reading) -> None:
    path = tmp_path / "walk.webp"
    first, *rest = [Image.fromarray(picture(n, *SIZE)) for n in range(COUNT)]
    durations = [40, 40, 80, 40, 120, 40]
    first.save(path, save_all=True, append_images=rest, duration=durations, lossless=True)
    index = reading(path).index
    starts = np.cumsum([0, *durations[:-1]]) / 1000
    assert index.time_s.tolist() == pytest.approx(starts.tolist())
    assert index.assumed_fps is None
    with Image.open(path) as animation:
        truth = [np.asarray(frame.convert("RGB")) for frame in Animation.Iterator(animation)]
    for rgb, expected in zip(pictures(reading.frames(index)), truth, strict=True):
        assert np.array_equal(rgb, expected)


@pytest.mark.parametrize("share", [10, 60, 95])
def test_a_cut_animation_is_rejected(share: int, tmp_path: Path, reading: Reading) -> None:
    path = tmp_path / "walk.webp"
    first, *rest = [Image.fromarray(picture(n, *SIZE)) for n in range(COUNT)]
    first.save(path, save_all=True, append_images=rest)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * share // 100])
    found = find_videos([path]).videos
    (one,) = read_videos(reading.store, found, SubmitOptions(), reading.settings, silent)
    assert isinstance(one, Rejected)
    assert str(path) in one.reason


def test_a_job_of_images_runs_to_its_export(tmp_path: Path, blazepose_pack: Path) -> None:
    host = InProcess(tmp_path / "host", blazepose_pack.parent)
    make(tmp_path / "walk", [f"{n:05d}.png" for n in range(COUNT)])
    with cheap_work():
        said = host.run("submit", tmp_path / "walk", "--assume-fps", "12")
        assert (said.code, said.defect) == (0, None), said.text
        assert "walk: 6 images; 12 a second (see --assume-fps)" in said.text
        _, data = host.exported()
        dataset = json.loads(data)
        assert [one["file_name"] for one in dataset["images"]] == [
            f"walk/frame_{n:06d}.jpg" for n in range(COUNT)
        ]
        assert [one["time_s"] for one in dataset["images"]] == pytest.approx(
            [n / 12 for n in range(COUNT)], abs=1e-5
        )
        probed = host.run("probe", tmp_path / "walk", "--json")
        assert json.loads(probed.text[probed.text.index("{") :])["videos"][0]["image_gaps"] == 0
