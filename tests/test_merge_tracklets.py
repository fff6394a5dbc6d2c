"""Which poses of neighbouring frames are linked, and where tracklets go over to somebody else.

Figures are worked out by hand for the default settings: another threshold gives another answer.
"""

from dataclasses import replace

import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.domain.merge_settings import MergeSettings, SwapSettings, TrackletSettings
from annotate.domain.skeleton import AREA_OF_BOX, COCO_SIGMAS
from annotate.merge.identity_swaps import identity_swaps
from annotate.merge.open_track import OpenTrack, usual_appearance
from annotate.merge.pose_table import NONE, pose_table
from annotate.merge.tracker import Tracker
from annotate.merge.tracklets import FrameLinks, frame_links, similarity
from tests.made_tracks import SKELETON, hidden, poses_of, steady, walker

SETTINGS = MergeSettings()
SIDE = 100.0
# Of boxes that have grown by 0.3 of their sides on each side.
GROWN = 1.6 * SIDE


def box(x: float) -> FloatArray:
    """A square of SIDE pixels."""
    return np.array([x, 0, x + SIDE, SIDE], np.float32)


def test_poses_are_alike_by_their_keypoints_and_their_grown_boxes() -> None:
    """The keypoints are the same; the boxes lie side by side, and share 60 of 260 pixels."""
    same, all_visible = np.zeros((17, 2), np.float32), np.ones(17, np.bool_)
    alike = similarity(same, same, all_visible, box(0), box(SIDE), TrackletSettings())
    assert alike == pytest.approx(0.6 + 0.4 * 60 / 260)


def test_keypoints_may_move_by_twice_their_usual_error() -> None:
    """One that has moved by four of its sigmas, in roots of the area, keeps exp(-1 / 2)."""
    only_nose = np.arange(17) == 0
    there = np.zeros((17, 2), np.float32)
    there[0, 0] = 2 * 2 * COCO_SIGMAS[0] * np.sqrt(AREA_OF_BOX) * SIDE
    alike = similarity(0 * there, there, only_nose, box(0), box(0), TrackletSettings())
    assert alike == pytest.approx(0.6 * np.exp(-0.5) + 0.4)


def shifted(iou: float) -> float:
    """How far a grown box is moved so that it overlaps the one at 0 so much."""
    return GROWN * (1 - iou) / (1 + iou)


def links(*after: tuple[float, bool], limb: bool = False) -> FrameLinks:
    """Of a person in one frame to some in the next, each more to the right.

    Args:
        after: of each one the IoU of the grown boxes, and whether the keypoints are the same.
        limb: the last one is taken for a limb.
    """
    time_s = np.array([0, 1 / 30])
    places = [300.0 + 600 * n for n in range(len(after))]
    people = [hidden(walker(time_s, (x, x)), (0, 1)) for x in places]
    before = hidden(walker(time_s, (300, 300)), (1, 2))
    table = pose_table(poses_of([before, *people], time_s), SETTINGS.pose, SKELETON)
    away = np.array([0.0, *(0.0 if same else 9000.0 for _, same in after)], np.float32)
    table = replace(
        table,
        keypoints=table.keypoints[[0]] + away[:, None, None],
        box=np.stack([box(0), *(box(shifted(iou)) for iou, _ in after)]),
        limb=np.array([False] * len(after) + [limb]),
    )
    return frame_links(table, 0.1, SETTINGS.tracklet)


@pytest.mark.parametrize(("iou", "linked"), [(0.15, False), (0.35, True)])
def test_poses_are_linked_where_they_are_clearly_alike(iou: float, linked: bool) -> None:
    """The similarities are 0.66 and 0.74."""
    assert links((iou, True)).before.tolist() == [NONE, 0 if linked else NONE]


@pytest.mark.parametrize(("second", "linked"), [(0.75, False), (0.5, True)])
def test_a_pose_is_linked_where_no_other_is_nearly_as_much_alike(
    second: float, linked: bool
) -> None:
    """The similarities are 1 and either 0.9 or 0.8."""
    found = links((1.0, True), (second, True), limb=True)
    assert found.before.tolist() == [NONE, 0 if linked else NONE, NONE]


@pytest.mark.parametrize(("iou", "touches"), [(0.7, False), (0.95, True)])
def test_a_link_beside_somebody_who_appears_is_left_to_the_linker(
    iou: float, touches: bool
) -> None:
    """Who appears is like the person before by 0.28, or by 0.38."""
    found = links((1.0, True), (iou, False))
    assert found.before.tolist() == [NONE, NONE if touches else 0, NONE]
    assert found.ends.tolist() == [touches, False, False]
    assert found.ambiguous.tolist() == [False, touches, touches]


def swaps(colours: list[float], fps: float) -> list[int]:
    """Where a tracklet of these colours goes over to somebody else."""
    appearance = np.tile(np.array(colours, np.float32)[:, None], 6)
    rows = np.arange(len(colours))
    found: list[int] = identity_swaps([rows], appearance, rows / fps, SwapSettings()).tolist()
    return found


@pytest.mark.parametrize(("steps", "other"), [(11, False), (22, True)])
def test_another_appearance_is_another_person(steps: float, other: bool) -> None:
    assert len(swaps([90.0] * 40 + [90.0 + steps] * 40, 30)) == other


@pytest.mark.parametrize(
    ("fps", "frames", "changes"),
    [(30, 5, False), (30, 9, True), (1000, 50, False), (1000, 80, True)],
)
def test_a_change_that_lasts_less_than_half_a_window_is_none(
    fps: float, frames: int, changes: bool
) -> None:
    """A window has 0.4 s, so 12 poses at 30 frames a second, but never more than 120."""
    assert bool(swaps([90.0] * 300 + [160.0] * frames + [90.0] * 300, fps)) == changes


def test_both_people_of_a_swap_are_seen_three_times() -> None:
    """At 5 frames a second 0.4 s are two poses."""
    assert swaps([90.0] * 2 + [160.0] * 3, 5) == []
    assert swaps([90.0] * 3 + [160.0] * 3, 5) == [3]


def test_a_track_moves_on_as_in_the_last_moment() -> None:
    """It walked at 200 pixels a second, and stands since 0.1 s: 0.15 s and one pose more tell."""
    time_s = steady(1, 60)
    there = np.minimum(time_s, time_s[-1] - 0.1) * 200
    one = walker(time_s, (0, 0))
    one = replace(one, xy=one.xy + there[:, None, None] * [1, 0])
    table = pose_table(poses_of([one], time_s), SETTINGS.pose, SKELETON)
    track = OpenTrack(0)
    track.extend(table, np.arange(60), SETTINGS)
    # Of ten steps of a sixtieth of a second, four were walked.
    hips = table.hip[[49, 59], 0]
    assert hips[1] - hips[0] == pytest.approx(4 * 200 / 60, abs=0.01)
    assert track.shift(time_s[-1] + 10 / 60)[0] == pytest.approx(hips[1] - hips[0], rel=0.2)


@pytest.mark.parametrize(("poses", "known"), [(2, False), (4, True)])
def test_the_appearance_of_few_poses_is_not_known(poses: int, known: bool) -> None:
    usual = usual_appearance(np.full((poses, 6), 90.0), SETTINGS.tracker)
    assert np.isfinite(usual).all() == known


@pytest.mark.parametrize(("step_s", "unseen_s"), [(0.01, 0.1), (0.2, 0.3)])
def test_a_person_may_be_unseen_for_a_tenth_of_a_second_or_one_frame(
    step_s: float, unseen_s: float
) -> None:
    assert SETTINGS.tracker.unseen_s(step_s) == pytest.approx(unseen_s)


@pytest.mark.parametrize(("score", "starts"), [(0.3, False), (0.5, True)])
def test_a_track_starts_with_a_pose_that_is_good_enough(score: float, starts: bool) -> None:
    time_s = steady(1, 30)
    poses = poses_of([walker(time_s, (300, 400))], time_s)
    table = pose_table(
        replace(poses, score=np.full(len(time_s), score, np.float32)), SETTINGS.pose, SKELETON
    )
    assert (Tracker(SETTINGS).follow(table).track == (0 if starts else NONE)).all()


def test_people_who_are_lost_in_the_same_frame_go_on_all() -> None:
    time_s = steady(20 / 30, 30)
    people = [hidden(walker(time_s, (x, x)), (10, 11)) for x in (300, 1200, 1700)]
    table = pose_table(poses_of(people, time_s), SETTINGS.pose, SKELETON)
    numbers = Tracker(SETTINGS).follow(table).track
    assert [set(numbers[np.abs(table.hip[:, 0] - x) < 9]) for x in (300, 1200, 1700)] == [
        {0},
        {1},
        {2},
    ]


@pytest.mark.parametrize(("iou", "continues"), [(0.5, False), (1.0, True)])
def test_a_tracklet_continues_a_track_that_is_alike_enough(iou: float, continues: bool) -> None:
    """By 0.2 and by 0.4: no keypoint is seen of one of them."""
    time_s = steady(20 / 30, 30)
    poses = poses_of([hidden(walker(time_s, (300, 300)), (10, 11))], time_s)
    table = pose_table(poses, SETTINGS.pose, SKELETON)
    later = table.frame > 10
    boxes = np.where(later[:, None], box(shifted(iou)), box(0)).astype(np.float32)
    table = replace(table, box=boxes, visible=table.visible & ~later[:, None])
    numbers = Tracker(SETTINGS).follow(table).track
    assert set(numbers[~later]) == {0}
    assert numbers[later][0] == (0 if continues else 1)
