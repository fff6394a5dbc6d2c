"""Time stamps that cannot be used: recognised when the video is read, and repaired."""

import json
from fractions import Fraction
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from annotate.domain.arrays import IntArray
from annotate.domain.video import Chunk
from annotate.video import decode, probe
from annotate.video.clock import (
    DEFAULT_FPS,
    MAX_FASTER,
    MAX_FPS,
    MAX_STEP_S,
    are_numbers,
    is_plausible,
    is_regular,
    repaired,
    usable_rate,
    usual_rate,
)
from annotate.video.file import VideoPacket
from annotate.video.packets import NO_PTS
from tests.command import Host
from tests.made_videos import Layout, repacked

MS = Fraction(1, 1000)
STEADY = np.arange(100) * 40


@pytest.mark.parametrize(
    ("name", "frames", "fps"),
    [
        ("03_frames_one_tick_apart.mp4", 100, 60),
        ("04_avi_rate_1000000.avi", 25, 30),
        ("05_clock_jumps_to_unix_epoch.mkv", 100, 60),
        ("16_two_ts_joined.ts", 200, 60),
        ("19_three_frames_per_ms.mkv", 100, 60),
        ("23_one_time_stamp_out_of_order.mkv", 100, 60),
    ],
)
def test_odd_videos_have_all_frames_at_a_usable_rate(
    name: str, frames: int, fps: float, shared_data: Path
) -> None:
    path = shared_data / "cases" / name
    index = probe(path)
    assert len(index) == frames
    assert index.fps == pytest.approx(fps, rel=0.01)
    some = list(decode(path, index, Chunk(frames - 12, frames - 8)))
    assert [frame.index for frame in some] == list(range(frames - 12, frames - 8))


def test_a_jumping_clock_does_not_stop_the_other_videos(
    host: Host, stroll: Path, shared_data: Path
) -> None:
    jumping = shared_data / "cases" / "05_clock_jumps_to_unix_epoch.mkv"
    said = host.run("submit", stroll, jumping, "--fps", "5", "--assume-fps", "50")
    assert "05_clock_jumps_to_unix_epoch.mkv: unusable time stamps; counted at 50" in said.err
    assert "2 of 2 videos done" in said.out
    content = json.loads(host.exported())
    assert len(content["images"]) == 10 + 10


def test_an_assumed_rate_replaces_the_declared_one(shared_data: Path) -> None:
    path = shared_data / "cases" / "04_avi_rate_1000000.avi"
    assert probe(path, assume_fps=12.5).time_s[24] == pytest.approx(24 / 12.5)
    sound = shared_data / "cases" / "08_short_5_frames_30fps.mp4"
    assert probe(sound, assume_fps=12.5).fps == pytest.approx(30)


@pytest.mark.parametrize(
    ("pts", "plausible"),
    [
        (STEADY, True),
        (STEADY[:1], True),
        (np.arange(100), True),  # 1000 frames per second
        (np.append(STEADY, STEADY[-1] + int(MAX_STEP_S * 1000)), True),
        (np.append(STEADY, STEADY[-1] + int(MAX_STEP_S * 1000) + 1), False),
    ],
    ids=["steady", "one frame", "fast", "a long pause", "a jump"],
)
def test_times_of_a_recording_are_plausible(pts: IntArray, plausible: bool) -> None:
    assert is_plausible(pts, MS) is plausible


def test_too_many_frames_per_second_are_not_plausible() -> None:
    assert is_plausible(np.arange(10), Fraction(1, MAX_FPS))
    assert not is_plausible(np.arange(10), Fraction(1, MAX_FPS + 1))


@pytest.mark.parametrize(
    ("step", "declared", "numbers"),
    [
        (1, (Fraction(25), Fraction(1000)), True),  # the codec knows better
        (1, (None, Fraction(1000)), False),  # a camera for slow motion
        (1, (None, Fraction(2000)), False),  # a faster one, at half a millisecond
        (1, (None, None), True),
        (2, (None, None), False),
        (1, (Fraction(1000, MAX_FASTER), None), False),
        (40, (Fraction(25), None), False),
    ],
)
def test_frames_that_are_numbered_are_not_timed(
    step: int, declared: tuple[Fraction | None, ...], numbers: bool
) -> None:
    pts = np.arange(50) * step
    assert are_numbers(pts, MS, *declared) is numbers
    pts[-1] += 1
    assert not are_numbers(pts, MS, *declared), "no two steps of a clock would differ"
    assert not are_numbers(np.full(50, NO_PTS), MS, *declared)


def test_a_matroska_file_with_a_frame_each_millisecond_is_counted(tmp_path: Path) -> None:
    path = Layout(".mkv", frames=20).make(tmp_path / "film.mkv").path
    numbers = count()

    def numbered(packet: VideoPacket) -> list[VideoPacket]:
        packet.pts = packet.dts = next(numbers)
        packet.time_base = MS
        return [packet]

    repacked(path, numbered)
    index = probe(path)
    assert (len(index), index.assumed_fps) == (20, 25)


def test_the_rate_between_jumps_of_the_clock_is_known() -> None:
    jumping = STEADY + 10**12 * (np.arange(100) // 50)
    assert usual_rate(jumping, MS) == 25
    rounded = np.round(np.arange(90) * 1000 / 30).astype(np.int64)
    assert float(usual_rate(rounded, MS) or 0) == pytest.approx(30, rel=0.001)
    uneven = np.cumsum(np.random.default_rng(1).integers(10, 600, 100))
    for pts in (uneven, np.zeros(9, np.int64), np.full(9, NO_PTS), STEADY[::-1]):
        assert usual_rate(pts, MS) is None


def test_one_misplaced_packet_is_seen_and_uneven_times_are_not() -> None:
    assert is_regular(STEADY)
    for shift_ms, regular in ((-255, False), (14, False), (5, True)):
        misplaced = STEADY.copy()
        misplaced[50] += shift_ms
        assert is_regular(misplaced) is regular
    assert is_regular(np.cumsum(np.random.default_rng(1).integers(10, 60, 100)))


def test_a_few_time_stamps_out_of_order_are_interpolated() -> None:
    broken = STEADY.copy()
    broken[[20, 60]], broken[[0, 99]] = [10, NO_PTS], [5000, 0]
    times = repaired(broken, MS, Fraction(25))
    np.testing.assert_array_equal(times.pts, STEADY)
    assert (times.interpolated, times.assumed_fps) == (4, None)


@pytest.mark.parametrize(("place", "wrong"), [(42, 1601), (40, 1641)])
def test_of_two_time_stamps_in_the_wrong_order_the_wrong_one_is_replaced(
    place: int, wrong: int
) -> None:
    """It would leave its place only if its neighbour were as wrong."""
    broken = STEADY.copy()
    broken[place] = wrong
    times = repaired(broken, MS, Fraction(25))
    np.testing.assert_array_equal(times.pts, STEADY)
    assert times.interpolated == 1


@pytest.mark.parametrize(
    "pts",
    [np.zeros(100, np.int64), np.arange(100) // 3, np.tile(STEADY[:50], 2), np.full(9, NO_PTS)],
    ids=["zeros", "three a tick", "twice", "none"],
)
def test_frames_are_counted_where_most_time_stamps_are_wrong(pts: IntArray) -> None:
    times = repaired(pts, MS, Fraction(50))
    np.testing.assert_array_equal(times.pts, np.arange(len(pts)))
    assert (times.time_base, times.assumed_fps) == (Fraction(1, 50), Fraction(50))


def test_the_first_rate_that_a_camera_can_have_is_used() -> None:
    assert usable_rate(None, Fraction(90000), Fraction(25)) == 25
    assert usable_rate(Fraction(1, 100), None) == DEFAULT_FPS
