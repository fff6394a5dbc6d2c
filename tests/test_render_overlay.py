"""Poses drawn over pictures."""

from itertools import pairwise

import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.domain.skeleton import COCO_KEYPOINTS
from annotate.render.overlay import Picture, draw_poses, track_colour
from annotate.synthetic import Renderer, demo_scene, truth

NAMES = list(COCO_KEYPOINTS)
GREY = np.full((200, 300, 3), 90, np.uint8)


def changed(drawn: Picture, x: float, y: float) -> bool:
    return bool((drawn[round(y), round(x)] != GREY[round(y), round(x)]).any())


def arm(left: bool = True) -> tuple[FloatArray, FloatArray]:
    """One pose of which only an arm is known: shoulder, elbow, wrist."""
    points, visibility = np.full((1, 17, 2), np.nan, np.float32), np.zeros((1, 17), np.float32)
    for part, place in (("shoulder", (60, 60)), ("elbow", (110, 120)), ("wrist", (180, 130))):
        number = NAMES.index(f"{'left' if left else 'right'}_{part}")
        points[0, number], visibility[0, number] = place, 1
    return points, visibility


def test_limbs_join_the_keypoints_and_nothing_else_changes() -> None:
    drawn = draw_poses(GREY, *arm(), [1])
    assert all(changed(drawn, x, y) for x, y in ((60, 60), (110, 120), (180, 130), (85, 90)))
    assert not changed(drawn, 250, 180)
    assert not changed(drawn, 60, 120)


def test_the_picture_given_stays_as_it_is() -> None:
    picture = GREY.copy()
    draw_poses(picture, *arm(), [1])
    np.testing.assert_array_equal(picture, GREY)


def test_left_is_orange_and_right_is_blue() -> None:
    left, right = (
        draw_poses(GREY, *arm(left=left), [1])[90, 85].astype(int) for left in (True, False)
    )
    assert left[0] > left[2] + 100
    assert right[2] > right[0] + 100


def test_hidden_keypoints_are_fainter() -> None:
    points, visibility = arm()
    clear = draw_poses(GREY, points, visibility, [1]).astype(int)
    faint = draw_poses(GREY, points, np.float32(0.2) * visibility, [1]).astype(int)
    difference = [np.abs(drawn[90, 85] - 90).sum() for drawn in (faint, clear)]
    assert 0 < difference[0] < 0.6 * difference[1]


@pytest.mark.parametrize("visibility", [0.0, 1.0], ids=["no visibility", "no place"])
def test_unknown_keypoints_are_not_drawn(visibility: float) -> None:
    points = np.full((1, 17, 2), np.nan if visibility else 50.0, np.float32)
    drawn = draw_poses(GREY, points, np.full((1, 17), visibility, np.float32), [1])
    np.testing.assert_array_equal(drawn, GREY)


def test_without_poses_the_picture_stays_as_it_is() -> None:
    none = np.zeros((0, 17, 2), np.float32)
    np.testing.assert_array_equal(draw_poses(GREY, none, none[:, :, 0], []), GREY)


def test_a_track_keeps_its_colour_and_neighbours_differ() -> None:
    colours = [np.array(track_colour(track), int) for track in range(1, 9)]
    apart = [np.abs(a - b).sum() for a, b in pairwise(colours)]
    assert min(apart) > 100
    plate = draw_poses(GREY, *arm(), [3]) == np.array(track_colour(3), np.uint8)
    assert plate.all(axis=2).sum() > 50


def test_people_at_and_beyond_the_edges_are_drawn_as_far_as_they_are_seen() -> None:
    points, visibility = arm()
    for shift in ((-100, -100), (200, 120), (1e7, -1e7)):
        drawn = draw_poses(GREY, points + np.array(shift, np.float32), visibility, [12])
        assert drawn.shape == GREY.shape


def test_small_people_get_thin_lines() -> None:
    points, visibility = arm()
    picture = np.full((1080, 1080, 3), 90, np.uint8)
    thickness = []
    for scale in (1, 5):
        drawn = draw_poses(picture, points * np.float32(scale), visibility, [1])
        across = drawn[:, 145 * scale] != 90  # through the lower arm, which is nearly level
        thickness.append(across.any(axis=1).sum())
    assert 2 <= thickness[0] <= 8
    assert thickness[1] > 1.5 * thickness[0]


def test_the_truth_of_a_scene_lies_on_its_people() -> None:
    scene = demo_scene(0.1)
    known, rgb = truth(scene), Renderer(scene).frame(0)
    visibility = known.visible[0].astype(np.float32) / 2
    drawn = draw_poses(rgb, known.keypoints[0], visibility, [1, 2])
    touched = (drawn != rgb).any(axis=2)
    for x, y, width, height in known.bbox[0].astype(int):
        inside = touched[y : y + height, x : x + width]
        assert inside.mean() > 0.08
        touched[max(y - 40, 0) : y + height + 10, max(x - 10, 0) : x + width + 10] = False
    assert not touched.any()
