"""Ranges of rows. Arrays in, arrays out."""

import numpy as np
from numpy.typing import NDArray


def runs_of(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Ranges [start, stop) of places that are all true and as long as they can be.

    >>> runs_of(np.array([False, True, True, False, True]))
    [(1, 3), (4, 5)]
    """
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False)).reshape(-1, 2)
    return [(start, stop) for start, stop in edges.tolist()]
