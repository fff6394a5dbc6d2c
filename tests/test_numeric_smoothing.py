"""The smoother against dense algebra and against its own frequency response."""

import numpy as np
import pytest

from annotate.domain.merge_settings import SmoothingSettings
from annotate.numeric.smoothing import outliers, whittaker

MAX_CUTOFF = SmoothingSettings().max_cutoff_per_fps


def test_it_is_the_minimum_that_it_claims_to_be() -> None:
    random = np.random.default_rng(1)
    count, fps, cutoff = 40, 30.0, 6.0
    values, weights = random.normal(size=(count, 3, 2)), random.random((count, 3))
    weights[10:14, 1] = 0
    smooth = whittaker(values, weights, np.arange(count) / fps, cutoff, MAX_CUTOFF)
    bend = np.diff(np.eye(count), 2, axis=0)
    penalty = (fps / (2 * np.pi * cutoff)) ** 4 * bend.T @ bend
    for point in range(3):
        weight = np.diag(np.maximum(weights[:, point], 1e-9))
        expected = np.linalg.solve(weight + penalty, weight @ values[:, point])
        assert smooth[:, point] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("frequency", [1.0, 3.0, 6.0, 10.0])
def test_its_response_is_that_of_a_butterworth_of_order_four_run_both_ways(
    frequency: float,
) -> None:
    fps, cutoff = 240.0, 6.0
    time_s = np.arange(1200) / fps
    wave = np.sin(2 * np.pi * frequency * time_s)[:, None, None]
    smooth = whittaker(wave, np.ones((1200, 1)), time_s, cutoff, MAX_CUTOFF)
    middle = slice(400, 800)
    ratio = np.abs(smooth[middle]).max() / np.abs(wave[middle]).max()
    assert ratio == pytest.approx(1 / (1 + (frequency / cutoff) ** 4), abs=0.01)


def test_the_cutoff_is_capped_at_a_fraction_of_the_frame_rate() -> None:
    values = np.random.default_rng(7).normal(size=(50, 1, 1))
    time_s, weights = np.arange(50) / 10, np.ones((50, 1))
    capped = whittaker(values, weights, time_s, 9.0, 0.4)
    assert capped == pytest.approx(whittaker(values, weights, time_s, 4.0, 1.0))
    assert (capped != whittaker(values, weights, time_s, 9.0, 1.0)).any()


def test_uneven_times_do_not_bend_a_straight_line() -> None:
    time_s = np.cumsum(np.random.default_rng(2).uniform(0.01, 0.05, 50))
    line = (3 * time_s + 1)[:, None, None]
    weights = np.random.default_rng(3).random((50, 1))
    assert whittaker(line, weights, time_s, 6.0, MAX_CUTOFF) == pytest.approx(line, abs=1e-6)


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_values_to_smooth_stay(count: int) -> None:
    values = np.random.default_rng(4).random((count, 2, 2))
    smooth = whittaker(values, np.ones((count, 2)), np.arange(count) / 30, 6.0, MAX_CUTOFF)
    assert (smooth == values).all()


def test_an_outlier_is_what_is_far_from_its_neighbours() -> None:
    time_s = np.arange(60) / 30
    values = np.sin(time_s)[:, None] * 100 + np.random.default_rng(5).normal(0, 0.5, (60, 1))
    values[20] += 40
    found = outliers(values, time_s, 0.1, max_neighbours=50, sigmas=3.0, floor=5.0)
    assert np.flatnonzero(found).tolist() == [20]


def test_an_outlier_is_found_among_times_one_tick_apart() -> None:
    """A window of 0.1 s would hold 18,000 of these values."""
    random = np.random.default_rng(6)
    values = 100 + random.normal(0, 0.5, (300, 1))
    values[120] += 40
    found = outliers(values, np.arange(300) / 90_000, 0.1, max_neighbours=50, sigmas=3.0, floor=5.0)
    assert np.flatnonzero(found).tolist() == [120]
