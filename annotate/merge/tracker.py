"""Which run continues which track: where runs begin, and only there, people have to be told apart.

Who is lost for longer than a moment is left to the links between tracks, which see both sides.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from annotate.domain.arrays import FloatArray, IntArray
from annotate.merge.identity_swaps import LEAST_POSES, changes
from annotate.merge.pose_table import Sightings
from annotate.merge.settings import MergeSettings
from annotate.merge.tracklets import NONE, Ties, similarity, ties
from annotate.numeric.similarity import appearance_distance

_COLUMNS = ("keypoints", "seen", "box", "hip", "score", "inside", "appearance")
STEPS = 1e6  # similarities and costs are multiples of 1 / STEPS, so that ties break alike


@dataclass(eq=False)
class Track:
    """One person so far, up to the end of the run that it has reached.

    Attributes:
        number: in order of birth.
        last_s: time of the last pose.
        hips: the last poses' (time, hip x, hip y), as far back as motion is looked at.
        keypoints, seen, box: of the last pose.
        worn: the last poses' (time, six colours), as far back as links look, too.
    """

    number: int
    last_s: float = -np.inf
    hips: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    keypoints: FloatArray = field(default_factory=lambda: np.zeros((17, 2), np.float32))
    seen: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(17, np.bool_))
    box: FloatArray = field(default_factory=lambda: np.zeros(4, np.float32))
    worn: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 7)))

    def shift(self, time_s: float) -> tuple[float, float]:
        """How far the person has moved by `time_s`, in pixels, at the last speed."""
        (t0, x0, y0), (t1, x1, y1) = self.hips[0].tolist(), self.hips[-1].tolist()
        reach = (time_s - t1) / (t1 - t0) if t1 > t0 else 0.0
        return (x1 - x0) * reach, (y1 - y0) * reach


@dataclass(frozen=True, eq=False)
class _Poses:
    """The poses of a block, after those of the last frame before it; see `Sightings`."""

    frame: IntArray
    time_s: NDArray[np.float64]
    keypoints: FloatArray
    seen: NDArray[np.bool_]
    box: FloatArray
    hip: FloatArray
    score: FloatArray
    inside: NDArray[np.bool_]
    appearance: FloatArray


class Tracker:
    """Follows people through the blocks of one video, given in order."""

    def __init__(self, settings: MergeSettings) -> None:
        self._settings = settings
        self._alive: list[Track] = []
        self._born = 0
        self._reach_s = settings.lost_s
        # The last frame of the block before, and the tracks of its poses.
        self._last: _Poses | None = None
        self._last_owners: list[Track | None] = []

    def follow(self, block: Sightings) -> tuple[IntArray, NDArray[np.bool_]]:
        """Whose the poses are.

        Returns:
            (P,) int64 number of the track of each pose, NONE where a pose begins none; and (P,)
            bool, true where it leaves open whom it continues.
        """
        poses = self._with_last(block)
        carried = len(self._last_owners)
        if len(poses.time_s) > 1:
            self._reach_s = self._settings.reach_s(float(np.median(np.diff(poses.time_s))))
        known = ties(
            poses.frame,
            poses.time_s,
            poses.keypoints,
            poses.seen,
            poses.box,
            poses.inside,
            self._reach_s,
            self._settings,
        )
        runs = _Runs(known)
        slid = changes(runs.all_rows(), poses.appearance, poses.time_s[poses.frame], self._settings)
        if len(slid):
            known = known.cut(slid)
            runs = _Runs(known)
        owners: list[Track | None] = [None] * len(runs)
        for run, owner in enumerate(self._last_owners):
            if owner is not None:
                owners[run] = owner
                self._extend(owner, poses, runs, run, carried=True)
        for frame, begun in _begun(poses.frame[runs.first[carried:]], carried):
            for run, owner in self._continued(poses, runs, frame, begun):
                owners[run] = owner
        numbers = np.array([NONE if o is None else o.number for o in owners], np.int64)
        self._remember(poses, [owners[run] for run in runs.of])
        return numbers[runs.of][carried:], known.leaves_open[carried:]

    def _with_last(self, block: Sightings) -> _Poses:
        mine = _Poses(
            block.frame,
            block.time_s,
            block.keypoints,
            block.seen,
            block.box,
            block.hip,
            block.score,
            block.inside,
            block.appearance,
        )
        last = self._last
        if last is None:
            return mine
        return _Poses(
            np.concatenate([last.frame, mine.frame + 1]),
            *(
                np.concatenate([getattr(last, name), getattr(mine, name)])
                for name in ("time_s", *_COLUMNS)
            ),
        )

    def _remember(self, poses: _Poses, owners: list[Track | None]) -> None:
        start = int(np.searchsorted(poses.frame, len(poses.time_s) - 1))
        self._last = _Poses(
            np.zeros(len(poses.frame) - start, np.int64),
            poses.time_s[-1:],
            *(getattr(poses, name)[start:] for name in _COLUMNS),
        )
        self._last_owners = owners[start:]

    def _continued(
        self, poses: _Poses, runs: "_Runs", frame: int, begun: IntArray
    ) -> Iterator[tuple[int, Track]]:
        """The runs that begin in a frame, and whose they are."""
        time_s = float(poses.time_s[frame])
        self._alive = [t for t in self._alive if time_s - t.last_s <= self._reach_s]
        # Who is in a run of his own at this time is not asked.
        waiting = [track for track in self._alive if track.last_s < time_s]
        owners: dict[int, Track] = {}
        asked = begun[~runs.leave_open[begun]]
        if waiting and len(asked):
            for place, pose in self._pairs(waiting, poses, runs, asked):
                owners[int(asked[pose])] = waiting[place]
        for run in begun.tolist():
            owner = owners.get(run)
            if owner is None:
                if poses.score[runs.rows(run)].max() < self._settings.birth_score:
                    continue
                owner = self._begin()
            self._extend(owner, poses, runs, run)
            yield run, owner

    def _begin(self) -> Track:
        track = Track(self._born)
        self._born += 1
        self._alive.append(track)
        return track

    def _pairs(
        self, tracks: list[Track], poses: _Poses, runs: "_Runs", begun: IntArray
    ) -> Iterator[tuple[int, int]]:
        """Places of the tracks and of the runs `begun` that go together."""
        alike = np.rint(self._similarity(tracks, poses, runs.first[begun]) * STEPS) / STEPS
        changed = self._changed(tracks, poses, runs, begun)
        good = (alike >= self._settings.least_similarity) & ~changed
        a, b = linear_sum_assignment(np.where(good, -alike, 0))
        yield from zip(a[good[a, b]].tolist(), b[good[a, b]].tolist(), strict=True)

    def _changed(
        self, tracks: list[Track], poses: _Poses, runs: "_Runs", begun: IntArray
    ) -> NDArray[np.bool_]:
        """(tracks, begun) bool: the appearance of the run differs from the track's."""
        heads = []
        for run in begun.tolist():
            rows = runs.rows(run)
            time_s = poses.time_s[poses.frame[rows]]
            near = time_s < time_s[0] + self._settings.link_motion_s
            heads.append(_worn(poses.appearance[rows[near]]))
        tails = np.stack([_worn(track.worn[:, 1:]) for track in tracks])
        apart = appearance_distance(tails[:, None], np.stack(heads)[None])
        changed: NDArray[np.bool_] = apart > self._settings.appearance_change
        return changed

    def _similarity(self, tracks: list[Track], poses: _Poses, rows: IntArray) -> FloatArray:
        """(tracks, rows) float32 in [0, 1], of the predicted poses with those of the frame."""
        settings = self._settings
        time_s = float(poses.time_s[poses.frame[rows[0]]])
        shift = np.array([track.shift(time_s) for track in tracks], np.float32)
        return similarity(
            (np.stack([track.keypoints for track in tracks]) + shift[:, None])[:, None],
            poses.keypoints[rows][None],
            np.stack([track.seen for track in tracks])[:, None] & poses.seen[rows][None],
            (np.stack([track.box for track in tracks]) + np.tile(shift, 2))[:, None],
            poses.box[rows][None],
            settings,
        )

    def _extend(
        self, track: Track, poses: _Poses, runs: "_Runs", run: int, *, carried: bool = False
    ) -> None:
        """The track goes on through a run, of which it has the first pose if it is carried over."""
        if runs.end[run]:
            self._alive.remove(track)
        rows = runs.rows(run)[carried:]
        if not len(rows):
            return
        time_s = poses.time_s[poses.frame[rows]]
        last = rows[-1]
        track.last_s = float(time_s[-1])
        track.keypoints, track.seen = poses.keypoints[last], poses.seen[last]
        track.box = poses.box[last]
        hips = np.vstack([track.hips, np.column_stack([time_s, poses.hip[rows]])])
        recent = hips[:, 0] > track.last_s - self._settings.velocity_s
        worn = np.vstack([track.worn, np.column_stack([time_s, poses.appearance[rows]])])
        track.worn = worn[worn[:, 0] > track.last_s - self._settings.link_motion_s]
        # One pose more, so that the whole of that time is spanned; and two at least.
        keep = max(int(recent.sum()) + 1, 2)
        track.hips = hips[-keep:]


class _Runs:
    """Runs, numbered by their first row."""

    def __init__(self, known: Ties) -> None:
        starts = known.before == NONE
        self.first: IntArray = np.flatnonzero(starts)
        self.of = _roots(known.before, np.cumsum(starts) - 1)
        self._order = np.argsort(self.of, kind="stable")
        self._begin = np.searchsorted(self.of[self._order], np.arange(len(self.first) + 1))
        self.leave_open = known.leaves_open[self.first]
        # Whether each run's last pose ends its track.
        self.end = known.ends[self._order[self._begin[1:] - 1]] if len(starts) else known.ends

    def __len__(self) -> int:
        return len(self.first)

    def all_rows(self) -> list[IntArray]:
        """`rows` of every run."""
        return np.split(self._order, self._begin[1:-1])

    def rows(self, run: int) -> IntArray:
        """Rows of a run, in order of time."""
        return self._order[self._begin[run] : self._begin[run + 1]]


def _worn(appearance: NDArray[Any]) -> NDArray[Any]:
    """(6,) the usual colours of a few poses (n, 6); NaN, which is like everything, of too few."""
    return np.median(appearance, axis=0) if len(appearance) >= LEAST_POSES else np.full(6, np.nan)


def _roots(before: IntArray, number: IntArray) -> IntArray:
    """(P,) the number of the row at which each row's chain begins, found by pointer jumping."""
    root = np.where(before == NONE, np.arange(len(before)), before)
    while True:
        farther = root[root]
        if (farther == root).all():
            return number[root]
        root = farther


def _begun(frame: IntArray, first: int) -> Iterator[tuple[int, IntArray]]:
    """The frames in which runs begin, and the runs, of which the first has that number."""
    numbers = np.arange(first, first + len(frame))
    for begun in np.split(numbers, np.flatnonzero(np.diff(frame)) + 1):
        if len(begun):
            yield int(frame[begun[0] - first]), begun
