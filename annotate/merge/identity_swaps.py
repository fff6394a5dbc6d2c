"""Tracklets that go over from one person to another: where the appearance changes for good."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.merge_settings import SwapSettings
from annotate.numeric.similarity import appearance_distance


def identity_swaps(
    tracklets: list[IntArray],
    appearance: FloatArray,
    time_s: NDArray[np.float64],
    settings: SwapSettings,
) -> IntArray:
    """The poses at which another person's begin.

    Args:
        tracklets: of each one the rows of its poses, in order of time.
        appearance: (P, 6) float32.
        time_s: (P,) float64 seconds.

    Returns:
        (k,) int64 rows, increasing; the first row of a tracklet is not among them.
    """
    found: list[int] = []
    for rows in tracklets:
        own = appearance[rows]
        # An appearance that is never far from its median never changes by more than twice that.
        steady = settings.min_difference / 2
        if (
            len(rows) < 2 * settings.min_poses
            or appearance_distance(own, np.median(own, axis=0)).max() <= steady
        ):
            continue
        step_s = float(np.median(np.diff(time_s[rows])))
        width = round(min(settings.window_s / step_s, settings.max_window_poses))
        found += rows[_swaps(own, max(settings.min_poses, width), settings)].tolist()
    return np.array(sorted(found), np.int64)


def _swaps(appearance: FloatArray, width: int, settings: SwapSettings) -> list[int]:
    """Places where the medians of `width` poses before and after differ most; no two of them are
    closer than `width`.
    """
    padded = np.pad(appearance, ((width, width), (0, 0)), mode="symmetric")
    medians = np.median(sliding_window_view(padded, width, axis=0), axis=-1)
    # The window that begins at padded place p ends just before pose p.
    count = len(appearance)
    change = appearance_distance(medians[:count], medians[width : width + count])
    change[: settings.min_poses] = change[count - settings.min_poses + 1 :] = 0
    places = []
    while change.max() > settings.min_difference:
        place = int(change.argmax())
        places.append(place)
        change[max(0, place - width) : place + width] = 0
    return places
