"""Tracks with the edits of reviewers: block by block, so that memory does not grow with them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.edits import Edit, active
from annotate.domain.outline import Outline
from annotate.domain.skeleton import Skeleton
from annotate.domain.tracks import Tracks
from annotate.domain.video import VideoIndex
from annotate.edits.identities import Identities, NotApplied, Rows
from annotate.edits.operations import Block

# Makes (n, 4) boxes of (n, L, 5) landmarks: x0, y0, x1, y1.
Boxes = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, eq=False)
class Basis:
    """What edits are applied with.

    Attributes:
        index: of the video.
        skeleton: of the landmarks.
        axes: how many axes the world landmarks have: 3, or 0.
        tracks: which tracks these are, as in `Edit.tracks`.
        boxes: makes the boxes of landmarks.
    """

    index: VideoIndex
    skeleton: Skeleton
    axes: int
    tracks: str
    boxes: Boxes


def edited(outline: Outline, edits: Sequence[Edit], basis: Basis) -> "Edited":
    """What the edits make of a video's tracks.

    Args:
        outline: of all poses, before any edit.
        edits: all that were made, undone ones included; in order.
    """
    identities = Identities(outline, basis.index, basis.skeleton, basis.axes, basis.tracks)
    left = identities.apply(active(edits))
    return Edited(outline, identities.rows, tuple(left), basis)


def apply(
    tracks: Tracks, edits: Sequence[Edit], basis: Basis
) -> tuple[Tracks, tuple[NotApplied, ...]]:
    """The tracks of a whole video with the edits applied, and the edits that no longer apply."""
    result = edited(Outline.of(tracks), edits, basis)
    return Tracks.concat([*result.blocks([tracks])]), result.not_applied


@dataclass(frozen=True, eq=False)
class Edited:
    """The tracks of a video with their edits.

    Attributes:
        before: of all poses, without the edits.
        rows: what becomes of each.
        not_applied: edits that do not fit these tracks.
    """

    before: Outline
    rows: Rows
    not_applied: tuple[NotApplied, ...]
    basis: Basis

    @property
    def names(self) -> Mapping[int, str]:
        """Names of tracks that have one."""
        tracks = set(self.rows.track.tolist())
        named = {t: name for t, name in self.rows.names.items() if name and t in tracks}
        return MappingProxyType(named)

    @property
    def reviewed(self) -> NDArray[np.bool_]:
        """(N,) bool: the frames of the video that a reviewer marked."""
        return self.rows.reviewed

    @cached_property
    def outline(self) -> Outline:
        """All poses after the edits. Boxes are those from before."""
        rows, before = self.rows, self.before
        added = len(rows.frame) - len(before)
        whole = Outline(
            rows.frame,
            self.basis.index.time_s[rows.frame],
            rows.track,
            np.concatenate([before.score, np.array(rows.scores, np.float32)]),
            rows.box,
            np.concatenate([before.filled, np.zeros(added, np.bool_)]),
        )
        return whole.take(self._order(np.arange(len(rows.frame))))

    def blocks(self, blocks: Iterable[Tracks]) -> Iterator[Tracks]:
        """The blocks of the tracks file with the edits applied.

        Args:
            blocks: all of them, in order; none cuts a frame.
        """
        start, frame = 0, -1
        for block in blocks:
            if not len(block):
                continue
            last = int(block.frame_index[-1])
            yield self.block(block, start, frame, last)
            start, frame = start + len(block), last
        rest = self._with_added(np.zeros(0, np.int64), frame, len(self.basis.index))
        if len(rest):
            yield self._block(None, rest)

    def block(self, block: Tracks | None, start: int, after: int, last: int) -> Tracks:
        """One block with the edits applied.

        Args:
            block: as it is in the tracks file; None for poses that edits added alone.
            start: the row of its first pose in the whole video.
            after, last: poses that edits added in the frames after `after`, up to `last`, are in
                it too.
        """
        own = np.arange(start, start + (0 if block is None else len(block)))
        return self._block(block, self._with_added(own, after, last))

    def _with_added(self, own: IntArray, after: int, last: int) -> IntArray:
        """Rows of a block, and those that were added in the frames after `after`, up to `last`."""
        base = len(self.before)
        frames = self.rows.frame[base:]
        added = np.flatnonzero((frames > after) & (frames <= last)) + base
        return np.concatenate([own, added])

    def _order(self, rows: IntArray) -> IntArray:
        """Places of the rows that are left, by frame, then track."""
        track, frame = self.rows.track[rows], self.rows.frame[rows]
        order = np.lexsort((track, frame))
        kept: IntArray = order[track[order] > 0]
        return kept

    def _block(self, block: Tracks | None, rows: IntArray) -> Tracks:
        added = rows[rows >= len(self.before)]
        pieces = [] if block is None else [block]
        if len(added) or block is None:
            pieces.append(self._added(added))
        whole = Tracks.concat(pieces)
        if not len(rows):
            return whole
        whole = replace(whole, track_id=self.rows.track[rows])
        return self._changed(whole, rows).take(self._order(rows))

    def _changed(self, poses: Tracks, rows: IntArray) -> Tracks:
        """The poses with all that edits change in their landmarks."""
        block: Block | None = None
        touched = np.zeros(len(rows), np.bool_)
        for operation in self.rows.operations:
            first, stop = np.searchsorted(operation.rows, [rows[0], rows[-1] + 1])
            if first == stop:
                continue
            here, own = np.intersect1d(rows, operation.rows, return_indices=True)[1:]
            if not len(here):
                continue
            if block is None:  # most blocks stay as they are
                block = Block(poses.smoothed.copy(), poses.smoothed_world.copy())
            operation.change(block, here, own, self.basis.skeleton)
            touched[here] = True
        if block is None:
            return poses
        bbox = poses.bbox.copy()
        bbox[touched] = self._bbox(block.landmarks[touched])
        return replace(poses, smoothed=block.landmarks, smoothed_world=block.world, bbox=bbox)

    def _added(self, rows: IntArray) -> Tracks:
        """The poses of rows that edits added."""
        places = rows - len(self.before)
        frame = self.rows.frame[rows]
        shape = (0, len(self.basis.skeleton.landmarks), 5 + self.basis.axes)
        poses = np.concatenate([np.zeros(shape, np.float32), *self.rows.added])[places]
        landmarks, world = poses[:, :, :5], poses[:, :, 5:]
        return Tracks(
            frame_index=frame,
            pts=self.basis.index.pts[frame],
            time_s=self.basis.index.time_s[frame],
            track_id=self.rows.track[rows],
            score=np.array(self.rows.scores, np.float32)[places],
            bbox=self._bbox(landmarks),
            filled=np.zeros(len(rows), np.bool_),
            raw=landmarks,
            smoothed=landmarks,
            raw_world=world,
            smoothed_world=world,
        )

    def _bbox(self, landmarks: FloatArray) -> FloatArray:
        """(n, 4) float32 x, y, width, height: as far as they lie in the picture."""
        size = np.array([self.basis.index.width, self.basis.index.height], np.float32)
        corners = self.basis.boxes(landmarks).reshape(-1, 2, 2).clip(0, size)
        return np.hstack([corners[:, 0], corners[:, 1] - corners[:, 0]])
