"""Candidates and poses that show one person twice, and body parts taken for people."""

import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.skeleton import SKELETONS, Skeleton
from annotate.numeric.geometry import roi_iou
from annotate.pipeline.detector_pass import Candidate
from annotate.pipeline.detector_stage import new_candidates
from annotate.pipeline.duplicates import distinct_poses

BODY, UPPER_BODY = SKELETONS["blazepose-33"], SKELETONS["blazepose-25"]
SETTINGS = PipelineSettings()


def test_overlap_of_rois_ignores_rotation() -> None:
    roi = np.array([10, 10, 20, 0], np.float32)
    others = np.array(
        [[10, 10, 20, 1], [20, 10, 20, 0], [10, 10, 10, 0], [50, 0, 9, 0]], np.float32
    )
    assert roi_iou(roi, others) == pytest.approx([1, 1 / 3, 1 / 4, 0])


def test_a_known_person_is_not_new_and_no_person_is_new_twice() -> None:
    known = [Candidate(0.9, np.array([100, 100, 80, 0], np.float32))]
    found = [
        Candidate(0.8, np.array([x, 100, side, 0.2], np.float32))
        for x, side in ((104, 84), (300, 80), (304, 78), (100, 30))
    ]
    least = SETTINGS.same_roi_iou
    assert [one.roi[0] for one in new_candidates(found, known, least)] == [300, 100]
    assert [one.roi[0] for one in new_candidates(found, [], least)] == [104, 300, 100]


def person(x: float, y: float, height: float) -> FloatArray:
    """A random but fixed figure of 33 landmarks around (x, y)."""
    landmarks = np.ones((33, 5), np.float32)
    figure = np.random.default_rng(5).uniform(-0.5, 0.5, (33, 2)) * [0.4, 1]
    landmarks[:, :2] = [x, y] + height * figure
    return landmarks


def distinct(poses: list[FloatArray], score: list[float], skeleton: Skeleton = BODY) -> list[int]:
    landmarks = np.array(poses, np.float32).reshape(-1, len(skeleton.landmarks), 5)
    rows: list[int] = distinct_poses(
        landmarks, np.array(score, np.float32), skeleton, SETTINGS
    ).tolist()
    return rows


def test_of_two_poses_of_one_person_the_better_one_is_kept() -> None:
    worse, better = person(100, 100, 200), person(104, 102, 196)
    worse[:, 3] = 0.5
    assert distinct([worse, better], [0.9, 0.8]) == [1]


@pytest.mark.parametrize(("beside", "kept"), [(16, [0, 1]), (9, [0])])
def test_poses_are_of_one_person_where_they_are_more_alike_than_not(
    beside: float, kept: list[int]
) -> None:
    """The object keypoint similarity is 0.36 and 0.60."""
    assert distinct([person(100, 100, 200), person(100 + beside, 100, 200)], [1, 1]) == kept


def test_rois_that_share_half_of_their_area_are_of_two_people() -> None:
    """Moved by 0.4 and by 0.2 sides: intersections over unions of 0.43 and 0.67."""
    found = [Candidate(0.8, np.array([x, 100, 100, 0], np.float32)) for x in (100, 140, 160)]
    assert [one.roi[0] for one in new_candidates(found, [], SETTINGS.same_roi_iou)] == [100, 140]


def test_people_side_by_side_and_a_small_one_in_front_of_a_large_one_are_all_kept() -> None:
    poses = [person(100, 100, 200), person(160, 100, 200), person(100, 100, 60)]
    assert distinct(poses, [1, 1, 1]) == [0, 1, 2]


def test_a_foot_taken_for_a_person_is_removed_but_not_a_small_person_beside_it() -> None:
    body = person(100, 100, 200)
    x, y = body[BODY.landmarks.index("left_ankle"), :2]
    foot, small = person(x, y, 25), person(x + 60, y, 25)
    assert distinct([body, foot, small], [1, 1, 1]) == [0, 2]


def test_landmarks_that_a_skeleton_lacks_do_not_make_two_people_alike() -> None:
    poses = [person(100, 100, 200)[:25], person(160, 100, 200)[:25]]
    assert distinct(poses, [1, 1], UPPER_BODY) == [0, 1]


def test_an_empty_picture_has_no_duplicates() -> None:
    assert distinct([], []) == []
