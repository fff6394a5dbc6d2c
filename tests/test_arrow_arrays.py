"""NumPy arrays as Arrow arrays and back."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from annotate.store.arrow_arrays import offsets_of, to_arrow, to_numpy, values_of


@pytest.mark.parametrize(
    "values",
    [
        np.array([3, -1, 2], np.int64),
        np.array([1.5, np.nan, np.inf], np.float32),
        np.array([True, False, True] * 5),
        np.zeros(0, np.float64),
        np.zeros(0, np.bool_),
        np.arange(10, dtype=np.int32)[::3],
    ],
    ids=["integers", "with NaN", "bools", "no numbers", "no bools", "every third"],
)
def test_there_and_back(values: NDArray[Any]) -> None:
    array = to_arrow(values)
    assert array.equals(pa.array(values)) or np.isnan(values).any()
    for back in (
        to_numpy(array),
        to_numpy(pa.chunked_array([array, array.slice(1)]))[: len(values)],
    ):
        assert back.dtype == values.dtype
        np.testing.assert_array_equal(back, values)


def test_a_part_of_an_array() -> None:
    bools = np.array([True, False, False, True])
    np.testing.assert_array_equal(to_numpy(to_arrow(bools).slice(1, 2)), bools[1:3])


def test_missing_values_are_an_error() -> None:
    with pytest.raises(ValueError, match="1 values are missing"):
        to_numpy(pa.array([1, None]))


LISTS = [[1, 2], [], [3], [4, 5, 6]]


@pytest.mark.parametrize("first", [0, 1, 2])
def test_lists(first: int) -> None:
    lists = pa.array(LISTS, pa.list_(pa.int64())).slice(first)
    assert values_of(lists).to_pylist() == [one for some in LISTS[first:] for one in some]
    assert offsets_of(lists).tolist() == [0, *np.cumsum([len(one) for one in LISTS[first:]])]


@pytest.mark.parametrize("first", [0, 1, 3])
def test_lists_of_one_size(first: int) -> None:
    lists = pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int64(), 2)).slice(first)
    assert values_of(lists).to_pylist() == [1, 2, 3, 4, 5, 6][2 * first :]


def test_no_lists() -> None:
    lists = pa.array([], pa.list_(pa.int64()))
    assert len(values_of(lists)) == 0
    assert offsets_of(lists).tolist() == [0]


def test_missing_lists_are_an_error() -> None:
    with pytest.raises(ValueError, match="1 lists are missing"):
        values_of(pa.array([[1], None], pa.list_(pa.int64())))
