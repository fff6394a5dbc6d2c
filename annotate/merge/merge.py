"""All parts of one video to tracks: one sequential pass, whose memory does not grow with it.

Tracks are written in blocks of a fixed number of frames, counted from the video's first frame. A
block is finished when the tracker is `LOOK_AHEAD_S` beyond it: by then it is known which of its
tracks live long enough to count, and what comes later no longer moves its smoothed poses (the
smoother's memory is below a millionth after that time). Nothing depends on where parts begin.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from annotate.domain import FloatArray, Poses, Tracks
from annotate.merge.poses import boxes, frames
from annotate.merge.settings import MergeSettings
from annotate.merge.smoothing import Stretch, stretches
from annotate.merge.tracker import Track, Tracker
from annotate.skeletons import Skeleton

BLOCK_FRAMES = 256
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
    window = _Window(settings, size)
    for frame in frames(parts, settings, skeleton):
        yield from window.finished(frame.frame_index, frame.time_s)
        window.add_frame(frame.frame_index, frame.pts, frame.time_s)
        for pose, track in enumerate(tracker.follow(frame)):
            if track is not None:
                window.add_pose(track, frame.landmarks[pose], float(frame.score[pose]))
    yield from window.rest()


@dataclass(eq=False)
class _Rows:
    """Poses of one track that may still be needed; frames are counted from the first one seen."""

    track: Track
    id: int = 0
    place: list[int] = field(default_factory=list)
    landmarks: list[FloatArray] = field(default_factory=list)
    score: list[float] = field(default_factory=list)

    def forget(self, before: int) -> None:
        drop = int(np.searchsorted(self.place, before))
        del self.place[:drop], self.landmarks[:drop], self.score[:drop]


class _Window:
    """Frames and poses from the smoother's memory before the present block on."""

    def __init__(self, settings: MergeSettings, size: tuple[int, int]) -> None:
        self._settings = settings
        self._size = size
        self._look_ahead_s = max(SMOOTHER_MEMORY_S, settings.lost_s + settings.least_s) + 0.5
        self._frame: list[int] = []
        self._pts: list[int] = []
        self._time: list[float] = []
        self._forgotten = 0
        self._rows: dict[int, _Rows] = {}
        self._given = 0
        # Ends (first frame beyond, its time) of blocks that wait for their look-ahead.
        self._ends: deque[tuple[int, float]] = deque()
        self._block = 0
        self._begin = 0

    def add_frame(self, frame: int, pts: int, time_s: float) -> None:
        """The next frame."""
        self._frame.append(frame)
        self._pts.append(pts)
        self._time.append(time_s)

    def add_pose(self, track: Track, landmarks: FloatArray, score: float) -> None:
        """A pose of the last frame."""
        rows = self._rows.setdefault(track.number, _Rows(track))
        rows.place.append(self._forgotten + len(self._frame) - 1)
        rows.landmarks.append(landmarks)
        rows.score.append(score)

    def finished(self, frame: int, time_s: float) -> Iterator[Tracks]:
        """Blocks that need nothing of the coming frame or later ones."""
        if self._frame and frame // BLOCK_FRAMES > self._block:
            self._block = frame // BLOCK_FRAMES
            self._ends.append((self._forgotten + len(self._frame), time_s))
        elif not self._frame:
            self._block = frame // BLOCK_FRAMES
        while self._ends and time_s - self._ends[0][1] >= self._look_ahead_s:
            yield from self._block_until(*self._ends.popleft())

    def rest(self) -> Iterator[Tracks]:
        """All blocks that are left, at the end of the video."""
        if not self._frame:
            return
        self._ends.append((self._forgotten + len(self._frame), self._time[-1]))
        while self._ends:
            yield from self._block_until(*self._ends.popleft())

    def _block_until(self, end: int, end_s: float) -> Iterator[Tracks]:
        begin, self._begin = self._begin, end
        self._number_tracks(end)
        window_s = np.array(self._time)
        reach = int(np.searchsorted(window_s, end_s + SMOOTHER_MEMORY_S, side="right"))
        pieces = [
            (rows.id, self._cut(stretch, begin, end))
            for rows in self._rows.values()
            if rows.id
            for stretch in self._stretches(rows, window_s[:reach])
        ]
        pieces = [(number, cut) for number, cut in pieces if len(cut.place)]
        if pieces:
            yield self._tracks(pieces)
        self._forget(end, end_s)

    def _number_tracks(self, end: int) -> None:
        """Gives ids to the tracks that began before `end`, and drops those that are too short."""
        new = (rows for rows in self._rows.values() if not rows.id)
        settled = [rows for rows in new if rows.place[0] < end]
        settled.sort(key=lambda rows: rows.track.order)
        step_s = float(np.median(np.diff(self._time))) if len(self._time) > 1 else np.inf
        for rows in settled:
            if rows.track.last_s - rows.track.first_s + step_s < self._settings.least_s - 1e-9:
                del self._rows[rows.track.number]
            else:
                self._given += 1
                rows.id = self._given

    def _stretches(self, rows: _Rows, window_s: NDArray[np.float64]) -> list[Stretch]:
        place = np.array(rows.place) - self._forgotten
        count = int(np.searchsorted(place, len(window_s)))
        if not count:
            return []
        landmarks = np.stack(rows.landmarks[:count])
        score = np.array(rows.score[:count], np.float32)
        return stretches(place[:count], landmarks, score, window_s, self._settings)

    def _cut(self, stretch: Stretch, begin: int, end: int) -> Stretch:
        place = stretch.place + self._forgotten
        inside = (place >= begin) & (place < end)
        return Stretch(
            stretch.place[inside],
            stretch.raw[inside],
            stretch.score[inside],
            stretch.smoothed[inside],
        )

    def _tracks(self, pieces: list[tuple[int, Stretch]]) -> Tracks:
        place = np.concatenate([cut.place for _, cut in pieces])
        raw = np.concatenate([cut.raw for _, cut in pieces])
        smoothed = np.concatenate([cut.smoothed for _, cut in pieces])
        score = np.concatenate([cut.score for _, cut in pieces])
        track_id = np.repeat([number for number, _ in pieces], [len(c.place) for _, c in pieces])
        order = np.lexsort((track_id, place))
        place = place[order]
        return Tracks(
            frame_index=np.array(self._frame, np.int64)[place],
            pts=np.array(self._pts, np.int64)[place],
            time_s=np.array(self._time, np.float64)[place],
            track_id=track_id[order].astype(np.int64),
            score=score[order],
            bbox=_bbox(smoothed[order], self._size),
            filled=np.isnan(raw[order, 0, 0]),
            raw=raw[order],
            smoothed=smoothed[order],
        )

    def _forget(self, end: int, end_s: float) -> None:
        """Drops frames, and tracks, that no later block needs."""
        before = int(np.searchsorted(self._time, end_s - SMOOTHER_MEMORY_S))
        before = min(before, end - self._forgotten)
        del self._frame[:before], self._pts[:before], self._time[:before]
        self._forgotten += before
        for rows in list(self._rows.values()):
            rows.forget(self._forgotten)
            # A track that may still come back keeps its id, even with no pose in the window.
            unseen_s = self._time[-1] - rows.track.last_s if self._time else np.inf
            if not rows.place and unseen_s > self._settings.lost_s:
                del self._rows[rows.track.number]


def _bbox(landmarks: FloatArray, size: tuple[int, int]) -> FloatArray:
    """(n, 4) float32 x, y, width, height: the boxes as far as they lie in the picture."""
    corners = boxes(landmarks).reshape(-1, 2, 2).clip(0, np.array(size, np.float32))
    return np.hstack([corners[:, 0], corners[:, 1] - corners[:, 0]])
