"""All parts of one video to tracks: one sequential pass, whose memory does not grow with it.

A block is finished when the tracker is `look_ahead_s` beyond it: by then it is known who its
tracks are, and what comes later no longer moves its smoothed poses (the smoother's memory is below
a millionth after that time). Nothing depends on where parts begin.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.poses import Poses
from annotate.domain.skeleton import COCO_MIRROR, Skeleton
from annotate.domain.tracks import Tracks
from annotate.merge.blocks import blocks
from annotate.merge.left_right import mirrored
from annotate.merge.linking import ROI_PER_HEIGHT, Linker, Rows
from annotate.merge.occlusion import believable
from annotate.merge.pose_table import Sightings, boxes, sightings
from annotate.merge.settings import MergeSettings
from annotate.merge.smoothing import Stretch, stretches
from annotate.merge.tracker import Tracker

SMOOTHER_MEMORY_S = 2.0


def merge(
    parts: Iterable[Poses], settings: MergeSettings, skeleton: Skeleton, size: tuple[int, int]
) -> Iterator[Tracks]:
    """The tracks of a video, block by block, ordered by frame and track id.

    Args:
        parts: in order; frames of chunks that were given up are missing.
        settings: thresholds.
        skeleton: of the landmarks.
        size: width and height of the displayed frame in pixels, where boxes end.
    """
    tracker = Tracker(settings)
    window = _Window(settings, skeleton, size)
    for block in blocks(parts):
        seen = sightings(block, settings, skeleton)
        window.add(seen, *tracker.follow(seen))
        yield from window.finished()
    yield from window.rest()


@dataclass(frozen=True, eq=False)
class _Seen:
    """Poses that may still be needed: F frames, P poses; see `Sightings`."""

    frame_index: IntArray
    pts: IntArray
    time_s: NDArray[np.float64]
    frame: IntArray
    landmarks: FloatArray
    score: FloatArray
    rows: Rows


class _Window:
    """Blocks from those that the present one still needs on."""

    def __init__(self, settings: MergeSettings, skeleton: Skeleton, size: tuple[int, int]) -> None:
        self._settings = settings
        self._size = size
        self._linker = Linker(settings)
        self._mirror = list(skeleton.mirror)
        # Of each track, whether it is mirrored where the next block's window begins.
        self._turned: dict[int, bool] = {}
        self._blocks: list[tuple[Sightings, IntArray, NDArray[np.bool_]]] = []
        self._next = 0  # place of the first block that is not finished
        # Tracks are decided on as far as the smoother sees; what follows them must be known.
        self._look_ahead_s = (
            SMOOTHER_MEMORY_S
            + max(settings.link_s, settings.inside_s, settings.trust_s)
            + settings.lost_s
            + settings.link_motion_s
        )
        self._look_back_s = max(SMOOTHER_MEMORY_S, settings.link_s + settings.link_motion_s)

    def add(self, block: Sightings, tracks: IntArray, leaves_open: NDArray[np.bool_]) -> None:
        """The next block, with what the tracker says of each pose."""
        self._blocks.append((block, tracks, leaves_open))

    def finished(self) -> Iterator[Tracks]:
        """Blocks that need nothing of what comes."""
        newest_s = self._blocks[-1][0].time_s[-1]
        while newest_s - self._blocks[self._next][0].time_s[-1] > self._look_ahead_s:
            yield from self._finish()

    def rest(self) -> Iterator[Tracks]:
        """All blocks that are left, at the end of the video."""
        while self._next < len(self._blocks):
            yield from self._finish()

    def _finish(self) -> Iterator[Tracks]:
        first = sum(len(block.time_s) for block, _, _ in self._blocks[: self._next])
        block = self._blocks[self._next][0]
        inside = range(first, first + len(block.time_s))
        seen = self._seen()
        last_s = float(block.time_s[-1])
        step_s = float(np.median(np.diff(seen.time_s))) if len(seen.time_s) > 1 else np.inf
        ids = self._linker.ids(seen.rows, last_s + SMOOTHER_MEMORY_S, step_s)
        pieces = list(self._pieces(seen, ids, inside))
        if pieces:
            yield self._tracks(seen, pieces)
        self._next += 1
        self._forget(last_s)

    def _seen(self) -> _Seen:
        """The window's blocks as one."""
        kept, tracks, leaves_open = zip(*self._blocks, strict=True)
        shifts = np.cumsum([0, *(len(block.time_s) for block in kept[:-1])])
        frame = np.concatenate([b.frame + s for b, s in zip(kept, shifts, strict=True)])

        def joined(name: str) -> NDArray[Any]:
            return np.concatenate([getattr(block, name) for block in kept])

        frame_index, time_s = joined("frame_index"), joined("time_s")
        return _Seen(
            frame_index=frame_index,
            pts=joined("pts"),
            time_s=time_s,
            frame=frame,
            landmarks=joined("landmarks"),
            score=joined("score"),
            rows=Rows(
                track=np.concatenate(tracks),
                frame_index=frame_index[frame],
                time_s=time_s[frame],
                hip=joined("hip"),
                size=joined("size"),
                keypoints=joined("keypoints"),
                extra=joined("inside") | joined("double"),
                crowded=joined("crowded"),
                appearance=joined("appearance"),
                leaves_open=np.concatenate(leaves_open),
            ),
        )

    def _pieces(self, seen: _Seen, ids: IntArray, inside: range) -> Iterator[tuple[int, Stretch]]:
        """The ids of the frames `inside`, and their smoothed poses there."""
        time_s = seen.rows.time_s
        near = (
            (ids > 0)
            & (time_s >= seen.time_s[inside.start] - SMOOTHER_MEMORY_S)
            & (time_s <= seen.time_s[inside.stop - 1] + SMOOTHER_MEMORY_S)
        )
        turned, self._turned = self._turned, {}
        ahead = seen.time_s[inside.stop :]
        next_s = ahead[0] - SMOOTHER_MEMORY_S if len(ahead) else np.inf
        for number in np.unique(ids[near]).tolist():
            rows = np.flatnonzero(near & (ids == number))
            other_way = self._mirrored(seen, rows, turned.get(number))
            later = other_way[time_s[rows] >= next_s]
            if len(later):
                self._turned[number] = bool(later[0])
            for stretch in self._stretches(seen, rows, other_way):
                cut = stretch.between(inside.start, inside.stop)
                if len(cut.place):
                    yield number, cut

    def _mirrored(self, seen: _Seen, rows: IntArray, first: bool | None) -> NDArray[np.bool_]:
        height = seen.rows.size[rows] / np.float32(ROI_PER_HEIGHT)
        keypoints = seen.rows.keypoints[rows]
        return mirrored(keypoints, height, seen.rows.time_s[rows], self._settings, first)

    def _stretches(
        self, seen: _Seen, rows: IntArray, other_way: NDArray[np.bool_]
    ) -> list[Stretch]:
        """The smoothed poses of one track: those that are believed, each the right way round."""
        settings, known = self._settings, seen.rows
        raw = seen.landmarks[rows]
        if settings.smooth_hz is None:
            return [Stretch(seen.frame[rows], raw, seen.score[rows], raw)]
        keypoints = known.keypoints[rows]
        keypoints[other_way] = keypoints[other_way][:, COCO_MIRROR]
        good = believable(
            keypoints,
            known.appearance[rows],
            known.crowded[rows],
            known.time_s[rows],
            settings,
        )
        rows, raw = rows[good], raw[good]
        upright = raw.copy()
        turned = other_way[good]
        upright[turned] = raw[turned][:, self._mirror]
        return stretches(
            seen.frame[rows],
            raw,
            upright,
            seen.score[rows],
            seen.time_s,
            settings,
            settings.smooth_hz,
        )

    def _tracks(self, seen: _Seen, pieces: list[tuple[int, Stretch]]) -> Tracks:
        place = np.concatenate([cut.place for _, cut in pieces])
        raw = np.concatenate([cut.raw for _, cut in pieces])
        smoothed = np.concatenate([cut.smoothed for _, cut in pieces])
        score = np.concatenate([cut.score for _, cut in pieces])
        track_id = np.repeat([number for number, _ in pieces], [len(c.place) for _, c in pieces])
        order = np.lexsort((track_id, place))
        place = place[order]
        return Tracks(
            frame_index=seen.frame_index[place],
            pts=seen.pts[place],
            time_s=seen.time_s[place],
            track_id=track_id[order].astype(np.int64),
            score=score[order],
            bbox=_bbox(smoothed[order], self._size),
            filled=np.isnan(raw[order, 0, 0]),
            raw=raw[order],
            smoothed=smoothed[order],
        )

    def _forget(self, last_s: float) -> None:
        """Drops blocks that no later one needs."""
        while self._next and last_s - self._blocks[0][0].time_s[-1] > self._look_back_s:
            del self._blocks[0]
            self._next -= 1


def _bbox(landmarks: FloatArray, size: tuple[int, int]) -> FloatArray:
    """(n, 4) float32 x, y, width, height: the boxes as far as they lie in the picture."""
    corners = boxes(landmarks).reshape(-1, 2, 2).clip(0, np.array(size, np.float32))
    return np.hstack([corners[:, 0], corners[:, 1] - corners[:, 0]])
