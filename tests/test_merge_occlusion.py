"""Parts to tracks: poses that are mirrored or rejected, and appearance as evidence."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.merge_settings import SwapSettings
from annotate.merge.identity_swaps import identity_swaps
from tests.made_tracks import (
    HEIGHT_PX,
    SKELETON,
    Walker,
    assert_each_keeps_the_id_to_the_end,
    hidden,
    merged,
    poses_of,
    steady,
    walker,
)


def test_left_stays_left_of_a_person_seen_from_behind() -> None:
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


@pytest.mark.parametrize(
    ("face", "from_behind"),
    [(0.3, True), (1.0, False)],
    ids=["no face: seen from behind", "a face: seen from the front"],
)
def test_whether_a_face_is_seen_tells_front_from_back(face: float, from_behind: bool) -> None:
    """The made figure looks at the camera, as the model believes of some people who do not."""
    time_s = steady(6, 30)
    one = walker(time_s, (600, 900))
    middle = one.xy[:, :11, :1].mean(axis=1, keepdims=True)
    xy = one.xy.copy()
    xy[:, :11, :1] = middle + face * (xy[:, :11, :1] - middle)
    tracks = merged([poses_of([replace(one, xy=xy)], time_s)])
    truth = xy[:, list(SKELETON.mirror)] if from_behind else xy
    assert np.abs(tracks.smoothed[:, :, :2] - truth).max() < 0.02 * HEIGHT_PX


def test_a_person_who_turned_round_in_a_gap_is_not_mirrored() -> None:
    time_s = steady(8, 30)
    one = walker(time_s, (600, 700))
    later = time_s >= 5
    xy = np.where(later[:, None, None], one.xy, one.xy[:, list(SKELETON.mirror)])
    seen = later | (time_s < 3)
    tracks = merged([poses_of([replace(one, xy=xy, seen=seen)], time_s)])
    assert set(tracks.track_id) == {1}
    assert np.abs(tracks.smoothed[:, :, :2] - xy[seen]).max() < 0.02 * HEIGHT_PX


def test_a_person_who_turns_round_is_not_mirrored() -> None:
    time_s = steady(6, 30)
    one = walker(time_s, (600, 900))
    middle = one.xy[:, 23:25].mean(axis=1, keepdims=True)
    facing = np.cos(np.pi * np.clip((time_s - 2) / 1.5, 0, 1))[:, None, None]
    xy = middle + (one.xy - middle) * np.concatenate([facing, np.ones_like(facing)], axis=2)
    tracks = merged([poses_of([replace(one, xy=xy)], time_s, noise_px=1)])
    apart = np.linalg.norm(tracks.smoothed[:, 11:13, :2] - xy[:, 11:13], axis=2)
    assert apart.max() < 0.03 * HEIGHT_PX


def test_a_pose_mixed_from_two_people_who_cross_is_rejected() -> None:
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


def leaning(way: float, seconds: float) -> tuple[Walker, Walker, NDArray[np.bool_]]:
    """A person who leans by so many heights and comes back within some seconds, beside another one
    who is there meanwhile; and in which frames.
    """
    time_s = steady(5, 60)
    still, other = walker(time_s, (700, 700)), walker(time_s, (800, 800), phase=2)
    share = ((time_s - 2) / seconds).clip(0, 1)
    xy = still.xy.copy()
    xy[:, :, 0] += (way * HEIGHT_PX * (1 - np.cos(2 * np.pi * share)) / 2)[:, None]
    beside = (time_s > 1.7) & (time_s < 2.3 + seconds)
    return replace(still, xy=xy), replace(other, seen=beside), beside


def test_a_person_who_moves_away_and_back_beside_another_is_not_rejected() -> None:
    person, other, beside = leaning(0.15, 0.7)
    tracks = merged([poses_of([person, other], steady(5, 60), noise_px=0.5)])
    mine = tracks.track_id == 1
    assert not tracks.filled[mine].any()
    apart = np.abs(tracks.smoothed[mine, 11:13, 0] - person.xy[:, 11:13, 0])
    assert apart[beside].max() < 0.02 * HEIGHT_PX


def test_a_person_who_moves_away_in_a_jump_beside_another_is_rejected() -> None:
    """As a pose that is drawn to the other person."""
    person, other, beside = leaning(0.15, 0.7)
    drawn = beside & (person.xy[:, 23, 0] > person.xy[0, 23, 0] + 0.05 * HEIGHT_PX)
    xy = np.where(drawn[:, None, None], person.xy, person.xy[:1])
    tracks = merged([poses_of([replace(person, xy=xy), other], steady(5, 60), noise_px=0.5)])
    mine = tracks.track_id == 1
    assert tracks.filled[mine][drawn].mean() > 0.9


@pytest.mark.parametrize("crossing", [True, False], ids=["cross", "turn back"])
def test_appearance_tells_whether_two_hidden_people_crossed_or_turned_back(crossing: bool) -> None:
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
    assert_each_keeps_the_id_to_the_end(tracks, people)


def test_appearance_tells_who_appears_where_another_person_vanishes() -> None:
    time_s = steady(6, 30)
    front, behind = walker(time_s, (300, 1500)), walker(time_s, (1500, 300), y=410, phase=2)
    people = [
        hidden(replace(front, colour=40.0), (90, 106)),
        hidden(replace(behind, colour=160.0), (74, 91)),
    ]
    tracks = merged([poses_of(people, time_s, noise_px=1)])
    assert_each_keeps_the_id_to_the_end(tracks, people)


def test_a_person_found_again_beside_their_last_wrong_pose_is_one_track() -> None:
    time_s = steady(6, 30)
    one = walker(time_s, (500, 1100))
    wrong = one.xy.copy()
    wrong[97:99] += [-0.07 * HEIGHT_PX, 0.18 * HEIGHT_PX]
    old, new = hidden(replace(one, xy=wrong), (99, 180)), hidden(one, (0, 98), (99, 100))
    tracks = merged([poses_of([old, new], time_s, noise_px=1)])
    assert tracks.track_id.tolist() == [1] * 180
    assert tracks.frame_index.tolist() == list(range(180))


def test_a_sudden_change_of_light_with_no_one_near_keeps_the_id() -> None:
    time_s = steady(6, 30)
    one = walker(time_s, (500, 1100))
    poses = poses_of([one], time_s, noise_px=1)
    poses.appearance[95:] = 160
    assert set(merged([poses]).track_id) == {1}


def test_a_tracklet_that_goes_over_to_another_person_is_cut_there() -> None:
    time_s = steady(6, 30)
    worn = np.full((len(time_s), 6), 90, np.float32)
    worn[50:54] = 150  # an arm before the body, for a moment
    worn[95:] = [160, 60, 90, 90, 90, 90]
    worn += np.random.default_rng(1).normal(0, 4, worn.shape).astype(np.float32)
    rows = np.arange(len(time_s))
    assert identity_swaps([rows], worn, time_s, SwapSettings()).tolist() == [95]
    assert identity_swaps([rows[:90], rows[100:]], worn, time_s, SwapSettings()).tolist() == []


def test_a_shadow_that_falls_on_a_person_keeps_the_id() -> None:
    time_s = steady(6, 30)
    poses = poses_of([walker(time_s, (500, 1100))], time_s, noise_px=1)
    poses.appearance[95:] *= 0.7
    assert set(merged([poses]).track_id) == {1}
