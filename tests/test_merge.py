"""Parts to tracks: association and linking, on walkers whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from annotate.domain.merge_settings import MergeSettings
from annotate.merge.linking import Decision
from annotate.merge.merge import merge
from tests.made_tracks import HEIGHT_PX, SIZE, SKELETON, hidden, merged, poses_of, steady, walker


def test_two_people_who_cross_keep_their_ids() -> None:
    time_s = steady(6, 30)
    people = [walker(time_s, (200, 1600)), walker(time_s, (1600, 200), y=430, phase=2)]
    tracks = merged([poses_of(people, time_s, noise_px=2)])
    assert set(tracks.track_id) == {1, 2}
    for number, truth in enumerate(people, start=1):
        mine = tracks.smoothed[tracks.track_id == number]
        apart = np.abs(mine[:, 23, 0] - truth.xy[:, 23, 0])
        assert apart.max() < 0.1 * HEIGHT_PX


@pytest.mark.parametrize("away_s", [0.5, 1.0, 1.8, 4.0])
def test_a_person_hidden_for_less_than_five_seconds_keeps_the_id(away_s: float) -> None:
    time_s = steady(9, 30)
    gap = (60, 60 + round(away_s * 30))
    tracks = merged([poses_of([hidden(walker(time_s, (500, 1100)), gap)], time_s, noise_px=1)])
    assert set(tracks.track_id) == {1}


def test_a_person_hidden_for_longer_gets_a_new_id() -> None:
    time_s = steady(12, 30)
    tracks = merged([poses_of([hidden(walker(time_s, (500, 1100)), (60, 230))], time_s)])
    assert set(tracks.track_id) == {1, 2}


def test_two_people_who_pass_behind_a_pillar_together_keep_their_ids() -> None:
    time_s = steady(6, 30)
    right, left = walker(time_s, (300, 1500)), walker(time_s, (1500, 300), y=410, phase=2)
    tracks = merged([poses_of([hidden(p, (78, 102)) for p in (right, left)], time_s, noise_px=2)])
    assert set(tracks.track_id) == {1, 2}
    for number, truth in ((1, right), (2, left)):
        mine = tracks.track_id == number
        apart = np.abs(tracks.smoothed[mine, 23, 0] - truth.xy[tracks.frame_index[mine], 23, 0])
        assert apart.max() < 0.1 * HEIGHT_PX


def test_a_person_who_hides_another_keeps_the_id() -> None:
    time_s = steady(6, 30)
    front, behind = walker(time_s, (300, 1500)), walker(time_s, (1500, 300), y=410, phase=2)
    tracks = merged([poses_of([front, hidden(behind, (80, 102))], time_s, noise_px=2)])
    assert set(tracks.track_id) == {1, 2}
    mine = tracks.track_id == 1
    assert mine.sum() == len(time_s)
    assert np.abs(tracks.smoothed[mine, 23, 0] - front.xy[:, 23, 0]).max() < 0.1 * HEIGHT_PX


def test_a_person_who_turns_back_while_hidden_keeps_the_id() -> None:
    time_s = steady(6, 30)
    there, back = walker(time_s, (700, 100)), walker(time_s, (100, 700))
    xy = np.where(time_s[:, None, None] < 3, there.xy, back.xy)
    xy[:, :, 0] -= 300
    one = hidden(replace(there, xy=xy), (75, 105))
    assert set(merged([poses_of([one], time_s, noise_px=1)]).track_id) == {1}


@pytest.mark.parametrize("fps", [5, 12.5, 120])
def test_few_or_many_frames_a_second_do_not_matter(fps: float) -> None:
    time_s = steady(8, fps)
    people = [walker(time_s, (300, 800)), walker(time_s, (1500, 1100), y=500, phase=2)]
    tracks = merged([poses_of(people, time_s, noise_px=1)])
    assert set(tracks.track_id) == {1, 2}
    assert len(tracks) == 2 * len(time_s)


@pytest.mark.parametrize(("seconds", "people"), [(1.5, 1), (3.0, 2)], ids=["a leg", "a child"])
def test_a_small_pose_inside_a_person_is_a_track_only_if_it_lasts(
    seconds: float, people: int
) -> None:
    time_s = steady(5, 30)
    small = walker(time_s, (760, 760), y=440, height=0.4 * HEIGHT_PX)
    small = hidden(small, (0, 30), (30 + round(seconds * 30), 150))
    tracks = merged([poses_of([walker(time_s, (760, 760)), small], time_s, noise_px=1)])
    assert len(set(tracks.track_id)) == people


@pytest.mark.parametrize(("seconds", "people"), [(1.5, 1), (3.0, 2)], ids=["for a while", "longer"])
def test_a_distorted_duplicate_of_a_person_is_a_track_only_if_it_lasts(
    seconds: float, people: int
) -> None:
    time_s = steady(5, 30)
    one = walker(time_s, (760, 860))
    xy = one.xy.copy()
    xy[:, 23:, 0] -= 0.3 * HEIGHT_PX  # the legs are another's
    duplicate = hidden(replace(one, xy=xy), (0, 30), (30 + round(seconds * 30), 150))
    poses = poses_of([one, duplicate], time_s, noise_px=1)
    second = np.arange(len(poses.score)) - poses.offsets[:-1].repeat(np.diff(poses.offsets)) > 0
    poses.score[second] = 0.8
    assert len(set(merged([poses]).track_id)) == people


def test_in_a_still_nothing_is_dropped_for_not_lasting() -> None:
    time_s = np.zeros(1)
    small = walker(time_s, (760, 760), y=440, height=0.4 * HEIGHT_PX)
    tracks = merged([poses_of([walker(time_s, (760, 760)), small], time_s)])
    assert set(tracks.track_id) == {1, 2}


@pytest.mark.parametrize(("away_px", "people"), [(0, 1), (120, 2)], ids=["there", "beside it"])
def test_a_track_in_the_gap_of_another_at_the_same_place_is_part_of_it(
    away_px: float, people: int
) -> None:
    time_s = steady(6, 30)
    still = walker(time_s, (760, 760))
    # Turned away for a while, the person shows other colours.
    turned = walker(time_s, (760 + away_px, 760 + away_px))
    turned = hidden(replace(turned, colour=30.0), (0, 70), (110, 180))
    tracks = merged([poses_of([hidden(still, (65, 115)), turned], time_s, noise_px=1)])
    assert len(set(tracks.track_id)) == people


def test_a_short_track_behind_a_gap_is_no_part_of_it() -> None:
    """It would be taken for the same person a second time, in the wrong order."""
    time_s = steady(12, 30)
    still = hidden(walker(time_s, (760, 760)), (65, 115), (150, 335), (350, 360))
    tracks = merged([poses_of([still], time_s, noise_px=1)])
    assert [int(tracks.track_id[tracks.frame_index == frame][0]) for frame in (0, 340)] == [1, 2]


def test_a_track_that_begins_with_low_scores_keeps_its_first_poses() -> None:
    time_s = steady(3, 30)
    poses = poses_of([walker(time_s, (300, 500))], time_s)
    score = poses.score.copy()
    score[:10] = 0.3
    assert len(merged([replace(poses, score=score)])) == len(time_s)


def test_ids_are_numbered_by_first_frame_then_from_left_to_right() -> None:
    time_s = steady(3, 30)
    late = hidden(walker(time_s, (300, 350)), (0, 20))
    right, left = walker(time_s, (1500, 1450)), walker(time_s, (900, 950))
    tracks = merged([poses_of([late, right, left], time_s)])
    first_x = [tracks.smoothed[tracks.track_id == n][0, 23, 0] for n in (1, 2, 3)]
    assert first_x[0] == pytest.approx(900, abs=60)
    assert first_x[1] == pytest.approx(1500, abs=60)
    assert first_x[2] == pytest.approx(300, abs=60)


def test_a_track_shorter_than_a_fifth_of_a_second_is_dropped() -> None:
    time_s = steady(3, 30)
    ghost = hidden(walker(time_s, (1500, 1500)), (0, 30), (34, 90))
    tracks = merged([poses_of([walker(time_s, (300, 500)), ghost], time_s)])
    assert set(tracks.track_id) == {1}


@pytest.mark.parametrize(("fps", "frames"), [(30, 5), (1000, 134), (30, 2)])
def test_a_track_over_all_of_a_short_video_is_kept(fps: float, frames: int) -> None:
    time_s = np.arange(frames) / fps
    person = walker(time_s, (300, 310))
    part = hidden(walker(time_s, (1500, 1510)), (frames - 1, frames))
    tracks = merged([poses_of([person, part], time_s)])
    assert set(tracks.track_id) == {1}
    assert len(tracks) == frames


def test_damaged_ends_of_a_short_video_shorten_no_track() -> None:
    """A file that was cut off ends with a damaged frame."""
    time_s = steady(0.2, 30)
    poses = poses_of([hidden(walker(time_s, (300, 310)), (0, 1), (5, 6))], time_s)
    damaged = replace(poses, damage=np.array([1, 0, 0, 0, 0, 1], np.int8))
    assert merged([damaged]).frame_index.tolist() == [1, 2, 3, 4]


def test_a_person_found_twice_in_a_frame_is_kept_once() -> None:
    time_s = steady(2, 30)
    one = walker(time_s, (300, 500))
    tracks = merged([poses_of([one, one], time_s, noise_px=1)])
    assert len(tracks) == len(time_s)


def test_a_dropped_track_and_a_continued_one_are_closed() -> None:
    assert Decision(0).is_closed
    assert Decision(3, until_s=4.0).is_closed
    assert not Decision(3).is_closed


def test_a_single_frame_is_kept() -> None:
    time_s = np.zeros(1)
    tracks = merged([poses_of([walker(time_s, (300, 500))], time_s)])
    assert tracks.track_id.tolist() == [1]


def test_no_frames_and_frames_without_people_give_no_tracks() -> None:
    assert list(merge(iter([]), MergeSettings(), SKELETON, SIZE)) == []
    empty = poses_of([], steady(2, 30))
    assert list(merge(iter([empty]), MergeSettings(), SKELETON, SIZE)) == []
