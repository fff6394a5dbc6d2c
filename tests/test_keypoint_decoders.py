"""Decoders of plain keypoints, SimCC and heat maps, on made outputs whose answer is known."""

import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.domain.landmark_kinds import HeatMap, SimCC
from annotate.domain.model_spec import LandmarkSpec
from annotate.pipeline.decoders import landmark_decoder
from annotate.pipeline.landmarks import CropPose

WIDTH, HEIGHT = 96, 128
SPLIT = 2
"""Bins of SimCC a pixel."""
CELL = 4
"""Pixels of the crop a cell of a heat map."""


def spec(kind: SimCC | HeatMap) -> LandmarkSpec:
    return LandmarkSpec(
        file="",
        sha256="",
        input="image",
        layout="NCHW",
        size=(WIDTH, HEIGHT),
        value_range=(0.0, 255.0),
        decoder=kind,
        count=1,
        min_score=0.0,
    )


def of_simcc(*keypoints: tuple[float, float, float, float]) -> CropPose:
    """The pose of keypoints that are at x, y, with these maxima in the two outputs."""
    x = np.full((1, len(keypoints), WIDTH * SPLIT), -0.1, np.float32)
    y = np.full((1, len(keypoints), HEIGHT * SPLIT), -0.1, np.float32)
    for k, (at_x, at_y, by_x, by_y) in enumerate(keypoints):
        x[0, k, round(at_x * SPLIT)], y[0, k, round(at_y * SPLIT)] = by_x, by_y
    return landmark_decoder(spec(SimCC("x", "y"))).decode([x, y])


def of_heatmap(maps: FloatArray) -> CropPose:
    """The pose of heat maps (k, h, w)."""
    return landmark_decoder(spec(HeatMap("heatmap"))).decode([maps[None]])


def empty(keypoints: int = 1) -> FloatArray:
    return np.zeros((keypoints, HEIGHT // CELL, WIDTH // CELL), np.float32)


def test_simcc_gives_the_likeliest_column_and_row_in_pixels_of_the_crop() -> None:
    pose = of_simcc((10.5, 100, 0.8, 0.6), (95, 0.5, 0.9, 0.9))
    assert pose.landmarks.tolist() == pytest.approx(
        np.array([[10.5, 100, 0, 0.6, 1], [95, 0.5, 0, 0.9, 1]])
    )
    assert pose.world.shape == (2, 0)


def test_a_keypoint_is_as_sure_as_the_less_sure_of_its_axes() -> None:
    sure = of_simcc((5, 5, 0.9, 0.3), (5, 5, 0.3, 0.9)).landmarks[:, 3]
    assert sure.tolist() == pytest.approx([0.3, 0.3])


def test_confidence_is_clipped_to_probabilities() -> None:
    above, below = of_simcc((5, 5, 1.2, 1.1), (5, 5, -0.05, 0.5)).landmarks[:, 3]
    assert (above, below) == (1, 0)


def test_the_score_of_a_pose_is_the_mean_of_its_confident_keypoints() -> None:
    pose = of_simcc((5, 5, 0.9, 0.9), (5, 5, 0.5, 0.5), (5, 5, 0.2, 0.2), (5, 5, 0.1, 0.1))
    assert pose.score == pytest.approx(0.7)
    assert of_simcc((5, 5, 0.2, 0.2)).score == 0


@pytest.mark.parametrize(
    ("right", "down", "x", "y"),
    [
        (0.5, 0.0, 10.25, 20),
        (-0.5, 0.0, 9.75, 20),
        (0.0, 0.5, 10, 20.25),
        (0.5, -0.5, 10.25, 19.75),
    ],
)
def test_a_heat_maps_keypoint_is_a_quarter_cell_towards_the_likelier_neighbours(
    right: float, down: float, x: float, y: float
) -> None:
    maps = empty()
    maps[0, 20, 10] = 0.75
    maps[0, 20, [9, 11]] = 0.2, 0.2 + right / 4
    maps[0, [19, 21], 10] = 0.2, 0.2 + down / 4
    (landmark,) = of_heatmap(maps).landmarks
    assert landmark.tolist() == pytest.approx([x * CELL, y * CELL, 0, 0.75, 1])


@pytest.mark.parametrize(("row", "column"), [(0, 0), (31, 23), (0, 23)])
def test_a_cell_at_the_edge_of_a_heat_map_is_not_shifted_along_that_axis(
    row: int, column: int
) -> None:
    maps = empty() + np.linspace(0, 0.1, 24, dtype=np.float32)
    maps[0, row, column] = 0.5
    (landmark,) = of_heatmap(maps).landmarks
    assert landmark[:2].tolist() == [column * CELL, row * CELL]


@pytest.mark.parametrize("column", [1, WIDTH // CELL - 2])
def test_a_cell_beside_the_edge_of_a_heat_map_is_shifted(column: int) -> None:
    maps = empty()
    maps[0, 5, column], maps[0, 5, column + 1] = 0.5, 0.3
    (landmark,) = of_heatmap(maps).landmarks
    assert landmark[:2].tolist() == [(column + 0.25) * CELL, 5 * CELL]


def test_each_heat_map_has_its_own_keypoint() -> None:
    maps = empty(3)
    for k, (row, column, sure) in enumerate([(5, 7, 0.9), (30, 2, 0.4), (16, 20, 1.5)]):
        maps[k, row, column] = sure
    pose = of_heatmap(maps)
    assert pose.landmarks[:, :2].tolist() == [[28, 20], [8, 120], [80, 64]]
    assert pose.landmarks[:, 3].tolist() == pytest.approx([0.9, 0.4, 1])
    assert pose.score == pytest.approx(np.mean([0.9, 0.4, 1]))


def test_kinds_name_their_outputs_in_the_order_of_their_decoders() -> None:
    assert SimCC("a", "b").outputs == ("a", "b")
    assert HeatMap("a").outputs == ("a",)
    assert not SimCC("a", "b").gives_world
    assert not HeatMap("a").gives_world
