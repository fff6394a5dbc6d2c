"""The tiles of a picture in which the detector looks for small people."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotate.domain.arrays import FloatArray
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.numeric.geometry import tile_rois

SIZE = 224  # of the detector's input
SETTINGS = PipelineSettings()


def tiles(width: int, height: int) -> FloatArray:
    return tile_rois(width, height, SIZE, SETTINGS)


def test_a_full_hd_frame_has_a_coarse_and_a_fine_level_of_tiles() -> None:
    sides, counts = np.unique(tiles(1920, 1080)[:, 2].round(), return_counts=True)
    assert sides.tolist() == [320, 784, 1920]
    assert counts.tolist() == [8 * 4, 3 * 2, 1]


def test_a_small_picture_has_no_tile_smaller_than_the_detectors_input() -> None:
    assert np.unique(tiles(640, 360)[:, 2].round()).tolist() == [SIZE, 379, 640]
    assert len(tiles(200, 100)) == 1


def test_a_rotated_picture_has_the_same_tiles_rotated() -> None:
    upright, lying = tiles(1080, 1920), tiles(1920, 1080)
    assert sorted(map(tuple, upright[:, :2].tolist())) == sorted(
        map(tuple, lying[:, 1::-1].tolist())
    )


@given(
    width=st.integers(16, 4000),
    height=st.integers(16, 4000),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_person_as_large_as_the_overlap_is_seen_whole_on_every_level(
    width: int, height: int, place: tuple[float, float]
) -> None:
    rois = tiles(width, height).astype(np.float64)
    sides = np.unique(rois[:, 2])[::-1]
    assert sides[0] == max(width, height)
    assert (sides[:-1] / sides[1:] <= SETTINGS.tile_step + 1e-3).all()
    assert sides[-1] >= min(sides[0], SETTINGS.finest_tile * sides[0], SIZE) - 1e-3
    for side in sides:
        # Anywhere in the picture, a square as large as the overlap, or as the picture allows.
        inner = np.minimum(SETTINGS.tile_overlap * side, [width, height])
        low = np.array(place) * (np.array([width, height]) - inner)
        level = rois[rois[:, 2] == side]
        start, stop = level[:, :2] - side / 2, level[:, :2] + side / 2
        assert ((start <= low + 1e-2) & (stop >= low + inner - 1e-2)).all(axis=1).any()
