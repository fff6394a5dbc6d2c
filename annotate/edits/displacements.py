"""How far reviewers moved a keypoint, in all rows of a video."""

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray


class Displacements:
    """Of one keypoint: what edits added to its place in each row."""

    def __init__(self) -> None:
        self._by = np.zeros((0, 2), np.float32)
        self._by_hand: set[int] = set()

    def move(self, row: int, by: FloatArray) -> None:
        """Files that the keypoint was moved by (2,) float32 pixels in a row, by hand."""
        if row >= len(self._by):
            grown = np.zeros((2 * row + 1, 2), np.float32)
            grown[: len(self._by)] = self._by
            self._by = grown
        self._by[row] += by
        self._by_hand.add(row)

    def between(
        self, row: int, frame: IntArray, of_track: NDArray[np.bool_]
    ) -> list[tuple[IntArray, FloatArray]]:
        """Rows between one that was moved and its nearest neighbours that were, and by how much
        more they move so that amounts change evenly from one to the other.

        Args:
            row: that was moved.
            frame: (R,) int64, of all rows.
            of_track: (R,) bool: the rows of its track.
        """
        moved = [one for one in self._by_hand if of_track[one] and one != row]
        before = [one for one in moved if frame[one] < frame[row]]
        after = [one for one in moved if frame[one] > frame[row]]
        found = []
        if before:
            nearest = max(before, key=lambda one: int(frame[one]))
            found.append(self._shifted(nearest, row, frame, of_track))
        if after:
            nearest = min(after, key=lambda one: int(frame[one]))
            found.append(self._shifted(row, nearest, frame, of_track))
        return found

    def _shifted(
        self, first: int, last: int, frame: IntArray, of_track: NDArray[np.bool_]
    ) -> tuple[IntArray, FloatArray]:
        start, stop = frame[first], frame[last]
        rows = np.flatnonzero(of_track & (frame > start) & (frame < stop))
        self._by = np.pad(self._by, ((0, max(0, len(frame) - len(self._by))), (0, 0)))
        share = ((frame[rows] - start) / (stop - start)).astype(np.float32)[:, None]
        wanted = (1 - share) * self._by[first] + share * self._by[last]
        more: FloatArray = wanted - self._by[rows]
        self._by[rows] = wanted
        return rows, more
