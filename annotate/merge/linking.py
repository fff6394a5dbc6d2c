"""Which tracks are one person, before and after a gap, and their numbers.

The tracker ends a track soon after it loses somebody. Here the ends and the starts of tracks are
looked at from both sides, all together: with a cost for each pair, the best way to join them is an
assignment.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from annotate.domain.arrays import FloatArray, IntArray
from annotate.merge.settings import MergeSettings
from annotate.merge.tracker import STEPS
from annotate.merge.tracklets import NONE
from annotate.numeric.similarity import appearance_distance

# Side of the ROI of somebody who stands, in body heights.
ROI_PER_HEIGHT = 1.35
# The spread in time of poses of which half the speed is believed.
MOMENT_S = 0.045
# Poses that nobody covers, from which what somebody wears is believed.
_LEAST_ALONE = 3
# Bones of the trunk and the limbs, as pairs of COCO's keypoints.
_BONES = np.array(
    [
        *((5, 11), (6, 12), (11, 13), (12, 14), (13, 15), (14, 16)),
        *((5, 7), (6, 8), (7, 9), (8, 10)),
    ]
)


@dataclass(frozen=True, eq=False)
class Rows:
    """Poses of some time, ordered by frame.

    Attributes:
        track: (P,) int64 number of the tracker's track, or NONE.
        frame_index: (P,) int64.
        time_s: (P,) float64 seconds.
        hip, size, keypoints, crowded, appearance: (P, ...) as in `Sightings`.
        extra: (P,) bool: inside somebody or his double, as in `Sightings`.
        leaves_open: (P,) bool, as in `Ties`.
    """

    track: IntArray
    frame_index: IntArray
    time_s: NDArray[np.float64]
    hip: FloatArray
    size: FloatArray
    keypoints: FloatArray
    extra: NDArray[np.bool_]
    crowded: NDArray[np.bool_]
    appearance: FloatArray
    leaves_open: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _End:
    """A track at one of its ends.

    Attributes:
        time_s: of the end.
        place, velocity: (2,) pixels and pixels a second of the hips there.
        belief: in [0, 1], how well the velocity is known.
        height: pixels.
        bones: (B,) logarithm of the lengths of the bones, in heights.
        appearance: (6,) medians, of poses that nobody covers if there are some.
    """

    time_s: float
    place: NDArray[np.float64]
    velocity: NDArray[np.float64]
    belief: float
    height: float
    bones: NDArray[np.float64]
    appearance: FloatArray


class Linker:
    """Gives ids to the tracks of one video, in order of time."""

    def __init__(self, settings: MergeSettings) -> None:
        self._settings = settings
        self._given = 0
        # Ids of the tracks that were decided on; 0 for those that are nobody.
        self._ids: dict[int, int] = {}
        self._followed: set[int] = set()
        # When tracks end that are followed by one which begins a moment before their own end.
        self._until_s: dict[int, float] = {}

    def ids(self, rows: Rows, until_s: float, step_s: float) -> IntArray:
        """(P,) int64 ids of the rows' tracks; 0 for nobody and for what is not decided yet.

        Args:
            rows: from `link_s` and `link_motion_s` before the first undecided track on, until
                nothing can change any more about the tracks that begin before `until_s`.
            until_s: the tracks that begin before it are decided on.
            step_s: the usual time between two frames.
        """
        order = np.argsort(rows.track, kind="stable")
        pieces = np.split(order, np.flatnonzero(np.diff(rows.track[order])) + 1)
        tracks = {int(rows.track[mine[0]]): mine for mine in pieces if len(mine)}
        tracks.pop(NONE, None)
        self._ids = {number: self._ids[number] for number in tracks if number in self._ids}
        self._followed &= tracks.keys()
        self._drop_parts(tracks, rows, until_s)
        moments = self._moments(tracks, rows, step_s)
        links = self._links(tracks, rows, moments)
        self._insert(tracks, rows, links, moments)
        last_s = self._last_s(tracks, rows, links)
        new = [n for n in tracks if n not in self._ids and rows.time_s[tracks[n][0]] < until_s]
        new.sort(
            key=lambda n: (int(rows.frame_index[tracks[n][0]]), float(rows.hip[tracks[n][0], 0]))
        )
        for number in new:
            before = links.get(number)
            if before is not None and self._ids[before]:
                self._followed.add(before)
                self._until_s[before] = float(rows.time_s[tracks[number][0]])
                self._ids[number] = self._ids[before]
            elif (
                last_s[number] - rows.time_s[tracks[number][0]] + step_s
                < self._settings.least_s - 1e-9
            ):
                self._ids[number] = 0
            else:
                self._given += 1
                self._ids[number] = self._given
        self._until_s = {n: s for n, s in self._until_s.items() if n in tracks}
        ids = np.zeros(len(rows.track), np.int64)
        for number, mine in tracks.items():
            inside = rows.time_s[mine] < self._until_s.get(number, np.inf)
            ids[mine[inside]] = self._ids.get(number, 0)
        return ids

    def _drop_parts(self, tracks: dict[int, IntArray], rows: Rows, until_s: float) -> None:
        """A part or a double of somebody, taken for a person for a moment, is nobody."""
        for number, mine in list(tracks.items()):
            first_s, last_s = rows.time_s[mine[0]], rows.time_s[mine[-1]]
            short = last_s - first_s < self._settings.inside_s
            if number not in self._ids and short and rows.extra[mine].mean() >= 0.5:
                del tracks[number]
                if first_s < until_s:
                    self._ids[number] = 0

    def _last_s(
        self, tracks: dict[int, IntArray], rows: Rows, links: dict[int, int]
    ) -> dict[int, float]:
        """When each track, with those that follow it, ends."""
        after = {before: number for number, before in links.items()}
        ends: dict[int, float] = {}
        for number in sorted(tracks, key=lambda n: -rows.time_s[tracks[n][-1]]):
            follower = after.get(number)
            own = float(rows.time_s[tracks[number][-1]])
            ends[number] = own if follower is None else ends[follower]
        return ends

    def _links(self, tracks: dict[int, IntArray], rows: Rows, moments: list[int]) -> dict[int, int]:
        """For tracks that are not decided on, the track that each continues."""
        settings = self._settings
        # What a moment shows has a place, but no direction.
        able = [n for n in tracks if n not in moments]
        ends = [n for n in able if n not in self._followed and self._ids.get(n, 1)]
        starts = [n for n in able if n not in self._ids]
        end_s = np.array([rows.time_s[tracks[n][[0, -1]]] for n in ends]).reshape(-1, 1, 2)
        start_s = np.array([rows.time_s[tracks[n][[0, -1]]] for n in starts]).reshape(1, -1, 2)
        gaps = start_s[:, :, 0] - end_s[:, :, 1]
        near = (gaps > -settings.link_overlap_s) & (gaps <= settings.link_s)
        # Neither lies within the other.
        near &= (end_s < start_s).all(axis=2)
        saved = np.zeros(near.shape)
        tails = {e: self._end(rows, tracks[ends[e]], -1) for e in np.flatnonzero(near.any(axis=1))}
        heads = {s: self._end(rows, tracks[starts[s]], 0) for s in np.flatnonzero(near.any(axis=0))}
        for e, s in np.argwhere(near):
            saved[e, s] = max(0.0, settings.link_cost - self._cost(tails[e], heads[s]))
        # Where two people were one for a while, what they do before and after tells more.
        doubtful = [bool(rows.leaves_open[tracks[n][0]]) for n in starts]
        saved[:, doubtful] *= settings.link_doubt
        saved = np.rint(saved * STEPS) / STEPS
        chosen = zip(*linear_sum_assignment(-saved), strict=True)
        return {starts[s]: ends[e] for e, s in chosen if saved[e, s] > 0}

    def _moments(self, tracks: dict[int, IntArray], rows: Rows, step_s: float) -> list[int]:
        """Undecided tracks that are too short to tell a motion, unless frames are so far apart that
        many are.
        """
        least_s = self._settings.link_least_s
        if step_s > least_s / 2:
            return []
        return [
            number
            for number, mine in tracks.items()
            if number not in self._ids and rows.time_s[mine[-1]] - rows.time_s[mine[0]] < least_s
        ]

    def _insert(
        self, tracks: dict[int, IntArray], rows: Rows, links: dict[int, int], moments: list[int]
    ) -> None:
        """Puts tracks that are linked to none, moments among them, where they fill a gap: where
        somebody must have been there is no room for another. Gaps that are filled in without them
        take moments only.
        """
        linked = {*links, *links.values()}
        for number in [n for n in tracks if n not in self._ids and n not in linked]:
            first, last = tracks[number][0], tracks[number][-1]
            best, least = None, self._settings.link_place * 2
            for after, before in links.items():
                end, start = tracks[before][-1], tracks[after][0]
                within = rows.time_s[end] < rows.time_s[first] <= rows.time_s[last]
                within &= rows.time_s[last] < rows.time_s[start]
                long = rows.time_s[start] - rows.time_s[end] > self._settings.gap_s
                if within and (long or number in moments):
                    miss = max(_miss(rows, end, start, at) for at in (first, last))
                    if miss < least:
                        best, least = after, miss
            if best is not None:
                links[number], links[best] = links[best], number

    def _end(self, rows: Rows, mine: IntArray, which: int) -> _End:
        """The end of a track: 0 the first, -1 the last."""
        time_s = rows.time_s[mine]
        near = mine[np.abs(time_s - time_s[which]) <= self._settings.link_motion_s]
        time_s = rows.time_s[near] - rows.time_s[mine[which]]
        hips = rows.hip[near].astype(np.float64)
        about = time_s - time_s.mean()
        spread = float(about @ about)
        velocity = about @ (hips - hips.mean(axis=0)) / max(spread, 1e-9)
        height = max(float(_median(rows.size[near])) / ROI_PER_HEIGHT, 1.0)
        points = rows.keypoints[near].astype(np.float64)
        lengths = np.linalg.norm(points[:, _BONES[:, 0]] - points[:, _BONES[:, 1]], axis=2)
        alone = near[~rows.crowded[near]]
        shown = alone if len(alone) >= _LEAST_ALONE else near
        belief = spread / (spread + len(near) * MOMENT_S**2)
        return _End(
            time_s=float(rows.time_s[mine[which]]),
            place=hips.mean(axis=0) - belief * velocity * time_s.mean(),
            velocity=velocity,
            belief=belief,
            height=height,
            bones=np.log(np.maximum(_median(lengths) / height, 0.01)),
            appearance=_median(rows.appearance[shown]),
        )

    def _cost(self, end: _End, start: _End) -> float:
        """Of taking a track's end and another's start for the same person: twice the negative
        logarithm of a likelihood, normal in all that may not fit. The wider the place in which the
        person is expected, the less does it say that somebody is there.
        """
        settings = self._settings
        gap = max(start.time_s - end.time_s, 0.0)
        height = (end.height + start.height) / 2
        belief = end.belief + start.belief
        velocity = (end.belief * end.velocity + start.belief * start.velocity) / (belief + 0.1)
        miss = np.linalg.norm(start.place - end.place - velocity * gap) / height
        usual = settings.link_place + gap * (
            settings.link_drift + (2 - belief) / 2 * settings.link_speed
        )
        turn = np.linalg.norm(start.velocity - end.velocity) / height / settings.link_turn
        growth = np.log(end.height / start.height) / settings.link_growth
        worn = (
            float(appearance_distance(end.appearance, start.appearance)) / settings.link_appearance
        )
        dress = min(worn**2, settings.link_appearance_most) - settings.link_appearance_gain
        shape = np.abs(end.bones - start.bones).mean() / settings.link_bones
        wider = 4 * np.log(usual / settings.link_place)
        turned = end.belief * start.belief * min(float(turn**2), settings.link_turn_most)
        return float((miss / usual) ** 2 + wider + turned + growth**2 + shape**2 + dress)


def _miss(rows: Rows, end: int, start: int, at: int) -> float:
    """How far a pose is from the straight way between two others, in heights."""
    share = (rows.time_s[at] - rows.time_s[end]) / (rows.time_s[start] - rows.time_s[end])
    expected = rows.hip[end] + share * (rows.hip[start] - rows.hip[end])
    height = float(rows.size[end]) / ROI_PER_HEIGHT
    return float(np.linalg.norm(rows.hip[at] - expected)) / height


def _median(values: NDArray[Any]) -> NDArray[Any]:
    """Of the first axis, as `np.median`, which takes several times as long for so few."""
    middle, odd = divmod(len(values), 2)
    ordered = np.sort(values, axis=0)
    median: NDArray[Any] = ordered[middle] if odd else (ordered[middle - 1] + ordered[middle]) / 2
    return median
