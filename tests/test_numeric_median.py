"""Medians and the cheapest way through two states, against their definitions."""

from itertools import product

import numpy as np
import pytest

from annotate.numeric.median import median, median_of_arrays
from annotate.numeric.viterbi import cheapest_states


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_the_median_is_that_of_numpy(count: int) -> None:
    values = np.random.default_rng(count).normal(size=(count, 3, 2))
    assert np.array_equal(median(values), np.median(values, axis=0))


def test_the_median_of_integers_has_halves() -> None:
    pixels = np.array([[250, 3], [251, 0], [10, 200], [255, 1]], np.uint8)
    found = median(pixels)
    assert found.dtype == np.float32
    assert found.tolist() == [250.5, 2.0]


@pytest.mark.parametrize("count", [1, 3, 7, 13])
def test_the_median_of_arrays_is_that_of_numpy(count: int) -> None:
    values = np.random.default_rng(count).normal(size=(count, 20, 2))
    assert np.array_equal(median_of_arrays(list(values)), np.median(values, axis=0))


@pytest.mark.parametrize("first", [None, False, True])
@pytest.mark.parametrize("seed", range(5))
def test_no_way_through_two_states_is_cheaper(seed: int, first: bool | None) -> None:
    random = np.random.default_rng(seed)
    stay, switch = random.random((2, 7))
    costs = random.normal(0, 0.5, 7)

    def cost(states: tuple[bool, ...]) -> float:
        steps = zip(states, states[1:], stay, switch, costs, strict=False)
        return float(sum((k if a == b else c) + b * price for a, b, k, c, price in steps))

    ways = [way for way in product((False, True), repeat=8) if first in (None, way[0])]
    found = tuple(cheapest_states(stay, switch, costs, first).tolist())
    assert found in ways
    assert cost(found) == pytest.approx(min(map(cost, ways)))
