"""The ids of tracks: linked tracks share one, short ones and false positives are dropped."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.merge_settings import LinkSettings, MergeSettings
from annotate.merge.doubles import is_double
from annotate.merge.links import chain, find_links
from annotate.merge.pose_table import NONE, PoseTable
from annotate.merge.track_rows import TrackRows
from annotate.merge.window import Window


@dataclass(frozen=True)
class Decision:
    """What was decided on one of the tracker's tracks.

    Attributes:
        track_id: 0 = dropped.
        until_s: where another track continues this one, its start: it may begin a moment before
            this one's own end.
    """

    track_id: int
    until_s: float = np.inf

    @property
    def is_closed(self) -> bool:
        """Whether no other track can continue this one."""
        return not self.track_id or self.until_s < np.inf


class Linker:
    """Gives ids to the tracks of one video, in order of time."""

    def __init__(self, settings: MergeSettings) -> None:
        self._settings = settings
        self._ids_given = 0
        self._decisions: dict[int, Decision] = {}

    def ids(self, window: Window) -> IntArray:
        """(P,) int64 ids of the window's poses; 0 = dropped, or not decided yet.

        Decides on the tracks that begin before the time that the smoother sees from the block.
        """
        table = window.table
        until_s = float(window.frame_s[window.stop - 1]) + self._settings.smoothing.memory_s
        rows = _rows_of_tracks(table.track)
        known = {n: self._decisions[n] for n in rows if n in self._decisions}
        # Step 1: drop short tracks that are mostly limb false positives or duplicates. A still, or
        # a few frames, shows too little of a track to tell: there its score has to do.
        undecided = [n for n in rows if n not in known]
        link = self._settings.link
        brief = window.shown_s < link.min_track_s
        false = {n for n in undecided if not brief and _is_false(table, rows[n], link)}
        dropped = {n: Decision(0) for n in false if table.time_s[rows[n][0]] < until_s}
        # Step 2: link the others over gaps.
        tracks = TrackRows(
            table,
            rows={n: own for n, own in rows.items() if n not in false},
            undecided=tuple(n for n in undecided if n not in false),
            closed=frozenset(n for n, one in known.items() if one.is_closed),
        )
        links = find_links(tracks, window.step_s, self._settings)
        # Step 3: number them, and drop those that are too short.
        self._decisions = self._decided(known, tracks, links, until_s, window) | dropped
        return self._ids_of(tracks)

    def _decided(
        self,
        known: Mapping[int, Decision],
        tracks: TrackRows,
        links: Mapping[int, int],
        until_s: float,
        window: Window,
    ) -> dict[int, Decision]:
        """The known decisions and those on the tracks that begin before `until_s`."""
        decisions = dict(known)
        # A track over all sound frames of a short video is not too short. (The window of a longer
        # video always shows more than the shortest track.)
        brief = window.shown_s < self._settings.link.min_track_s
        min_track_s = min(self._settings.link.min_track_s, window.shown_s + window.step_s)
        after = {before: number for number, before in links.items()}
        for number in sorted(tracks.undecided, key=lambda n: _first_place(tracks, n)):
            start_s = tracks.start_s(number)
            if start_s >= until_s:
                break
            before = links.get(number)
            if before is not None and decisions[before].track_id:
                decisions[number] = Decision(decisions[before].track_id)
                decisions[before] = replace(decisions[before], until_s=start_s)
                continue
            own = np.concatenate(chain(tracks.rows, number, after))
            lasts_s = tracks.table.time_s[own[-1]] - start_s + window.step_s
            double = not brief and is_double(tracks.table, own, links, self._settings.link)
            if double or lasts_s < min_track_s - 1e-9:
                decisions[number] = Decision(0)
            else:
                self._ids_given += 1
                decisions[number] = Decision(self._ids_given)
        return decisions

    def _ids_of(self, tracks: TrackRows) -> IntArray:
        ids = np.zeros(len(tracks.table), np.int64)
        for number, rows in tracks.rows.items():
            decision = self._decisions.get(number)
            if decision is not None:
                inside = tracks.table.time_s[rows] < decision.until_s
                ids[rows[inside]] = decision.track_id
        return ids


def _rows_of_tracks(track: IntArray) -> dict[int, IntArray]:
    """Of each track's number the rows of its poses, in order of time."""
    order = np.argsort(track, kind="stable")
    pieces = np.split(order, np.flatnonzero(np.diff(track[order])) + 1)
    rows = {int(track[piece[0]]): piece for piece in pieces if len(piece)}
    rows.pop(NONE, None)
    return rows


def _is_false(table: PoseTable, rows: IntArray, settings: LinkSettings) -> bool:
    """Whether a track is short and mostly limb false positives or duplicates."""
    short = table.time_s[rows[-1]] - table.time_s[rows[0]] < settings.max_suspect_s
    return bool(short and table.suspect[rows].mean() >= settings.min_suspect_fraction)


def _first_place(tracks: TrackRows, number: int) -> tuple[int, float]:
    """The first frame of a track and x there: the order of ids."""
    first = tracks.rows[number][0]
    return int(tracks.table.frame[first]), float(tracks.table.hip[first, 0])
