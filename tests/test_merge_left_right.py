"""When left and right of a pose are taken for exchanged.

Figures are worked out by hand for the default settings: another threshold gives another answer.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.merge_settings import LeftRightSettings
from annotate.domain.skeleton import COCO_MIRROR
from annotate.merge.left_right import _certainty, mirrored

SETTINGS = LeftRightSettings()
HEIGHT = 200.0
NOSE, EARS, LEFT_SHOULDER, RIGHT_SHOULDER = 0, [3, 4], 5, 6


def face(width: float, drop: float) -> FloatArray:
    """One pose that faces the camera: the face's width, and the nose's place below the ears, in
    lengths of the shoulders.
    """
    points = np.zeros((1, 17, 2), np.float32)
    points[0, LEFT_SHOULDER, 0] = 100
    points[0, EARS[0], 0] = 100 * width
    points[0, NOSE, 1] = 100 * drop
    return points


@pytest.mark.parametrize(
    ("width", "drop", "sure"),
    [
        (0.325, 0.02, 0.5),  # half a step below, and just as wide as a face
        (0.35, 0.0, 0.5),  # half a step wider
        (0.2, 0.2, 0.5),  # two and a half steps narrower, five below, of which three count
        (0.4, -0.2, 0.5),  # a step and a half wider, five above, of which one counts
        (0.9, 0.1, 1.0),
        (0.1, -0.1, -1.0),
    ],
)
def test_a_face_tells_how_sure_left_and_right_are(width: float, drop: float, sure: float) -> None:
    assert _certainty(face(width, drop), SETTINGS) == pytest.approx(sure, abs=1e-4)


def standing(poses: int, exchanged: slice, way: float) -> FloatArray:
    """A person with a clear face, whose joints are `way` heights apart in the mean from where they
    are in the exchanged poses.
    """
    points = np.zeros((poses, 17, 2), np.float32)
    # Two of the eight joints that are compared lie apart; the others are in the middle.
    points[:, LEFT_SHOULDER, 0], points[:, RIGHT_SHOULDER, 0] = 2 * way * HEIGHT, -2 * way * HEIGHT
    points[:, EARS[0], 0] = 9 * HEIGHT * way
    points[exchanged] = points[exchanged][:, COCO_MIRROR]
    return points


def found(points: FloatArray, time_s: NDArray[np.float64], first: bool | None = None) -> list[int]:
    """The poses that are taken for exchanged."""
    height = np.full(len(points), HEIGHT, np.float32)
    return np.flatnonzero(mirrored(points, height, time_s, SETTINGS, first)).tolist()


@pytest.mark.parametrize(("frames", "are"), [(15, True), (35, False)])
def test_poses_are_exchanged_only_for_a_while(frames: int, are: bool) -> None:
    """At 0.04 heights a second, two jumps of 0.01 pay for half a second: 25 frames."""
    exchanged = slice(30, 30 + frames)
    points = standing(100, exchanged, way=0.01)
    assert found(points, np.arange(100) / 50) == [*range(100)[exchanged]] * are


@pytest.mark.parametrize(("frames", "are"), [(6, True), (10, False)])
def test_a_jump_over_a_long_time_tells_less(frames: int, are: bool) -> None:
    """Jumps over 0.2 s count half, 0.01 together, and the way there costs 0.1 s: 0.004. Each
    further frame costs 0.0008.
    """
    exchanged = slice(30, 30 + frames)
    points = standing(80, exchanged, way=0.01)
    steps = np.full(80, 0.02)
    steps[[30, 30 + frames]] = 0.2
    assert found(points, np.cumsum(steps)) == [*range(80)[exchanged]] * are


@pytest.mark.parametrize(("frames", "are"), [(100, True), (200, False)])
def test_a_jump_counts_by_no_more_than_its_bound(frames: int, are: bool) -> None:
    """Two jumps of 0.3 heights pay for 15 s: 150 of these frames."""
    exchanged = slice(200, 200 + frames)
    points = standing(600, exchanged, way=1.0)
    assert found(points, np.arange(600) / 10) == [*range(600)[exchanged]] * are


@pytest.mark.parametrize("first", [True, False, None])
def test_a_person_goes_on_as_in_the_block_before(first: bool | None) -> None:
    """To change sides would cost more than a moment exchanged."""
    points = standing(10, slice(0), way=0.05)
    assert found(points, np.arange(10) / 50, first) == [*range(10)] * bool(first)
