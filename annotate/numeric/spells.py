"""Spells: stretches of a track in which something is wrong, and how much it matters."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from annotate.domain.arrays import FloatArray
from annotate.domain.moments import WEIGHTS, Moment, MomentKind, MomentSettings
from annotate.numeric.pose_facts import PoseFacts
from annotate.numeric.ranges import runs_of


@dataclass(frozen=True, eq=False)
class Spell:
    """Poses `[start, stop)` of a track, the worst of them, and its value."""

    own: PoseFacts
    start: int
    stop: int
    worst: int
    most: float

    @property
    def seconds(self) -> float:
        """From the first pose to the last one."""
        return float(self.own.time_s[self.stop - 1] - self.own.time_s[self.start])

    def moment(
        self,
        kind: MomentKind,
        track: int,
        threshold: float,
        words: str,
        other: int | None = None,
    ) -> Moment:
        """As severe as its worst value is far beyond the threshold."""
        severity = severity_of(kind, self.most, threshold)
        return self._moment(kind, track, severity, words, other)

    def lasting(self, kind: MomentKind, track: int, least_s: float, words: str) -> Moment:
        """As severe as it is long."""
        return self._moment(kind, track, severity_of(kind, self.seconds, least_s), words)

    def _moment(
        self, kind: MomentKind, track: int, severity: float, words: str, other: int | None = None
    ) -> Moment:
        first, last, worst = self.own.frame[[self.start, self.stop - 1, self.worst]].tolist()
        return Moment(kind, track, first, last, worst, severity, words, other)


def spells(
    flags: NDArray[np.bool_],
    values: NDArray[Any],
    own: PoseFacts,
    settings: MomentSettings,
    least_s: float = 0.0,
    *,
    join: bool = True,
) -> Iterator[Spell]:
    """Runs of flagged poses that last long enough, in order; never across a gap of the track.

    Args:
        flags: (n,) bool, of the poses of a track.
        values: (n,) how bad each is.
        own: facts of the track.
        settings: how long a pause between two runs may be that are one spell.
        least_s: from the first pose to the last one.
        join: whether pauses count as part of a spell.
    """
    longest_s = settings.join_s if join else 0.0
    ranges: list[tuple[int, int]] = []
    for start, stop in _runs(flags, own.time_s, settings):
        if ranges and own.time_s[start] - own.time_s[ranges[-1][1] - 1] <= longest_s:
            ranges[-1] = (ranges[-1][0], stop)
        else:
            ranges.append((start, stop))
    for start, stop in ranges:
        if own.time_s[stop - 1] - own.time_s[start] >= least_s:
            within = np.where(flags[start:stop], values[start:stop], -np.inf)
            worst = start + int(within.argmax())
            yield Spell(own, start, stop, worst, float(values[worst]))


def _runs(
    flags: NDArray[np.bool_], time_s: NDArray[np.float64], settings: MomentSettings
) -> Iterator[tuple[int, int]]:
    """Ranges of flagged poses, cut where the track has a gap."""
    step_s = np.diff(time_s)
    usual_s = float(np.median(step_s)) if len(step_s) else settings.join_s
    longest_s = max(settings.join_s, settings.max_step_ratio * usual_s)
    gaps = np.flatnonzero(step_s > longest_s) + 1
    for start, stop in runs_of(flags):
        inside = gaps[(gaps > start) & (gaps < stop)].tolist()
        yield from pairwise([start, *inside, stop])


def severity_of(kind: MomentKind, value: float, threshold: float) -> float:
    """Half of the kind's weight at the threshold, all of it at twice the threshold."""
    return float(WEIGHTS[kind] * min(max(value / threshold, 1) / 2, 1))


def running_median(
    values: FloatArray, time_s: NDArray[np.float64], settings: MomentSettings
) -> NDArray[np.float64]:
    """(n,) medians over `bones_window_s` around each of two or more values."""
    usual_s = float(np.median(np.diff(time_s)))
    count = min(settings.bones_window_s / usual_s, settings.bones_max_poses)
    smooth: NDArray[np.float64] = median_filter(
        values.astype(np.float64), int(count) | 1, mode="nearest"
    )
    return smooth
