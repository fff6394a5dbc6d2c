"""The rows of a tracks file from the poses of a block and their ids."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.merge_settings import MergeSettings
from annotate.domain.skeleton import COCO_MIRROR, Skeleton
from annotate.domain.tracks import Tracks
from annotate.merge.left_right import mirrored
from annotate.merge.occlusion import belongs_to_track
from annotate.merge.pose_table import boxes
from annotate.merge.smoothing import COLUMNS, TrackPoses, smoothed
from annotate.merge.window import Window


class Finisher:
    """Corrects left and right, rejects poses and smooths, block by block in order of time."""

    def __init__(
        self, settings: MergeSettings, skeleton: Skeleton, frame_size: tuple[int, int]
    ) -> None:
        """Prepares for the first block.

        Args:
            settings: thresholds.
            skeleton: of the landmarks.
            frame_size: width and height of the displayed frame in pixels, where boxes end.
        """
        self._settings = settings
        self._mirror = list(skeleton.mirror)
        self._frame_size = frame_size
        # Of each track id, whether it is mirrored where the next block's poses begin to count.
        self._mirrored_next: dict[int, bool] = {}

    def tracks(self, window: Window, ids: IntArray) -> Tracks | None:
        """The rows of the window's block, None if there are no people.

        Args:
            ids: (P,) int64 track ids of the window's poses, 0 where a pose has none.
        """
        pieces = list(self._pieces(window, ids))
        if not pieces:
            return None
        poses = [piece for _, piece in pieces]
        place = np.concatenate([piece.place for piece in poses])
        track_id = np.repeat([number for number, _ in pieces], [len(one.place) for one in poses])
        order = np.lexsort((track_id, place))
        place = place[order]
        frames = window.table.poses
        raw = np.concatenate([piece.raw for piece in poses])[order]
        landmarks = np.concatenate([piece.landmarks for piece in poses])[order]
        return Tracks(
            frame_index=frames.frame_index[place],
            pts=frames.pts[place],
            time_s=frames.time_s[place],
            track_id=track_id[order].astype(np.int64),
            score=np.concatenate([piece.score for piece in poses])[order],
            bbox=self._bbox(landmarks),
            filled=np.isnan(raw[:, 0, 0]),
            raw=raw[:, :, :COLUMNS],
            smoothed=landmarks[:, :, :COLUMNS],
            raw_world=raw[:, :, COLUMNS:],
            smoothed_world=landmarks[:, :, COLUMNS:],
        )

    def _pieces(self, window: Window, ids: IntArray) -> Iterator[tuple[int, TrackPoses]]:
        """Track ids with their finished poses in the block."""
        near = (ids > 0) & self._near(window, window.start, window.stop)
        after = self._near(window, window.stop, len(window.frame_s))
        before, self._mirrored_next = self._mirrored_next, {}
        for number in np.unique(ids[near]).tolist():
            rows = np.flatnonzero(near & (ids == number))
            exchanged = self._mirrored(window, rows, before.get(number))
            later = exchanged[after[rows]]
            if len(later):
                self._mirrored_next[number] = bool(later[0])
            for poses in self._finished(window, rows, exchanged):
                inside = (poses.place >= window.start) & (poses.place < window.stop)
                # A filled pose of a frame that cannot be decoded would be invented.
                inside &= window.table.poses.damage[poses.place] == 0
                if inside.any():
                    yield number, poses.take(inside)

    def _near(self, window: Window, start: int, stop: int) -> NDArray[np.bool_]:
        """(P,) bool: the poses that move the smoothed ones of the frames `[start, stop)`."""
        if start == stop:
            return np.zeros(len(window.table), np.bool_)
        settings, frame, time_s = self._settings.smoothing, window.table.frame, window.table.time_s
        near: NDArray[np.bool_] = (
            (frame >= start - settings.max_memory_frames)
            & (frame < stop + settings.max_memory_frames)
            & (time_s >= window.frame_s[start] - settings.memory_s)
            & (time_s <= window.frame_s[stop - 1] + settings.memory_s)
        )
        return near

    def _mirrored(self, window: Window, rows: IntArray, first: bool | None) -> NDArray[np.bool_]:
        table, settings = window.table, self._settings
        height = table.roi_side[rows] / np.float32(settings.link.roi_per_height)
        keypoints, time_s = table.keypoints[rows], table.time_s[rows]
        return mirrored(keypoints, height, time_s, settings.left_right, first)

    def _finished(
        self, window: Window, rows: IntArray, exchanged: NDArray[np.bool_]
    ) -> list[TrackPoses]:
        """The poses of one track, smoothed, those that have left and right exchanged corrected and
        those of other people left out.
        """
        settings, table = self._settings, window.table
        raw = np.concatenate([table.poses.landmarks[rows], table.poses.world[rows]], axis=2)
        if settings.smooth_hz is None:
            return [TrackPoses(table.frame[rows], raw, table.score[rows], raw)]
        keypoints, landmarks = table.keypoints[rows], raw.copy()
        keypoints[exchanged] = keypoints[exchanged][:, COCO_MIRROR]
        landmarks[exchanged] = raw[exchanged][:, self._mirror]
        appearance, crowded = table.appearance[rows], table.crowded[rows]
        belongs = belongs_to_track(keypoints, appearance, crowded, table.time_s[rows], settings)
        poses = TrackPoses(table.frame[rows], raw, table.score[rows], landmarks)
        if not belongs.all():
            poses = poses.take(belongs)
        return smoothed(poses, window.frame_s, settings.smooth_hz, settings.smoothing)

    def _bbox(self, landmarks: FloatArray) -> FloatArray:
        """(n, 4) float32 x, y, width, height: the boxes as far as they lie in the frame."""
        corners = boxes(landmarks, self._settings.pose).reshape(-1, 2, 2)
        corners = corners.clip(0, np.array(self._frame_size, np.float32))
        return np.hstack([corners[:, 0], corners[:, 1] - corners[:, 0]])
