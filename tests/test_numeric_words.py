"""Text of arrays of numbers, compared with Python's own text of each number."""

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.numeric.words import (
    constant,
    decimals,
    flat,
    integers,
    joined,
    listed,
    millionths,
    pick,
    rows_of,
    text_of,
)

# Around each power of ten, where numbers grow longer, and where a group of four digits ends.
EDGES = sorted({10**power + more for power in range(16) for more in (-1, 0, 1)})


def each(words: NDArray[np.uint32]) -> list[str]:
    return [row.decode() for row in rows_of(words)]


def test_integers_are_as_python_writes_them() -> None:
    assert each(integers(np.array(EDGES))) == [str(value) for value in EDGES]
    assert each(integers(np.array([7, 0, 9999]))) == ["7", "0", "9999"]


@pytest.mark.parametrize("places", [1, 2, 3, 4])
def test_decimals_are_as_repr_writes_them(places: int) -> None:
    random = np.random.default_rng(places)
    spread = random.normal(size=2000) * 10 ** random.uniform(-4, 7, 2000)
    whole = [value for value in EDGES if value < 10**10]
    values = np.round(np.concatenate([spread, np.arange(-30, 30) / 10**places, whole]), places) + 0
    assert each(decimals(values, places)) == [repr(value) for value in values.tolist()]


def test_numbers_too_large_for_exact_hundredths_are_as_repr_writes_them() -> None:
    values = np.array([1e14, 1.5, 1e300])
    assert each(decimals(values, 2, b";")) == ["100000000000000.0;", "1.5;", "1e+300;"]


def test_six_places_are_as_format_writes_them() -> None:
    random = np.random.default_rng(0)
    # The share of a picture of 640 pixels is often the middle between two millionths.
    shares = np.arange(0, 64_000, 7) / 100 / 640
    values = np.concatenate([shares, random.uniform(-2, 2, 1000), [0.0, -0.0, 0.9999995, 1e-9]])
    middles = (values * 1e6) % 1 == 0.5
    assert middles.sum() > 100
    assert each(millionths(values)) == [f"{value:.6f}" for value in values.tolist()]
    large = np.array([1e12, -3.25])
    assert each(millionths(large, b" ")) == [f"{value:.6f} " for value in large.tolist()]


def test_a_line_is_made_of_texts_numbers_and_lists() -> None:
    scores = np.array([[0.5, 0.25, 1.0], [0.0, 0.125, 0.75]])
    lines = joined(
        b"row ",
        integers(np.array([9, 12345])),
        pick([b"", b" (last)"], np.array([False, True])),
        ": né ".encode(),
        listed(scores, 3, b", "),
        b"\n",
    )
    expected = ["row 9: né 0.5, 0.25, 1.0\n", "row 12345 (last): né 0.0, 0.125, 0.75\n"]
    assert each(lines) == expected
    assert text_of(lines).decode() == "".join(expected)


def test_no_rows_are_no_text() -> None:
    none = np.empty((0, 3))
    lines = joined(b"x", listed(none, 2), integers(np.empty(0, np.int64)), flat(millionths(none)))
    assert text_of(lines) == b""
    assert rows_of(lines) == []


def test_words_of_several_axes_become_lines() -> None:
    pairs = decimals(np.array([[[1.5, 2.0], [3.0, 4.0]]]), 2, b" ")
    assert flat(pairs, axes=2).shape[:2] == (1, 2)
    assert text_of(flat(pairs)) == b"1.5 2.0 3.0 4.0 "
    assert text_of(constant(b"abcde")) == b"abcde"
