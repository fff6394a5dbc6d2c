"""The colours of a person, on painted pictures."""

import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.skeleton import SKELETONS
from annotate.numeric.rgb_picture import RgbPicture
from annotate.pipeline.appearance import AppearanceSampler

BODY, UPPER_BODY = SKELETONS["blazepose-33"], SKELETONS["blazepose-25"]
ON_BODY, ON_UPPER_BODY = (
    AppearanceSampler(skeleton, PipelineSettings()) for skeleton in (BODY, UPPER_BODY)
)
SHIRT, TROUSERS, WALL = (200, 30, 60), (20, 40, 120), (128, 128, 128)


def standing(x: float, y: float) -> FloatArray:
    """33 landmarks of a person 200 px tall whose hips are at (x, y)."""
    landmarks = np.zeros((33, 5), np.float32)
    for name, dx, dy in (("shoulder", 25, -60), ("hip", 15, 0), ("knee", 15, 50)):
        for side, sign in (("left", 1), ("right", -1)):
            place = BODY.landmarks.index(f"{side}_{name}")
            landmarks[place, :2] = x + sign * dx, y + dy
    return landmarks


def picture(x: int, y: int) -> RgbPicture:
    rgb = np.full((300, 400, 3), WALL, np.uint8)
    rgb[y - 65 : y, max(0, x - 30) : x + 30] = SHIRT
    rgb[y : y + 110, max(0, x - 30) : x + 30] = TROUSERS
    return RgbPicture(rgb)


def test_trunk_and_thighs_have_their_own_colours() -> None:
    assert ON_BODY.sample(picture(200, 150), standing(200, 150)).tolist() == [*SHIRT, *TROUSERS]


def test_a_few_pixels_of_something_else_do_not_matter() -> None:
    shown = picture(200, 150)
    shown.rgb[90:150:7] = WALL
    assert ON_BODY.sample(shown, standing(200, 150)).tolist() == [*SHIRT, *TROUSERS]


def test_without_knees_the_thighs_are_as_the_trunk() -> None:
    colours = ON_UPPER_BODY.sample(picture(200, 150), standing(200, 150)[:25])
    assert colours.tolist() == [*SHIRT, *SHIRT]


@pytest.mark.parametrize("x", [-500, 0, 399, 10_000])
def test_a_person_cut_off_or_outside_the_picture_has_the_colours_of_its_edge(x: int) -> None:
    colours = ON_BODY.sample(picture(5, 150), standing(x, 150))
    assert colours.shape == (6,)
    assert np.isfinite(colours).all()
