"""Videos that we write are the frames and times that we gave."""

import resource
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.errors import ExitCode, OutputError, VideoError
from annotate.domain.video import Chunk, VideoIndex
from annotate.video import VideoWriter, decode, probe
from annotate.video.writer import Encoding, roomy_time_base
from tests.made_videos import number_of, picture
from tests.scheduling import kept_ordinary

FRAMES = 20
TIME_TOLERANCE_S = 0.001  # MKV keeps milliseconds
LOSSY_TOLERANCE = 6.0  # mean difference of 8-bit values after x264 with its defaults
X265 = {"x265-params": "log-level=none"}


def write(
    path: Path,
    encoding: Encoding | None = None,
    size: tuple[int, int] = (160, 120),
    times_s: Sequence[float | None] = (None,) * FRAMES,
) -> None:
    with VideoWriter(path, encoding) as video:
        for number, time_s in enumerate(times_s):
            video.write(picture(number, *size), time_s)


def read(path: Path) -> tuple[VideoIndex, list[NDArray[np.uint8]]]:
    index = probe(path)
    return index, [frame.rgb for frame in decode(path, index, Chunk(0, len(index)))]


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("a.mp4", Encoding()),
        ("a.mkv", Encoding(fps=Fraction(30000, 1001))),
        ("a.mov", Encoding(fps=Fraction(60), gop=5, options={"preset": "ultrafast"})),
        ("a.mp4", Encoding("libx265", options=X265)),
        ("a.webm", Encoding("libvpx-vp9", options={"cpu-used": "8"})),
        ("a.avi", Encoding("mpeg4", fps=Fraction(24))),
        ("a.avi", Encoding("ffv1", pix_fmt="bgr0")),
    ],
    ids=lambda value: value if isinstance(value, str) else value.codec,
)
def test_frames_come_back_in_order_and_in_time(
    name: str, encoding: Encoding, tmp_path: Path
) -> None:
    write(tmp_path / name, encoding)
    index, frames = read(tmp_path / name)
    assert [number_of(rgb) for rgb in frames] == list(range(FRAMES))
    times_s = np.arange(FRAMES) / float(encoding.fps)
    np.testing.assert_allclose(index.time_s, times_s, atol=TIME_TOLERANCE_S)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_lossless_video_gives_the_same_pixels(tmp_path: Path) -> None:
    write(tmp_path / "a.mkv", Encoding("ffv1", pix_fmt="bgr0"))
    _, frames = read(tmp_path / "a.mkv")
    np.testing.assert_array_equal(frames, [picture(n, 160, 120) for n in range(FRAMES)])


def test_colours_come_back(tmp_path: Path) -> None:
    flat = np.zeros((64, 64, 3), np.uint8)
    flat[:, :32], flat[:, 32:] = (200, 40, 90), (30, 160, 220)
    with VideoWriter(tmp_path / "a.mp4") as video:
        video.write(flat)
    _, [rgb] = read(tmp_path / "a.mp4")
    assert np.abs(rgb.astype(int) - flat).mean() < LOSSY_TOLERANCE


@pytest.mark.parametrize("rotation", [90, 180, 270])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_rotated_video_is_stored_turned_and_displayed_upright(
    rotation: int, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a{suffix}"
    write(path, Encoding(rotation=rotation), size=(160, 100))
    index, frames = read(path)
    assert (index.width, index.height, index.rotation) == (160, 100, rotation)
    assert [number_of(rgb) for rgb in frames] == list(range(FRAMES))


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.mp4", "mpeg4")]
)
def test_explicit_times_make_a_variable_frame_rate(name: str, codec: str, tmp_path: Path) -> None:
    times_s = np.cumsum([0, 0.1, 0.02, 0.033, 0.5, 0.04, 1 / 60, 0.1]).tolist()
    write(tmp_path / name, Encoding(codec), times_s=times_s)
    index, frames = read(tmp_path / name)
    np.testing.assert_allclose(index.time_s, times_s, atol=TIME_TOLERANCE_S)
    assert [number_of(rgb) for rgb in frames] == list(range(len(times_s)))


def test_gop_bounds_the_distance_of_keyframes(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", Encoding(gop=6))
    assert probe(tmp_path / "a.mp4").keyframes.tolist() == [0, 6, 12, 18]


@pytest.mark.parametrize(
    "encoding",
    [
        Encoding(),
        Encoding("libx265", options=X265),
        Encoding("libsvtav1", options={"preset": "12"}),
    ],
    ids=lambda encoding: encoding.codec,
)
def test_same_frames_give_the_same_bytes(encoding: Encoding, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        with kept_ordinary():
            write(tmp_path / name, encoding)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_nothing_is_left_where_the_block_ends_in_an_error(tmp_path: Path) -> None:
    old = tmp_path / "a.mp4"
    old.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="the renderer fails"):  # noqa: PT012, SIM117
        with VideoWriter(old) as video:
            video.write(picture(0, 160, 120))
            raise RuntimeError("the renderer fails")
    assert old.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [old]


@pytest.mark.parametrize(
    ("name", "encoding", "size"),
    [
        ("a.mp4", Encoding(), (161, 121)),
        ("a.mp4", Encoding("no-such-codec"), (160, 120)),
        ("a.mp4", Encoding("aac"), (160, 120)),
        ("a.webm", Encoding("libx264"), (160, 120)),
        ("a.unknown", Encoding(), (160, 120)),
        ("no/folder/a.mp4", Encoding(), (160, 120)),
    ],
    ids=[
        "odd sides in 4:2:0",
        "unknown encoder",
        "encoder of sound",
        "encoder that the container does not take",
        "unknown ending",
        "missing folder",
    ],
)
def test_what_cannot_be_written_is_an_error_with_a_next_step(
    name: str, encoding: Encoding, size: tuple[int, int], tmp_path: Path
) -> None:
    with pytest.raises(VideoError, match="cannot be written") as caught:
        write(tmp_path / name, encoding, size)
    assert str(tmp_path / name) in caught.value.message
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
def test_a_full_disk_is_no_error_of_a_video(tmp_path: Path, name: str) -> None:
    """A limit of the process stands for the end of the disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        with pytest.raises(OutputError, match="cannot be written") as caught:
            write(tmp_path / name, Encoding("mpeg4"), times_s=(None,) * 200)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.exit_code == ExitCode.STORE
    assert list(tmp_path.iterdir()) == []


def test_video_without_frames_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no frame"):
        write(tmp_path / "a.mp4", times_s=())
    assert list(tmp_path.iterdir()) == []


def test_times_for_some_frames_only_are_an_error_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="every frame"):
        write(tmp_path / "a.mp4", times_s=(0.0, None))


def test_days_between_frames_fit_into_a_video(tmp_path: Path) -> None:
    """Time-lapses: MP4 has 31 bits for what is between frames, and encoders reorder them."""
    times_s = np.arange(40, dtype=np.float64) * 86_400
    base = roomy_time_base(Fraction(1, 10_000), times_s)
    path = tmp_path / "lapse.mp4"
    with VideoWriter(path, Encoding(time_base=base)) as video:
        for time_s in times_s:
            video.write(np.zeros((64, 64, 3), np.uint8), float(time_s))
    np.testing.assert_allclose(probe(path).time_s, times_s, atol=0.001)
    assert roomy_time_base(Fraction(1, 10_000), np.arange(9, dtype=np.float64)) == Fraction(
        1, 10_000
    )
    assert roomy_time_base(Fraction(1, 10_000), np.zeros(1)) == Fraction(1, 10_000)
