"""Which keypoints and poses of one frame count, and what they are taken for.

Figures are worked out by hand for the default settings: another threshold gives another answer.
"""

from dataclasses import replace

import numpy as np
import pytest

from annotate.domain.merge_settings import PoseSettings
from annotate.domain.poses import Poses
from annotate.merge.pose_table import PoseTable, _crowded, _limbs, pose_table
from tests.made_tracks import SKELETON, poses_of, walker

SETTINGS = PoseSettings()
STILL = np.zeros(1)
# BlazePose's landmarks that are not among COCO's keypoints: mouth, fingers, heels and toes.
NO_KEYPOINTS = [9, 10, *range(17, 23), *range(29, 33)]
X, Y, VISIBILITY, PRESENCE = 0, 1, 3, 4


def people(*x: float) -> Poses:
    """Who stand at these places in one frame."""
    return poses_of([walker(STILL, (one, one)) for one in x], STILL)


def table(poses: Poses) -> PoseTable:
    return pose_table(poses, SETTINGS, SKELETON)


@pytest.mark.parametrize(("visibility", "counts"), [(0.15, False), (0.3, True)])
def test_hidden_keypoints_count_neither_in_similarities_nor_in_scores(
    visibility: float, counts: bool
) -> None:
    poses = people(500)
    legs = [25, 26, 27, 28]
    poses.landmarks[:, :, VISIBILITY] = 0.8
    poses.landmarks[:, legs, VISIBILITY] = visibility
    found = table(poses)
    assert found.visible.sum() == 17 - 4 * (not counts)
    mean = (13 * 0.8 + 4 * visibility) / 17 if counts else 0.8
    assert found.score == pytest.approx(0.95 * mean)


@pytest.mark.parametrize(("presence", "widens"), [(0.4, False), (0.7, True)])
def test_a_box_has_a_tenth_of_margin_about_the_landmarks_that_are_present(
    presence: float, widens: bool
) -> None:
    poses = people(500)
    poses.landmarks[0, :, :2] = 500, 300
    poses.landmarks[0, 0, :2], poses.landmarks[0, 1, :2] = (400, 200), (600, 500)
    poses.landmarks[0, 2, X], poses.landmarks[0, 2, PRESENCE] = 1000, presence
    margins = [340, 170, 1060, 530] if widens else [380, 170, 620, 530]
    assert table(poses).box[0] == pytest.approx(margins)


@pytest.mark.parametrize(
    ("beside", "kept", "near"),
    [(8, 1, [False]), (20, 2, [False, True]), (32, 2, [False, False])],
    ids=["a duplicate", "nearly one", "somebody else"],
)
def test_poses_that_are_alike_are_duplicates_or_suspect(
    beside: float, kept: int, near: list[bool]
) -> None:
    """The object keypoint similarities are 0.85, 0.52 and 0.30."""
    found = table(people(500, 500 + beside))
    assert len(found) == kept
    assert found.near_duplicate.tolist() == near


@pytest.mark.parametrize(
    ("inside", "height", "limb"),
    [(1.0, 0.6, True), (0.95, 0.6, True), (0.7, 0.6, False), (1.0, 0.9, False)],
)
def test_a_limb_lies_inside_a_far_taller_box(inside: float, height: float, limb: bool) -> None:
    """With nine tenths of its box, and three quarters as tall at most."""
    left = 100 - 50 * inside
    boxes = np.array([[0, 0, 100, 200], [left, 0, left + 50, 200 * height]], np.float32)
    found = replace(table(people(500, 900)), box=boxes)
    assert _limbs(found, SETTINGS).tolist() == [False, limb]


@pytest.mark.parametrize(("covered", "crowded"), [(0.1, False), (0.2, True)])
def test_a_pose_is_crowded_where_another_box_covers_a_part_of_it(
    covered: float, crowded: bool
) -> None:
    right = 100 * (1 - covered)
    boxes = np.array([[0, 0, 100, 100], [right, 0, right + 100, 100]], np.float32)
    found = replace(table(people(500, 900)), box=boxes)
    assert _crowded(found, SETTINGS).tolist() == [crowded] * 2
