"""Which pose belongs to which track once all edits are applied, and what else changes in it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import singledispatchmethod

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.changes import (
    AddPoses,
    Change,
    DeletePoses,
    HideKeypoint,
    MarkReviewed,
    MergeTracks,
    MoveKeypoint,
    NameTrack,
    SplitTrack,
    SwapSides,
    SwapTracks,
    TrackRef,
)
from annotate.domain.edits import Edit
from annotate.domain.errors import EditError
from annotate.domain.names import printable
from annotate.domain.outline import Outline
from annotate.domain.skeleton import Skeleton
from annotate.domain.video import VideoIndex
from annotate.edits.added import MOST_PIXELS, unpacked
from annotate.edits.displacements import Displacements
from annotate.edits.operations import Hide, Mirror, Operation, Place, Shift
from annotate.numeric.geometry import box_iou

# The least overlap (intersection over union) at which a box of other tracks is the same person's.
MIN_SAME_BOX = 0.5
# The most letters of a name.
MOST_LETTERS = 80
# Ids of tracks are lower: others than this program may read them as 32 bits.
_MOST_ID = 2**31


@dataclass(frozen=True)
class NotApplied:
    """An edit that does not apply to the tracks as they are now, and why."""

    edit: Edit
    reason: str


class _CannotApplyError(Exception):
    """The edit does not fit the tracks."""


@dataclass(eq=False)
class Rows:
    """All rows of a video, those of the tracks first, then those that edits add.

    Attributes:
        frame: (R,) int64.
        track: (R,) int64: the present id; 0 where the pose is deleted.
        box: (R, 4) float32 x, y, width, height.
        added: (A, L, 5 + D) float32 poses of the last A rows, with `scores` (A,).
        operations: what changes in rows, in order.
        names: of tracks.
        reviewed: (N,) bool, of all frames of the video.
    """

    frame: IntArray
    track: IntArray
    box: FloatArray
    added: list[FloatArray] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    reviewed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))


class Identities:
    """Applies edits one after the other to the rows of a video."""

    def __init__(
        self, outline: Outline, index: VideoIndex, skeleton: Skeleton, axes: int, tracks: str
    ) -> None:
        """Prepares for the first edit.

        Args:
            outline: of all poses before any edit.
            index: of the video.
            skeleton: of the landmarks.
            axes: of the world landmarks.
            tracks: which tracks these are, as in `Edit.tracks`.
        """
        self.rows = Rows(
            outline.frame_index,
            outline.track_id.copy(),
            outline.bbox,
            reviewed=np.zeros(len(index), np.bool_),
        )
        self._index, self._skeleton, self._axes, self._tracks = index, skeleton, axes, tracks
        # Ids that tracks made by edits have now, by the ids that the edits give them.
        self._made: dict[int, int] = {}
        self._moved: dict[str, Displacements] = {}
        self._edit: Edit

    def apply(self, edits: Iterable[Edit]) -> list[NotApplied]:
        """Applies those that fit, in order; returns the others."""
        left = []
        for self._edit in edits:
            try:
                self._apply(self._edit.change)
            except (_CannotApplyError, EditError) as error:
                left.append(NotApplied(self._edit, str(error)))
        return left

    @singledispatchmethod
    def _apply(self, change: Change) -> None:
        raise _CannotApplyError(f"this version does not know edits of the kind {change.kind!r}")

    @_apply.register
    def _name(self, change: NameTrack) -> None:
        if len(change.name) > MOST_LETTERS or printable(change.name) != change.name:
            raise _CannotApplyError(
                f"a name has at most {MOST_LETTERS} letters, all visible and on one line"
            )
        self.rows.names[self._found(change.track)] = change.name

    @_apply.register
    def _merge(self, change: MergeTracks) -> None:
        kept, other = self._two(change.track, change.other)
        rows = self.rows
        taken = rows.frame[rows.track == kept]
        mine = rows.track == other
        rows.track[mine] = kept
        rows.track[mine & np.isin(rows.frame, taken)] = 0
        name = rows.names.pop(other, "")
        rows.names.setdefault(kept, name)

    @_apply.register
    def _split(self, change: SplitTrack) -> None:
        track = self._found(change.track)
        later = (self.rows.track == track) & (self.rows.frame >= change.frame)
        if not later.any() or later.sum() == (self.rows.track == track).sum():
            raise _CannotApplyError(f"track {track} has no poses on both sides of the frame")
        self.rows.track[later] = self._new(change.made)

    @_apply.register
    def _swap(self, change: SwapTracks) -> None:
        one, other = self._two(change.track, change.other)
        rows = self.rows
        after = rows.frame >= change.frame
        first, second = after & (rows.track == one), after & (rows.track == other)
        if not (first | second).any():
            raise _CannotApplyError("neither track has a pose from the frame on")
        rows.track[first], rows.track[second] = other, one

    @_apply.register
    def _delete(self, change: DeletePoses) -> None:
        self.rows.track[self._between(change.track, change.start, change.stop)] = 0

    @_apply.register
    def _add(self, change: AddPoses) -> None:
        frames = np.array(change.frames, np.int64)
        poses = unpacked(change)
        if (np.diff(frames) <= 0).any() or frames[0] < 0 or frames[-1] >= len(self._index):
            raise _CannotApplyError("its frames are not frames of the video")
        if change.landmarks != len(self._skeleton.landmarks) or change.axes < self._axes:
            raise _CannotApplyError("its poses have the landmarks of another model")
        if change.track is not None:
            track = self._found(change.track)
        elif change.made is not None:
            track = self._new(change.made)
        else:
            raise _CannotApplyError("it names no track")
        rows = self.rows
        rows.track[(rows.track == track) & np.isin(rows.frame, frames)] = 0
        low, high = poses[:, :, :2].min(axis=1), poses[:, :, :2].max(axis=1)
        rows.frame = np.concatenate([rows.frame, frames])
        rows.track = np.concatenate([rows.track, np.full(len(frames), track)])
        rows.box = np.concatenate([rows.box, np.hstack([low, high - low])])
        rows.added.append(poses[:, :, : 5 + self._axes])
        rows.scores += change.scores

    @_apply.register
    def _move(self, change: MoveKeypoint) -> None:
        if max(map(abs, (change.x, change.y, change.was_x, change.was_y))) > MOST_PIXELS:
            raise _CannotApplyError("it puts a keypoint far off the picture")
        row, keypoint = self._pose(change.track), self._landmark(change.keypoint)
        rows, to = self.rows, np.array([change.x, change.y], np.float32)
        moved = self._moved.setdefault(change.keypoint, Displacements())
        moved.move(row, to - np.array([change.was_x, change.was_y], np.float32))
        rows.operations.append(Place(np.array([row]), keypoint, to))
        if change.between:
            of_track = rows.track == rows.track[row]
            for places, by in moved.between(row, rows.frame, of_track):
                rows.operations.append(Shift(places, keypoint, by))

    @_apply.register
    def _hide(self, change: HideKeypoint) -> None:
        row = np.array([self._pose(change.track)])
        keypoint = self._landmark(change.keypoint)
        self.rows.operations.append(Hide(row, keypoint, change.hidden))

    @_apply.register
    def _sides(self, change: SwapSides) -> None:
        stop = len(self._index) if change.stop is None else change.stop
        rows = np.flatnonzero(self._between(change.track, change.start, stop))
        self.rows.operations.append(Mirror(rows))

    @_apply.register
    def _review(self, change: MarkReviewed) -> None:
        if not 0 <= change.start < change.stop <= len(self._index):
            raise _CannotApplyError("its frames are not frames of the video")
        self.rows.reviewed[change.start : change.stop] = change.reviewed

    # Tracks and poses that edits refer to

    def _found(self, ref: TrackRef) -> int:
        return int(self.rows.track[self._pose(ref)])

    def _pose(self, ref: TrackRef) -> int:
        """The row of the pose that an edit refers to: by its id, or by its place where the tracks
        were made again.
        """
        rows = self.rows
        if not 0 <= ref.frame < len(self._index) or self._index.pts[ref.frame] != ref.pts:
            raise _CannotApplyError(f"the video has no frame {ref.frame} at that time")
        there = np.flatnonzero((rows.frame == ref.frame) & (rows.track > 0))
        same = self._edit.tracks == self._tracks
        if ref.track in self._made or same:
            own = there[rows.track[there] == self._made.get(ref.track, ref.track)]
            if len(own):
                return int(own[0])
        if not same and len(there):
            overlap = _iou(rows.box[there], np.array(ref.box, np.float32))
            if overlap.max() >= MIN_SAME_BOX:
                return int(there[overlap.argmax()])
        raise _CannotApplyError(f"track {ref.track} has no pose in frame {ref.frame}")

    def _two(self, one: TrackRef, other: TrackRef) -> tuple[int, int]:
        found = self._found(one), self._found(other)
        if found[0] == found[1]:
            raise _CannotApplyError(f"both are track {found[0]} now")
        return found

    def _between(self, ref: TrackRef, start: int, stop: int) -> NDArray[np.bool_]:
        """(R,) bool: the poses of a track in the frames `[start, stop)`."""
        rows, track = self.rows, self._found(ref)
        inside: NDArray[np.bool_] = (
            (rows.track == track) & (rows.frame >= start) & (rows.frame < stop)
        )
        if not inside.any():
            raise _CannotApplyError(f"track {track} has no pose in these frames")
        return inside

    def _new(self, made: int) -> int:
        """An id that no track has; that of the edit where it is free."""
        used = int(self.rows.track.max(initial=0))
        free = (
            0 < made < _MOST_ID
            and not (self.rows.track == made).any()
            and made not in self._made.values()
        )
        self._made[made] = made if free else max(used, *self._made.values(), 0) + 1
        return self._made[made]

    def _landmark(self, name: str) -> int:
        if name not in self._skeleton.landmarks:
            raise _CannotApplyError(f"the model has no landmark {name!r}")
        return self._skeleton.landmarks.index(name)


def _iou(boxes: FloatArray, box: FloatArray) -> FloatArray:
    """(n,) float32: intersection over union of (n, 4) boxes and (4,), x, y, width, height."""
    corners = np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
    own = np.concatenate([box[:2], box[:2] + box[2:]])
    overlap: FloatArray = box_iou(corners, own)
    return overlap
