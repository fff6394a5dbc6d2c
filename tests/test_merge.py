"""Parts to tracks, on walkers whose truth is known."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from annotate.domain import Poses, Tracks
from annotate.merge import MergeSettings, merge
from annotate.merge.changes import changes
from annotate.skeletons import SKELETONS
from tests.made_tracks import HEIGHT_PX, Walker, in_parts, poses_of, walker

SKELETON = SKELETONS["blazepose-33"]
SIZE = (1920, 1080)


def merged(parts: list[Poses], options: MergeSettings | None = None) -> Tracks:
    """All blocks as one."""
    blocks = list(merge(iter(parts), options or MergeSettings(), SKELETON, SIZE))
    assert blocks, "nobody was found"
    return Tracks(
        **{f.name: np.concatenate([getattr(b, f.name) for b in blocks]) for f in fields(Tracks)}
    )


def steady(seconds: float, fps: float) -> NDArray[np.float64]:
    return np.arange(round(seconds * fps)) / fps


def uneven(seconds: float, fps: float) -> NDArray[np.float64]:
    steps = np.random.default_rng(7).uniform(0.5, 1.5, round(seconds * fps)) / fps
    return np.cumsum(steps) - steps[0]


def hidden(one: Walker, *ranges: tuple[int, int]) -> Walker:
    seen = one.seen.copy()
    for start, stop in ranges:
        seen[start:stop] = False
    return replace(one, seen=seen)


def assert_each_is_himself_in_the_end(tracks: Tracks, people: list[Walker]) -> None:
    assert set(tracks.track_id) == set(range(1, len(people) + 1))
    for number, person in enumerate(people, start=1):
        frames, mine = tracks.frame_index, tracks.track_id == number
        last = tracks.smoothed[mine & (frames == len(person.seen) - 1)]
        assert abs(last[0, 23, 0] - person.xy[-1, 23, 0]) < 0.1 * HEIGHT_PX


# Identity


def test_two_people_who_cross_keep_their_ids():
    time_s = steady(6, 30)
    people = [walker(time_s, (200, 1600)), walker(time_s, (1600, 200), y=430, phase=2)]
    tracks = merged([poses_of(people, time_s, noise_px=2)])
    assert set(tracks.track_id) == {1, 2}
    for number, truth in enumerate(people, start=1):
        mine = tracks.smoothed[tracks.track_id == number]
        apart = np.abs(mine[:, 23, 0] - truth.xy[:, 23, 0])
        assert apart.max() < 0.1 * HEIGHT_PX


@pytest.mark.parametrize("away_s", [0.5, 1.0, 1.8, 4.0])
def test_somebody_who_is_hidden_for_less_than_five_seconds_keeps_the_id(away_s: float):
    time_s = steady(9, 30)
    gap = (60, 60 + round(away_s * 30))
    tracks = merged([poses_of([hidden(walker(time_s, (500, 1100)), gap)], time_s, noise_px=1)])
    assert set(tracks.track_id) == {1}


def test_somebody_who_is_hidden_for_longer_comes_back_as_another():
    time_s = steady(12, 30)
    tracks = merged([poses_of([hidden(walker(time_s, (500, 1100)), (60, 230))], time_s)])
    assert set(tracks.track_id) == {1, 2}


def test_two_who_pass_behind_a_pillar_at_the_same_time_go_on_as_themselves():
    time_s = steady(6, 30)
    right, left = walker(time_s, (300, 1500)), walker(time_s, (1500, 300), y=410, phase=2)
    tracks = merged([poses_of([hidden(p, (78, 102)) for p in (right, left)], time_s, noise_px=2)])
    assert set(tracks.track_id) == {1, 2}
    for number, truth in ((1, right), (2, left)):
        mine = tracks.track_id == number
        apart = np.abs(tracks.smoothed[mine, 23, 0] - truth.xy[tracks.frame_index[mine], 23, 0])
        assert apart.max() < 0.1 * HEIGHT_PX


def test_who_hides_another_and_shows_him_again_is_still_himself():
    time_s = steady(6, 30)
    front, behind = walker(time_s, (300, 1500)), walker(time_s, (1500, 300), y=410, phase=2)
    tracks = merged([poses_of([front, hidden(behind, (80, 102))], time_s, noise_px=2)])
    assert set(tracks.track_id) == {1, 2}
    mine = tracks.track_id == 1
    assert mine.sum() == len(time_s)
    assert np.abs(tracks.smoothed[mine, 23, 0] - front.xy[:, 23, 0]).max() < 0.1 * HEIGHT_PX


def test_who_turns_back_out_of_sight_is_the_same():
    time_s = steady(6, 30)
    there, back = walker(time_s, (700, 100)), walker(time_s, (100, 700))
    xy = np.where(time_s[:, None, None] < 3, there.xy, back.xy)
    xy[:, :, 0] -= 300
    one = hidden(replace(there, xy=xy), (75, 105))
    assert set(merged([poses_of([one], time_s, noise_px=1)]).track_id) == {1}


@pytest.mark.parametrize("fps", [5, 12.5, 120])
def test_few_or_many_frames_a_second_do_not_matter(fps: float):
    time_s = steady(8, fps)
    people = [walker(time_s, (300, 800)), walker(time_s, (1500, 1100), y=500, phase=2)]
    tracks = merged([poses_of(people, time_s, noise_px=1)])
    assert set(tracks.track_id) == {1, 2}
    assert len(tracks) == 2 * len(time_s)


@pytest.mark.parametrize(("seconds", "people"), [(1.5, 1), (3.0, 2)], ids=["a leg", "a child"])
def test_what_lies_inside_a_person_is_somebody_only_if_it_lasts(seconds: float, people: int):
    time_s = steady(5, 30)
    small = walker(time_s, (760, 760), y=440, height=0.4 * HEIGHT_PX)
    small = hidden(small, (0, 30), (30 + round(seconds * 30), 150))
    tracks = merged([poses_of([walker(time_s, (760, 760)), small], time_s, noise_px=1)])
    assert len(set(tracks.track_id)) == people


@pytest.mark.parametrize(("seconds", "people"), [(1.5, 1), (3.0, 2)], ids=["for a while", "longer"])
def test_a_distorted_double_of_a_person_is_somebody_only_if_it_lasts(seconds: float, people: int):
    time_s = steady(5, 30)
    one = walker(time_s, (760, 860))
    xy = one.xy.copy()
    xy[:, 23:, 0] -= 0.3 * HEIGHT_PX  # the legs are another's
    double = hidden(replace(one, xy=xy), (0, 30), (30 + round(seconds * 30), 150))
    poses = poses_of([one, double], time_s, noise_px=1)
    second = np.arange(len(poses.score)) - poses.offsets[:-1].repeat(np.diff(poses.offsets)) > 0
    poses.score[second] = 0.8
    assert len(set(merged([poses]).track_id)) == people


@pytest.mark.parametrize(("away_px", "people"), [(0, 1), (120, 2)], ids=["there", "beside it"])
def test_where_somebody_must_have_been_there_is_no_room_for_another(away_px: float, people: int):
    time_s = steady(6, 30)
    stands = walker(time_s, (760, 760))
    # Turned away for a while, he shows other colours.
    turned = walker(time_s, (760 + away_px, 760 + away_px))
    turned = hidden(replace(turned, colour=30.0), (0, 70), (110, 180))
    tracks = merged([poses_of([hidden(stands, (65, 115)), turned], time_s, noise_px=1)])
    assert len(set(tracks.track_id)) == people


def test_who_is_seen_badly_at_first_is_there_from_the_beginning():
    time_s = steady(3, 30)
    poses = poses_of([walker(time_s, (300, 500))], time_s)
    score = poses.score.copy()
    score[:10] = 0.3
    assert len(merged([replace(poses, score=score)])) == len(time_s)


def test_ids_are_numbered_by_first_frame_then_from_left_to_right():
    time_s = steady(3, 30)
    late = hidden(walker(time_s, (300, 350)), (0, 20))
    right, left = walker(time_s, (1500, 1450)), walker(time_s, (900, 950))
    tracks = merged([poses_of([late, right, left], time_s)])
    first_x = [tracks.smoothed[tracks.track_id == n][0, 23, 0] for n in (1, 2, 3)]
    assert first_x[0] == pytest.approx(900, abs=60)
    assert first_x[1] == pytest.approx(1500, abs=60)
    assert first_x[2] == pytest.approx(300, abs=60)


def test_a_flicker_of_less_than_a_fifth_of_a_second_is_nobody():
    time_s = steady(3, 30)
    ghost = hidden(walker(time_s, (1500, 1500)), (0, 30), (34, 90))
    tracks = merged([poses_of([walker(time_s, (300, 500)), ghost], time_s)])
    assert set(tracks.track_id) == {1}


def test_a_person_found_twice_in_a_frame_is_there_once():
    time_s = steady(2, 30)
    one = walker(time_s, (300, 500))
    tracks = merged([poses_of([one, one], time_s, noise_px=1)])
    assert len(tracks) == len(time_s)


def test_a_single_frame_is_kept():
    time_s = np.zeros(1)
    tracks = merged([poses_of([walker(time_s, (300, 500))], time_s)])
    assert tracks.track_id.tolist() == [1]


def test_nobody_in_no_frames_and_in_some():
    assert list(merge(iter([]), MergeSettings(), SKELETON, SIZE)) == []
    empty = poses_of([], steady(2, 30))
    assert list(merge(iter([empty]), MergeSettings(), SKELETON, SIZE)) == []


# Independence of chunks


def busy_scene() -> Poses:
    """80 s: more than two of the merge's blocks; people come and go where blocks meet, too."""
    time_s = steady(80, 30)
    people = [
        hidden(walker(time_s, (100, 1800)), (200, 206), (400, 440), (1020, 1027), (2040, 2070)),
        hidden(walker(time_s, (1800, 100), y=430), (0, 100), (590, 720), (980, 1025)),
        hidden(walker(time_s, (900, 1000), y=600), (150, 152), (300, 1024), (2047, 2049)),
    ]
    return poses_of(people, time_s, noise_px=2, outliers=0.01)


def assert_identical(actual: Tracks, expected: Tracks) -> None:
    for field in fields(Tracks):
        a, b = getattr(actual, field.name), getattr(expected, field.name)
        assert a.tobytes() == b.tobytes(), field.name


@pytest.mark.parametrize("count", [7, 100])
def test_as_many_chunks_give_the_same_bytes_as_one(count: int):
    poses = busy_scene()
    cuts = np.linspace(0, len(poses.frame_index), count + 1).astype(int).tolist()
    assert_identical(merged(in_parts(poses, cuts)), merged([poses]))


@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(1, 2399), max_size=12))
def test_any_cuts_give_the_same_bytes(cuts: list[int]):
    poses = busy_scene()
    assert_identical(merged(in_parts(poses, cuts)), merged([poses]))


def test_frames_that_nobody_asked_for_do_not_change_where_blocks_begin():
    poses = busy_scene()
    fifth = replace(poses, frame_index=poses.frame_index * 5)
    assert_identical(merged(in_parts(fifth, [7, 333, 1500])), merged([fifth]))


def test_the_order_of_the_people_in_a_frame_does_not_matter():
    time_s = steady(4, 30)
    people = [walker(time_s, (200, 900)), walker(time_s, (1500, 1000), y=450)]
    one_way = merged([poses_of(people, time_s)])
    assert_identical(merged([poses_of(people[::-1], time_s)]), one_way)


def test_frames_of_a_chunk_that_failed_are_a_gap():
    poses = busy_scene()
    first, _, last = in_parts(poses, [300, 400])
    tracks = merged([first, last])
    assert not ((tracks.frame_index >= 300) & (tracks.frame_index < 400)).any()
    assert tracks.frame_index.max() >= 700


# Smoothing


def jitter(xy: NDArray[np.float64], time_s: NDArray[np.float64]) -> float:
    """Mean second derivative in heights a second squared, from the true times."""
    speed = np.diff(xy, axis=0) / np.diff(time_s)[:, None, None]
    between = (time_s[2:] - time_s[:-2])[:, None, None] / 2
    return float(np.abs(np.diff(speed, axis=0) / between).mean() / HEIGHT_PX)


@pytest.mark.parametrize(
    "time_s",
    [steady(8, 30), steady(8, 60), uneven(8, 30)],
    ids=["30 frames/s", "60 frames/s", "variable frame rate"],
)
def test_smoothing_is_nearer_to_the_truth_calmer_and_not_late(time_s: NDArray[np.float64]):
    one = hidden(walker(time_s, (500, 1300)), (50, 55), (120, 126))
    raw = poses_of([one], time_s, noise_px=3, outliers=0.02)
    tracks = merged([raw])
    assert len(tracks) == len(time_s)
    known = ~tracks.filled
    raw_error = np.linalg.norm(tracks.raw[known, :, :2] - one.xy[known], axis=2).mean()
    error = np.linalg.norm(tracks.smoothed[:, :, :2] - one.xy, axis=2).mean()
    assert error <= raw_error
    noise = jitter(tracks.raw[known, :, :2], time_s[known])
    assert jitter(tracks.smoothed[:, :, :2], time_s) <= noise / 5
    wrist, truth = (v - v.mean() for v in (tracks.smoothed[:, 15, 0], one.xy[:, 15, 0]))
    slide = range(-5, 6)
    likeness = [float((wrist[5 + k : len(wrist) - 5 + k] * truth[5:-5]).sum()) for k in slide]
    assert slide[int(np.argmax(likeness))] == 0


def test_a_short_gap_is_filled_and_flagged_a_long_one_stays_open():
    time_s = steady(6, 30)
    one = hidden(walker(time_s, (500, 1100)), (30, 38), (90, 125))
    tracks = merged([poses_of([one], time_s, noise_px=1)])
    filled = tracks.frame_index[tracks.filled].tolist()
    assert filled == list(range(30, 38))
    assert np.isnan(tracks.raw[tracks.filled]).all()
    assert (tracks.score[tracks.filled] == 0).all()
    assert not np.isin(np.arange(90, 125), tracks.frame_index).any()
    apart = np.linalg.norm(tracks.smoothed[tracks.filled, :, :2] - one.xy[30:38], axis=2)
    assert np.median(apart) < 0.03 * HEIGHT_PX


def test_a_gap_of_most_of_a_second_is_filled_by_a_straight_way():
    time_s = steady(6, 30)
    one = hidden(walker(time_s, (500, 1100)), (60, 86))
    tracks = merged([poses_of([one], time_s, noise_px=1)])
    assert tracks.frame_index[tracks.filled].tolist() == list(range(60, 86))
    # Arms and legs swing on unseen; shoulders and hips are where they would be.
    apart = np.linalg.norm(tracks.smoothed[60:86, 11:13, :2] - one.xy[60:86, 11:13], axis=2)
    assert apart.max() < 0.02 * HEIGHT_PX


# What is not believed


def test_who_is_seen_from_behind_has_his_left_on_his_left_throughout():
    time_s = steady(6, 30)
    one = walker(time_s, (600, 900))
    poses = poses_of([one], time_s, noise_px=1)
    turned = np.random.default_rng(3).random(len(time_s)) < 0.3
    turned[40:60] = True
    poses.landmarks[turned] = poses.landmarks[turned][:, list(SKELETON.mirror)]
    tracks = merged([poses])
    apart = np.linalg.norm(tracks.smoothed[:, 11:13, :2] - one.xy[:, 11:13], axis=2)
    assert apart.max() < 0.02 * HEIGHT_PX
    assert (tracks.raw == poses.landmarks).all(), "raw values stay as the model gave them"


def test_who_turns_round_is_not_mirrored():
    time_s = steady(6, 30)
    one = walker(time_s, (600, 900))
    middle = one.xy[:, 23:25].mean(axis=1, keepdims=True)
    facing = np.cos(np.pi * np.clip((time_s - 2) / 1.5, 0, 1))[:, None, None]
    xy = middle + (one.xy - middle) * np.concatenate([facing, np.ones_like(facing)], axis=2)
    tracks = merged([poses_of([replace(one, xy=xy)], time_s, noise_px=1)])
    apart = np.linalg.norm(tracks.smoothed[:, 11:13, :2] - xy[:, 11:13], axis=2)
    assert apart.max() < 0.03 * HEIGHT_PX


def test_half_of_each_is_neither_of_two_who_cross():
    """Where two people overlap, the model pulls the one behind to the one in front."""
    time_s = steady(6, 30)
    front, behind = walker(time_s, (300, 1500)), walker(time_s, (1500, 300), y=410, phase=2)
    near = np.abs(front.xy[:, 23, 0] - behind.xy[:, 23, 0]) < 0.2 * HEIGHT_PX
    mixed = behind.xy.copy()
    mixed[near] += 0.5 * (front.xy[near] - behind.xy[near]) * [1, 0]
    tracks = merged([poses_of([front, replace(behind, xy=mixed)], time_s, noise_px=1)])
    mine = tracks.track_id == 2
    apart = np.abs(tracks.smoothed[mine][near, 11:13, 0] - behind.xy[near, 11:13, 0])
    assert apart.max() < 0.04 * HEIGHT_PX
    assert tracks.filled[mine][near].mean() > 0.5


@pytest.mark.parametrize("crossing", [True, False], ids=["cross", "turn back"])
def test_clothes_tell_whether_two_who_meet_out_of_sight_cross_or_turn_back(crossing: bool):
    time_s = steady(6, 30)
    ways = [walker(time_s, (500, 980)), walker(time_s, (1460, 980), phase=2)]
    back = [walker(time_s, (980, 500)), walker(time_s, (980, 1460), phase=2)]
    half = len(time_s) // 2
    people = []
    for number, colour in enumerate((40.0, 160.0)):
        after = back[1 - number if crossing else number]
        xy = np.concatenate([ways[number].xy[::2], after.xy[::2]])
        people.append(hidden(Walker(xy, ways[0].seen.copy(), colour), (half - 15, half + 15)))
    poses = poses_of(people, time_s, noise_px=1)
    tracks = merged([poses])
    assert_each_is_himself_in_the_end(tracks, people)


def test_who_comes_out_from_behind_another_as_that_one_vanishes_is_known_by_his_clothes():
    time_s = steady(6, 30)
    front, behind = walker(time_s, (300, 1500)), walker(time_s, (1500, 300), y=410, phase=2)
    people = [
        hidden(replace(front, colour=40.0), (90, 106)),
        hidden(replace(behind, colour=160.0), (74, 91)),
    ]
    tracks = merged([poses_of(people, time_s, noise_px=1)])
    assert_each_is_himself_in_the_end(tracks, people)


def test_who_is_found_anew_beside_a_last_wrong_pose_of_his_is_one():
    time_s = steady(6, 30)
    one = walker(time_s, (500, 1100))
    wrong = one.xy.copy()
    wrong[97:99] += [-0.07 * HEIGHT_PX, 0.18 * HEIGHT_PX]
    old, new = hidden(replace(one, xy=wrong), (99, 180)), hidden(one, (0, 98), (99, 100))
    tracks = merged([poses_of([old, new], time_s, noise_px=1)])
    assert tracks.track_id.tolist() == [1] * 180
    assert tracks.frame_index.tolist() == list(range(180))


def test_whose_light_changes_at_once_while_nobody_is_near_is_still_himself():
    time_s = steady(6, 30)
    one = walker(time_s, (500, 1100))
    poses = poses_of([one], time_s, noise_px=1)
    poses.clothes[95:] = 160
    assert set(merged([poses]).track_id) == {1}


def test_a_run_that_slides_to_somebody_in_other_clothes_is_cut_there():
    time_s = steady(6, 30)
    worn = np.full((len(time_s), 6), 90, np.float32)
    worn[50:54] = 150  # an arm before the body, for a moment
    worn[95:] = [160, 60, 90, 90, 90, 90]
    worn += np.random.default_rng(1).normal(0, 4, worn.shape).astype(np.float32)
    rows = np.arange(len(time_s))
    assert changes([rows], worn, time_s, MergeSettings()).tolist() == [95]
    assert changes([rows[:90], rows[100:]], worn, time_s, MergeSettings()).tolist() == []


def test_a_shadow_that_falls_on_somebody_leaves_him_himself():
    time_s = steady(6, 30)
    poses = poses_of([walker(time_s, (500, 1100))], time_s, noise_px=1)
    poses.clothes[95:] *= 0.7
    assert set(merged([poses]).track_id) == {1}


def test_smoothing_off_leaves_every_value_and_gap():
    time_s = steady(3, 30)
    poses = poses_of([hidden(walker(time_s, (500, 800)), (30, 35))], time_s, noise_px=2)
    tracks = merged([poses], MergeSettings(smooth_hz=None))
    assert (tracks.smoothed == tracks.raw).all()
    assert (tracks.raw == poses.landmarks).all()
    assert not tracks.filled.any()


def test_boxes_hold_the_person_and_end_at_the_picture():
    time_s = steady(2, 30)
    tracks = merged([poses_of([walker(time_s, (20, 60))], time_s)])
    x, y, width, height = tracks.bbox.T
    assert (x >= 0).all()
    assert (y >= 0).all()
    assert (x + width <= SIZE[0]).all()
    inside = tracks.smoothed[:, :, 0].max(axis=1)
    assert (inside <= x + width).all()
    assert (height >= HEIGHT_PX * 0.9).all()
