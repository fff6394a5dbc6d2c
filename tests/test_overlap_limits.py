"""People who overlap, and their colours: on both sides of each threshold.

Figures are worked out by hand for the default settings: another threshold gives another answer.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.numeric.rgb_picture import RgbPicture
from annotate.pipeline.anchors import assigned, neighbours
from annotate.pipeline.appearance import AppearanceSampler
from annotate.pipeline.occluders import Occluders, hide
from tests.test_appearance import BODY, standing
from tests.test_overlaps import LEFT, PICTURE, body

SETTINGS = PipelineSettings()


def square(x: float) -> FloatArray:
    """Of 100 pixels."""
    return np.array([x, 0, x + 100, 100], np.float32)


@pytest.mark.parametrize(("moved", "found"), [(40, {0: 0}), (65, {})])
def test_a_box_is_of_a_person_whose_last_one_it_overlaps(
    moved: float, found: dict[int, int]
) -> None:
    """Intersections over unions of 0.43 and 0.21."""
    assert assigned([square(0)], [square(moved)], SETTINGS.anchor_iou) == found


@pytest.mark.parametrize(("moved", "near"), [(85, True), (93, False)])
def test_people_overlap_if_they_share_a_tenth_of_a_box(moved: float, near: bool) -> None:
    found = neighbours([square(0), square(moved)], SETTINGS.neighbour_overlap)
    assert found.any() == near


def shown(visibility: float) -> NDArray[np.bool_]:
    """Of a crop as large as the picture, in which a person of 100 pixels stands at 50."""
    crop = PICTURE.rgb.copy()
    whole = np.array([100, 100, 200, 0], np.float32)
    others = Occluders(LEFT, np.zeros((0, 4), np.float32), [body(50, visibility)], 1.25)
    hide(crop, whole, others, SETTINGS)
    visible: NDArray[np.bool_] = crop[:, :, 0] > 0
    return visible


@pytest.mark.parametrize(("visibility", "painted"), [(0.2, False), (0.35, True)])
def test_keypoints_that_are_seen_a_little_are_painted_over(
    visibility: float, painted: bool
) -> None:
    assert shown(visibility)[80, 50] != painted


def test_limbs_and_head_are_painted_as_wide_as_those_of_people() -> None:
    """Limbs are 11 pixels wide, with OpenCV's edges 13, and the left thigh's middle is at 40 there;
    the head's radius is 7 pixels.
    """
    found = shown(0.9)
    assert found[112, [33, 40, 46]].tolist() == [True, False, False]
    assert found[50, [50, 55, 60]].tolist() == [False, False, True]


def test_the_colours_are_taken_in_the_middle_of_trunk_and_thighs() -> None:
    """Red is half of x, and green is y. Shoulders are at 90, hips at 150, knees at 200."""
    y, x = np.mgrid[:300, :400]
    rgb = np.stack([x / 2, y.clip(0, 255), 0 * x], axis=2).astype(np.uint8)
    colours = AppearanceSampler(BODY, SETTINGS).sample(RgbPicture(rgb), standing(200, 150))
    assert colours == pytest.approx([100, 90 + 0.45 * 60, 0, 100, 150 + 0.5 * 50, 0], abs=1.5)
