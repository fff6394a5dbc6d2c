"""Medians of few values, several times faster than `np.median`. Arrays in, arrays out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def median(values: NDArray[Any]) -> NDArray[Any]:
    """Median along the first axis, as `np.median` gives it.

    Args:
        values: (n, ...) of any real type, n >= 1.

    Returns:
        (...) of the type of `values`; float32 where that is an integer.
    """
    middle, odd = divmod(len(values), 2)
    ordered = np.sort(values, axis=0)
    if not np.issubdtype(values.dtype, np.floating):
        ordered = ordered.astype(np.float32)
    found: NDArray[Any] = ordered[middle] if odd else (ordered[middle - 1] + ordered[middle]) / 2
    return found


def median_of_arrays(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Median of an odd number of arrays, place by place.

    The smaller half is picked out by comparing whole arrays: for up to about 20 arrays far faster
    than sorting at each place. The time grows with the square of their number.
    """
    left = [array.copy() for array in arrays]
    low = np.empty_like(left[0])
    for smallest in range(len(arrays) // 2 + 1):
        for other in range(smallest + 1, len(arrays)):
            # In place: new memory takes longer than the comparison.
            np.minimum(left[smallest], left[other], out=low)
            np.maximum(left[smallest], left[other], out=left[other])
            left[smallest], low = low, left[smallest]
    return left[len(arrays) // 2]
