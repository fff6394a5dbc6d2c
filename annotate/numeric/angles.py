"""Joint angles of poses, in the plane of the picture and in three dimensions.

Zero is the neutral position of each joint: standing upright with hanging arms, the feet at right
angles to the shanks (the neutral zero method: American Academy of Orthopaedic Surgeons, Joint
Motion, 1965). The points that define each angle are those of Sports2D (Pagnon and Kim, Journal of
Open Source Software 9(101), 2024). Arrays in, arrays out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.landmark_names import place_name
from annotate.domain.skeleton import Skeleton, coco_visibility
from annotate.domain.tracks import Tracks

# A line of the body: from the mean of some keypoints to that of others.
_Line = tuple[tuple[str, ...], tuple[str, ...]]
# The opposite of gravity where the camera is level: y points down in pictures and in metres.
_UP: _Line = ((), ())


@dataclass(frozen=True)
class _Angle:
    """An angle in degrees: `offset` + `sign` x the angle between two lines, which is 0 to 180."""

    name: str
    one: _Line
    other: _Line
    offset: float = 0
    sign: int = 1


def _of_side(side: str) -> tuple[_Angle, ...]:
    def line(start: str, end: str) -> _Line:
        return (f"{side}_{start}",), (f"{side}_{end}",)

    thigh, shank, foot = line("hip", "knee"), line("ankle", "knee"), line("heel", "foot_index")
    upper_arm, trunk = line("shoulder", "elbow"), line("shoulder", "hip")
    return (
        _Angle(f"{side}_knee", thigh, line("knee", "ankle")),
        _Angle(f"{side}_hip", thigh, trunk),
        _Angle(f"{side}_ankle", shank, foot, offset=90, sign=-1),
        _Angle(f"{side}_elbow", upper_arm, line("elbow", "wrist")),
        _Angle(f"{side}_shoulder", upper_arm, trunk),
    )


_TRUNK = (("left_hip", "right_hip"), ("left_shoulder", "right_shoulder"))
_ANGLES = (*_of_side("left"), *_of_side("right"), _Angle("trunk", _TRUNK, _UP))

ANGLES = tuple(one.name for one in _ANGLES)


def joint_angles(
    points: NDArray[np.float64], known: NDArray[np.bool_], names: Sequence[str]
) -> NDArray[np.float64]:
    """The angles of each pose.

    Args:
        points: (P, K, D) places of keypoints; D is 2, in pixels, or 3, in metres; y points down.
        known: (P, K) bool: the place means something.
        names: of the K keypoints.

    Returns:
        (P, 11) float64 degrees, in the order of `ANGLES`; NaN where a keypoint of it is not known,
        or two are in one place.

    >>> arm = {"left_shoulder": (0, 0), "left_elbow": (0, 1), "left_wrist": (1, 1)}
    >>> found = joint_angles(np.array([[*arm.values()]], float), np.ones((1, 3), bool), [*arm])
    >>> float(found[0, ANGLES.index("left_elbow")])
    90.0
    """
    places = {place_name(name): place for place, name in enumerate(names)}
    found = np.full((len(points), len(_ANGLES)), np.nan)
    for column, one in enumerate(_ANGLES):
        used = [name for line in (one.one, one.other) for end in line for name in end]
        if all(name in places for name in used):
            lines = [_vectors(points, line, places) for line in (one.one, one.other)]
            angle = one.offset + one.sign * _between(*lines)
            sure = known[:, [places[name] for name in used]].all(axis=1)
            found[sure, column] = angle[sure]
    return found


def _vectors(
    points: NDArray[np.float64], line: _Line, places: dict[str, int]
) -> NDArray[np.float64]:
    """(P, D) from the line's start to its end."""
    if line is _UP:
        up = np.zeros((len(points), points.shape[2]))
        up[:, 1] = -1
        return up
    start, end = (points[:, [places[name] for name in ends]].mean(axis=1) for ends in line)
    return np.asarray(end - start, np.float64)


def _between(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """(P,) degrees from 0 to 180 between vectors (P, D); NaN where one of them is 0.

    With tangents of halves, which small angles lose no digits to: W. Kahan, How Futile are
    Mindless Assessments of Roundoff in Floating-Point Computation?, 2006, chapter 12.
    """
    a = np.linalg.norm(one, axis=1, keepdims=True)
    b = np.linalg.norm(other, axis=1, keepdims=True)
    u, v = one * b, other * a
    angle = 2 * np.arctan2(np.linalg.norm(u - v, axis=1), np.linalg.norm(u + v, axis=1))
    return np.asarray(np.where((a * b)[:, 0] > 0, np.degrees(angle), np.nan))


@dataclass(frozen=True, eq=False)
class TrackAngles:
    """Joint angles over time.

    Attributes:
        tracks: of each track, by id, (11, B) float64 degrees in B bins of time, in the order of
            `ANGLES`; NaN where a bin has none.
        in_space: they are of world landmarks; else in the plane of the picture.
    """

    tracks: Mapping[int, NDArray[np.float64]]
    in_space: bool = False


class AngleReader:
    """Means of the angles of some tracks over time, from blocks of a video in any cuts."""

    def __init__(
        self,
        tracks: Sequence[int],
        edges_s: NDArray[np.float64],
        skeleton: Skeleton,
        size: tuple[int, int],
    ) -> None:
        """Prepares.

        Args:
            tracks: ids of those that are read.
            edges_s: (B + 1,) bins of time, in seconds.
            skeleton: of the landmarks.
            size: width and height of the picture in pixels.
        """
        self._edges, self._skeleton, self._size = edges_s, skeleton, size
        shape = (len(edges_s) - 1, len(ANGLES))
        self._sums = {track: np.zeros(shape) for track in tracks}
        self._counts = {track: np.zeros(shape) for track in tracks}
        self._in_space = False

    def add(self, block: Tracks) -> None:
        """Adds a block; poses that were filled in do not count."""
        seen = block.take(np.isin(block.track_id, [*self._sums]) & ~block.filled)
        if not len(seen):
            return
        angles = self._angles(seen)
        bins = self._bins(seen.time_s)
        known = np.isfinite(angles)
        for track in np.unique(seen.track_id).tolist():
            own = seen.track_id == track
            np.add.at(self._sums[track], bins[own], np.where(known, angles, 0)[own])
            np.add.at(self._counts[track], bins[own], known[own])

    def means(self) -> TrackAngles:
        """What was added so far."""
        means = {
            track: np.where(count > 0, self._sums[track] / np.maximum(count, 1), np.nan).T
            for track, count in self._counts.items()
        }
        return TrackAngles(means, self._in_space)

    def _angles(self, block: Tracks) -> NDArray[np.float64]:
        """Of world landmarks where there are any, else in the plane of the picture."""
        v = coco_visibility(block.smoothed[:, :, [0, 1, 3, 4]], *self._size)
        self._in_space = block.smoothed_world.shape[2] > 0
        points = block.smoothed_world if self._in_space else block.smoothed[:, :, :2]
        return joint_angles(points.astype(np.float64), v > 0, self._skeleton.landmarks)

    def _bins(self, time_s: NDArray[np.float64]) -> IntArray:
        place = np.searchsorted(self._edges, time_s, side="right") - 1
        return np.asarray(np.clip(place, 0, len(self._edges) - 2), np.int64)
