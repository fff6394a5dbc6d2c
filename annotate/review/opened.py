"""One video as reviewers see it: its tracks with all edits, in parts, and its edits."""

import threading
from bisect import bisect_left
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from annotate.domain.changes import CHANGES, Change, TrackRef, Undo
from annotate.domain.edits import Edit, change_from, meant_by, undone
from annotate.domain.errors import EditError
from annotate.domain.job import Job, JobVideo
from annotate.domain.moments import Moment, MomentSettings
from annotate.domain.tracks import Tracks
from annotate.domain.video import VideoIndex
from annotate.edits import Basis, Edited, edited
from annotate.numeric.moments import Watched, find_moments
from annotate.numeric.pose_facts import pose_facts
from annotate.numeric.ranges import runs_of
from annotate.numeric.selection import selected_frames
from annotate.store import Store, tables
from annotate.store.damage import damage_named
from annotate.use_cases.edits import Edits
from annotate.use_cases.final_tracks import basis_of, damaged_frames, missing_frames

# Fields of changes that are tracks, which the page names by id and frame.
_REFS = ("track", "other")


@dataclass(frozen=True, eq=False)
class View:
    """The tracks as the edits up to a number make them."""

    edits: tuple[Edit, ...]
    tracks: Edited

    @property
    def last(self) -> int:
        """The number of the last edit; 0 without any."""
        return self.edits[-1].number if self.edits else 0

    @cached_property
    def undone(self) -> frozenset[int]:
        """Numbers of edits that were taken back."""
        return undone(self.edits)


@dataclass(frozen=True)
class Unseen:
    """Frames in which no person was looked for.

    Attributes:
        start, stop: every annotated frame in `[start, stop)` is one.
        kind: `damaged` or `missing`.
        why: in words.
    """

    start: int
    stop: int
    kind: str
    why: str


class OpenVideo:
    """A video with tracks. Several threads may use it.

    Every method raises StoreError where the store cannot be read or written.

    Attributes:
        annotated: (N,) bool: the frames of the video that the job annotates.
        unseen: those in which no person was looked for, in order.
    """

    def __init__(self, store: Store, job: Job, video: JobVideo, author: str) -> None:
        self.video, self._author = video, author
        self._edits = Edits(store, job, video)
        self._list = store.results(job.recipe, video).edits
        self._lock = threading.RLock()
        self._finding = threading.Lock()
        self._open = ExitStack()
        results = store.results(job.recipe, video)
        name, file = self._open.enter_context(results.open_tracks(job.merge_digest))
        self._key = results.tracks_key(name)
        with damage_named(self._key):
            self._outline, axes = tables.read_outline(file)
            self._blocks = tables.BlockReader(file)
            self._starts = np.cumsum([0, *self._blocks.sizes])
        self.basis: Basis = basis_of(store, job, video, axes, name)
        ends = self._starts[1:] - 1
        self._last_frames: list[int] = self._outline.frame_index[ends].tolist()
        frames = selected_frames(self.index, job.recipe.selection)
        self.annotated = np.zeros(len(self.index), np.bool_)
        self.annotated[frames] = True
        damaged = damaged_frames(store, job, video)
        self._watched = Watched(frames, self.index.time_s[frames], damaged)
        missing = np.isin(frames, missing_frames(store, job, video))
        found = [Unseen(one.start, one.stop, "damaged", one.reason) for one in damaged]
        for a, b in runs_of(missing):
            start, stop = int(frames[a]), int(frames[b - 1]) + 1
            found.append(Unseen(start, stop, "missing", "not processed, see `annotate status`"))
        self.unseen = tuple(sorted(found, key=lambda one: one.start))
        self._own: list[int] = []
        self._view: View | None = None
        self._moments: tuple[View, list[Moment]] | None = None

    def close(self) -> None:
        """Closes the file of the tracks."""
        self._open.close()

    @property
    def index(self) -> VideoIndex:
        """Of the video."""
        return self.basis.index

    def view(self) -> View:
        """The tracks with all edits that are in the store now."""
        with self._lock:
            before = self._view
            known = before.edits if before else ()
            newer = self._list.read(after=before.last if before else 0)
            if before is None or newer:
                edits = (*known, *newer)
                self._view = View(edits, edited(self._outline, edits, self.basis))
            assert self._view is not None  # noqa: S101 - just made
            return self._view

    def poses(self, start: int, stop: int) -> Tracks:
        """The poses in the frames `[start, stop)` with all edits applied."""
        with self._lock:
            tracks = self.view().tracks
            first = bisect_left(self._last_frames, start)
            found = []
            for number in range(first, len(self._last_frames)):
                after = self._last_frames[number - 1] if number else -1
                if after >= stop - 1:
                    break
                block = self._block(number)
                found.append(
                    tracks.block(block, int(self._starts[number]), after, self._last_frames[number])
                )
            else:
                after = self._last_frames[-1] if self._last_frames else -1
                found.append(tracks.block(None, 0, after, len(self.index)))
        whole = Tracks.concat(found)
        return whole.take((whole.frame_index >= start) & (whole.frame_index < stop))

    def _block(self, number: int) -> Tracks:
        """A block of the tracks file, before any edit."""
        with self._lock, damage_named(self._key):
            return self._blocks.read(number)

    def moments(self) -> list[Moment]:
        """Where the tracks may be wrong, the most suspicious first."""
        # Of an hour this takes seconds, in which poses and edits go on.
        with self._finding:
            view, settings = self.view(), MomentSettings()
            if self._moments is None or self._moments[0] is not view:
                blocks = view.tracks.blocks(self._block(n) for n in range(len(self._last_frames)))
                size = (self.index.width, self.index.height)
                facts = pose_facts(blocks, self.basis.skeleton, size, settings)
                found = find_moments(facts, self._watched, settings)
                found.sort(key=lambda one: (-one.severity, one.frame))
                self._moments = (view, found)
            return self._moments[1]

    def add(self, kind: Any, given: Any, after: Any) -> Edit:
        """Files a change.

        Args:
            kind: of the change.
            given: its fields; tracks are named by `track` and `frame`, and new tracks get free ids.
            after: number of the last edit that the page shows.

        Raises:
            EditError: the change is not valid, or does not fit the tracks.
            EditConflictError: another reviewer has just changed the same.
        """
        known = isinstance(kind, str) and kind in CHANGES
        if not known or not isinstance(given, dict) or type(after) is not int:
            raise EditError(f"{kind!r:.40} is not an edit", "Load the page again.")
        view = self.view()
        found = dict(given)
        for name in _REFS:
            if isinstance(found.get(name), dict):
                found[name] = asdict(self._ref(view, found[name]))
        names = {one.name for one in fields(CHANGES[kind])}
        if "made" in names:
            found["made"] = self.free_id(view)
        return self.add_change(change_from(kind, found), after)

    def add_change(self, change: Change, after: int) -> Edit:
        """Files a change; arguments and errors as for `add`."""
        edit = self._edits.add(change, self._author, after)
        self._own.append(edit.number)
        return edit

    def own(self, view: View) -> list[int]:
        """Numbers of the edits of this run that can be undone, in order."""
        undos = {edit.number for edit in view.edits if isinstance(edit.change, Undo)}
        return sorted(set(self._own) - undos - view.undone)

    def free_id(self, view: View) -> int:
        """An id that no track ever had."""
        made = [edit.change.new_track or 0 for edit in view.edits]
        return max([int(view.tracks.rows.track.max(initial=0)), *made]) + 1

    def _ref(self, view: View, named: dict[str, Any]) -> TrackRef:
        track, frame = named.get("track"), named.get("frame")
        if type(track) is not int or type(frame) is not int:
            raise EditError("an edit names no track", "Load the page again.")
        return self.ref(view, track, frame)

    def ref(self, view: View, track: int, frame: int) -> TrackRef:
        """A track as edits refer to it, by the pose in a frame or the one nearest to it.

        Raises:
            EditError: there is no such track.
        """
        rows = view.tracks.rows
        own = np.flatnonzero(rows.track == track)
        if not len(own):
            why = "".join(_changed(view, track)[-1:])
            raise EditError(f"there is no track {track} any more{why}", "Choose another person.")
        row = own[np.abs(rows.frame[own] - frame).argmin()]
        at = int(rows.frame[row])
        x, y, width, height = rows.box[row].tolist()
        return TrackRef(track, at, int(self.index.pts[at]), (x, y, width, height))


def _changed(view: View, track: int) -> list[str]:
    """Who has changed a track, in words, edit by edit."""
    meant = meant_by(view.edits)
    return [
        f": {edit.author} has changed it (edit {edit.number}, {edit.change.kind})"
        for edit in view.edits
        if track in (meant(edit.change).span.tracks or ())
    ]
