"""Runs that slide from one person to another: where the appearance changes for good."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.merge.settings import MergeSettings
from annotate.numeric.similarity import appearance_distance

LEAST_POSES = 3  # on each side of a change


def changes(
    runs: list[IntArray],
    appearance: FloatArray,
    time_s: NDArray[np.float64],
    settings: MergeSettings,
) -> IntArray:
    """The poses at which somebody else's begin.

    Args:
        runs: of each run the rows of its poses, in order of time.
        appearance: (P, 6) float32.
        time_s: (P,) float64 seconds.

    Returns:
        (k,) int64 rows, none of them the first of its run.
    """
    found: list[int] = []
    for rows in runs:
        mine = appearance[rows]
        # Clothes that are never far from their median never change by more than twice that.
        least = settings.appearance_change / 2
        if (
            len(rows) < 2 * LEAST_POSES
            or appearance_distance(mine, np.median(mine, axis=0)).max() <= least
        ):
            continue
        step_s = float(np.median(np.diff(time_s[rows])))
        width = max(LEAST_POSES, round(settings.appearance_s / step_s))
        found += rows[_places(mine, width, settings.appearance_change)].tolist()
    return np.array(sorted(found), np.int64)


def _places(appearance: FloatArray, width: int, least: float) -> list[int]:
    """Where the medians of `width` poses before and after differ most, by more than `least`; no
    two such places are closer than `width`.
    """
    padded = np.pad(appearance, ((width, width), (0, 0)), mode="symmetric")
    medians = np.median(sliding_window_view(padded, width, axis=0), axis=-1)
    # The window that begins at padded place p ends just before pose p.
    count = len(appearance)
    change = appearance_distance(medians[:count], medians[width : width + count])
    change[:LEAST_POSES] = change[count - LEAST_POSES + 1 :] = 0
    places = []
    while change.max() > least:
        place = int(change.argmax())
        places.append(place)
        change[max(0, place - width) : place + width] = 0
    return places
