"""What each kind of work takes, from runs that do different amounts of each."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from tests.benchmarks.ways import cost


def least_ms(repeats: int, frames: int, run: Callable[[], None]) -> float:
    """The least core-milliseconds a frame of some runs in this process: other work only adds."""
    return min(cost(frames, run).core_ms for _ in range(repeats))


def fitted(work: Sequence[Sequence[float]], took: Sequence[float]) -> NDArray[np.float64]:
    """(K,) what a unit of each kind of work takes, none less than nothing: the least squares of
    relative errors.

    Args:
        work: (N, K) how much of each kind each run did.
        took: (N,) what each run took.
    """
    rows, whole = np.array(work, float), np.array(took)
    found: NDArray[np.float64] = nnls(rows / whole[:, None], np.ones(len(whole)))[0]
    return found
