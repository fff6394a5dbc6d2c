"""Trails: where the people of a picture came from."""

from collections import deque
from collections.abc import Sequence

import cv2
import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.render.overlay import Picture, track_colour

_HIPS = [11, 12]


class Trails:
    """The ways of the middle of each track's hips over the last seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ways: dict[int, deque[tuple[float, int, int]]] = {}

    def add(self, time_s: float, track_ids: Sequence[int], keypoints: FloatArray) -> None:
        """Adds the people of the next picture: (P, 17, 2) pixels."""
        hips = keypoints[:, _HIPS].mean(axis=1)
        for track, (x, y) in zip(track_ids, hips.tolist(), strict=True):
            if np.isfinite([x, y]).all():
                self._ways.setdefault(track, deque()).append((time_s, round(x), round(y)))

    def forget(self, time_s: float) -> None:
        """Drops what is too long before this time."""
        for track, way in [*self._ways.items()]:
            while way and way[0][0] < time_s - self._seconds:
                way.popleft()
            if not way:
                del self._ways[track]

    def drawn(self, rgb: Picture) -> Picture:
        """A copy of the picture with all ways, in the colours of their tracks."""
        picture = rgb.copy()
        width = max(1, round(min(picture.shape[:2]) / 300))
        for track, way in self._ways.items():
            points = np.array([(x, y) for _, x, y in way], np.int32)
            cv2.polylines(picture, [points], False, track_colour(track), width, cv2.LINE_AA)
        return picture
