"""Tracks that go over to another person, or never leave another one's body."""

from dataclasses import replace

import numpy as np
import pytest

from annotate.domain.arrays import IntArray
from annotate.domain.merge_settings import MergeSettings
from annotate.merge.doubles import is_double
from annotate.merge.links import find_links
from annotate.merge.pose_table import PoseTable, pose_table
from annotate.merge.slides import is_slide, may_be_slide
from tests.made_tracks import (
    HEIGHT_PX,
    SKELETON,
    Walker,
    hidden,
    merged,
    poses_of,
    steady,
    walker,
)
from tests.test_merge_turns import tracks_of

SETTINGS = MergeSettings()
FPS = 30
TIME_S = steady(4, FPS)
# From one person to another: far beyond a step, and near enough that the poses look alike.
JUMP_PX = 0.1 * HEIGHT_PX


def ids(*people: Walker, noise: float = 0.0) -> list[int]:
    """The track ids of the merge, for people with so much noise in their colours."""
    poses = poses_of([*people], TIME_S, noise_px=1)
    random = np.random.default_rng(3)
    poses.appearance[:] += random.normal(0, noise, poses.appearance.shape).astype(np.float32)
    return sorted(set(merged([poses]).track_id.tolist()))


def two_in_turn(cut: int, colour: float, jump: float) -> tuple[Walker, Walker]:
    """A person to the frame `cut`, and what is seen from there on, in another colour and place."""
    one, two = walker(TIME_S, (500, 800)), walker(TIME_S, (500 + jump, 800 + jump))
    return hidden(one, (cut, len(TIME_S))), hidden(replace(two, colour=colour), (0, cut))


def test_a_track_that_goes_over_to_another_person_is_split() -> None:
    assert ids(*two_in_turn(60, 160, JUMP_PX), noise=4) == [1, 2]


@pytest.mark.parametrize(
    ("cut", "colour", "jump", "noise"),
    [
        (60, 160, 0, 4),
        (60, 90, JUMP_PX, 4),
        (60, 120, JUMP_PX, 20),
        (114, 160, JUMP_PX, 4),
    ],
    ids=["another light", "a jump", "colours that change all the time", "a few poses"],
)
def test_what_may_be_one_person_is_not_split(
    cut: int, colour: float, jump: float, noise: float
) -> None:
    assert ids(*two_in_turn(cut, colour, jump), noise=noise) == [1]


def test_a_person_who_comes_back_beside_whoever_took_their_place_is_the_first_one() -> None:
    first = hidden(walker(TIME_S, (500, 500)), (60, 85))
    first.xy[85:, :, 0] += 140
    second = hidden(replace(walker(TIME_S, (505, 505)), colour=180.0), (0, 60), (110, 120))
    tracks = merged([poses_of([first, second], TIME_S, noise_px=1)])
    assert tracks.track_id[tracks.frame_index == 30].tolist() == [1]
    assert tracks.track_id[tracks.frame_index == 119].tolist() == [1]
    assert set(tracks.track_id) == {1, 2}


def links(*places: tuple[int, int, float]) -> dict[int, int]:
    return find_links(tracks_of(*places), 1 / FPS, SETTINGS)


@pytest.mark.parametrize(
    ("beside", "linked"),
    [((0, 5, 900), {1: 0, 2: 1}), ((24, 40, 300), {2: 0})],
    ids=["alone", "with another one near"],
)
def test_a_person_alone_in_another_light_is_the_same(
    beside: tuple[int, int, float], linked: dict[int, int]
) -> None:
    """They come back at another place, so that their way does not lead past the second track."""
    tracks = tracks_of((0, 30, 500), (30, 45, 500), (52, 59, 660), beside)
    tracks.table.appearance[tracks.rows[1]] = 180
    tracks.table.ambiguous[tracks.rows[1][0]] = True
    found = find_links(tracks, 1 / FPS, SETTINGS)
    assert {n: found[n] for n in found if n < 3} == linked


def test_a_few_poses_lengthen_the_track_that_ends_before_them_or_begins_after_them() -> None:
    beside = (20, 40, 590)
    assert links((0, 30, 500), (30, 33, 500), beside) == {1: 0}
    assert links((33, 60, 500), (30, 33, 500), beside) == {0: 1}


def test_a_few_poses_with_a_gap_lengthen_no_track() -> None:
    assert links((0, 30, 500), (36, 39, 500), (20, 45, 590)) == {}


def double(start: int, stop: int, height: float = 1.3) -> Walker:
    """A second, taller pose about a person's body in the frames `[start, stop)`."""
    taller = walker(TIME_S, (500, 900), height=height * HEIGHT_PX)
    return hidden(taller, (0, start), (stop, len(TIME_S)))


def test_a_short_track_that_never_leaves_the_body_of_another_one_is_dropped() -> None:
    assert ids(walker(TIME_S, (500, 900)), double(40, 70)) == [1]


@pytest.mark.parametrize(
    "person",
    [
        double(20, 100),
        replace(double(40, 70), xy=np.add(double(40, 70).xy, [60.0, 0.0])),
    ],
    ids=["for long", "beside it"],
)
def test_a_track_that_may_be_a_person_is_kept(person: Walker) -> None:
    assert ids(walker(TIME_S, (500, 900)), person) == [1, 2]


def test_a_person_before_several_others_in_turn_is_no_double() -> None:
    person = walker(TIME_S, (500, 900))
    table = table_of(double(40, 70), hidden(person, (0, 40), (54, 120)), hidden(person, (0, 54)))
    tall = np.ptp(table.keypoints[:, :, 1], axis=1) > 1.1 * HEIGHT_PX
    table = replace(table, track=np.where(tall, 0, np.where(table.frame < 54, 1, 2)))
    own = np.flatnonzero(tall)
    assert not is_double(table, own, {}, SETTINGS.link)
    assert is_double(table, own, {2: 1}, SETTINGS.link), "the others are one"


def table_of(*people: Walker) -> PoseTable:
    return pose_table(poses_of([*people], TIME_S), SETTINGS.pose, SKELETON)


def moving(last_step: float, at: int = 60) -> tuple[PoseTable, IntArray]:
    """A person who goes to the right by 3 px a frame, and once by so many times as much."""
    one = walker(TIME_S, (500, 500 + 3 * (len(TIME_S) - 1)))
    xy = one.xy.copy()
    xy[at:, :, 0] += 3 * (last_step - 1)
    table = table_of(replace(one, xy=xy))
    return table, np.arange(len(table))


@pytest.mark.parametrize(("steps", "found"), [(2.4, False), (2.6, True)])
def test_another_person_may_begin_where_the_trunk_jumps(steps: float, found: bool) -> None:
    table, rows = moving(steps)
    assert may_be_slide(table, rows, 62, SETTINGS.swap) == found


@pytest.mark.parametrize(("apart_px", "found"), [(460, False), (440, True)])
def test_another_person_may_begin_where_another_pose_is_near(apart_px: float, found: bool) -> None:
    """450 px are 0.6 of the ROI's side."""
    table = table_of(walker(TIME_S, (300, 300)), walker(TIME_S, (300 + apart_px,) * 2))
    rows = np.flatnonzero(table.hip[:, 0] < 301)
    assert may_be_slide(table, rows, int(rows[60]), SETTINGS.swap) == found


def slides(steps: float, change: float, scatter: float = 0.0, cut: int = 60) -> bool:
    table, rows = moving(steps, cut)
    table.appearance[:] = 90
    table.appearance[cut:] += change
    table.appearance[::2] += scatter
    table.appearance[1::2] -= scatter
    return is_slide(table, rows[:cut], rows[cut:], SETTINGS.swap)


@pytest.mark.parametrize(
    ("steps", "change", "scatter", "cut", "found"),
    [
        (4.1, 40, 0, 60, True),
        (3.9, 40, 0, 60, False),
        (9, 15.1, 0, 60, True),
        (9, 14.9, 0, 60, False),
        (9, 40, 9.9, 60, True),
        (9, 40, 10.1, 60, False),
        (9, 40, 0, 7, True),
        (9, 40, 0, 6, False),
        (9, 40, 0, 113, True),
        (9, 40, 0, 114, False),
    ],
)
def test_a_track_is_surely_another_persons_after_a_jump_to_other_steady_colours(
    steps: float, change: float, scatter: float, cut: int, found: bool
) -> None:
    assert slides(steps, change, scatter, cut) == found


def test_small_steps_and_small_scatter_are_noise() -> None:
    assert not is_slide(*standing(2.9), SETTINGS.swap)
    assert is_slide(*standing(6.1), SETTINGS.swap)
    least = replace(SETTINGS.swap, min_difference=1.0)
    table, rows = moving(9)
    for change, found in ((7.9, False), (8.1, True)):
        table.appearance[:] = 90
        table.appearance[60:] += change
        assert is_slide(table, rows[:60], rows[60:], least) == found


def standing(jump_px: float) -> tuple[PoseTable, IntArray, IntArray]:
    """A person who stands and once moves a little; 1.5 px are the least usual step."""
    one = walker(TIME_S, (500, 500))
    xy = one.xy.copy()
    xy[60:, :, 0] += jump_px
    table = table_of(replace(one, xy=xy))
    table.appearance[60:] += 40
    return table, np.arange(60), np.arange(60, len(table))
