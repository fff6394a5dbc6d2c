"""Frame by frame: which pose continues which track."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from annotate.domain import FloatArray
from annotate.merge.poses import FramePoses
from annotate.merge.settings import MergeSettings
from annotate.similarity import AREA_OF_BOX, oks
from annotate.skeletons import COCO_SIGMAS

_STEPS = 1e6  # similarities are multiples of 1 / _STEPS, so that ties break alike everywhere


@dataclass(eq=False)
class Track:
    """One person so far.

    Attributes:
        number: in order of birth.
        first_s, last_s: times of the first and the last pose.
        first_frame, first_x: where it is numbered by.
        hips: the last poses' (time, hip x, hip y), as far back as motion is looked at.
        keypoints, seen, box: of the last pose.
    """

    number: int
    first_s: float
    last_s: float
    first_frame: int
    first_x: float
    keypoints: FloatArray
    seen: np.ndarray
    box: FloatArray
    hips: list[tuple[float, float, float]] = field(default_factory=list)

    @property
    def order(self) -> tuple[int, float, int]:
        """Tracks are numbered in this order."""
        return self.first_frame, self.first_x, self.number

    def shift(self, time_s: float, settings: MergeSettings) -> tuple[float, float]:
        """How far the person has moved by `time_s`, in pixels: the last speed, fading."""
        (t0, x0, y0), (t1, x1, y1) = self.hips[0], self.hips[-1]
        if t1 <= t0:
            return 0.0, 0.0
        decay = np.log(2) / settings.half_life_s
        reach = float(1 - np.exp(-decay * (time_s - t1))) / decay / (t1 - t0)
        return (x1 - x0) * reach, (y1 - y0) * reach


class Tracker:
    """Follows people through the frames of one video, given in order."""

    def __init__(self, settings: MergeSettings) -> None:
        self._settings = settings
        self._alive: list[Track] = []
        self._born = 0

    def follow(self, frame: FramePoses) -> list[Track | None]:
        """The track of each pose of the next frame; None where a pose begins none."""
        self._alive = [t for t in self._alive if frame.time_s - t.last_s <= self._settings.lost_s]
        owners: list[Track | None] = [None] * len(frame)
        if len(frame) and self._alive:
            for track, pose in self._pairs(frame):
                owners[pose] = self._alive[track]
        for pose, owner in enumerate(owners):
            if owner is not None:
                self._extend(owner, frame, pose)
            elif frame.score[pose] >= self._settings.birth_score:
                owners[pose] = self._begin(frame, pose)
        return owners

    def _pairs(self, frame: FramePoses) -> list[tuple[int, int]]:
        """Tracks and poses that go together: first the tracks just seen, then the lost ones, so
        that nobody who comes back takes the pose of somebody who never left.
        """
        fresh_s = self._settings.fresh_s
        ages = np.array([frame.time_s - track.last_s for track in self._alive])
        free = np.arange(len(frame))
        pairs: list[tuple[int, int]] = []
        for group in (np.flatnonzero(ages <= fresh_s), np.flatnonzero(ages > fresh_s)):
            if len(group) and len(free):
                found = self._best(group, ages[group], frame, free)
                pairs += found
                free = np.setdiff1d(free, [pose for _, pose in found])
        return pairs

    def _best(
        self, group: NDArray[np.int64], ages: FloatArray, frame: FramePoses, free: NDArray[np.int64]
    ) -> list[tuple[int, int]]:
        tracks = [self._alive[place] for place in group]
        similarity = self._similarity(tracks, ages, frame)[:, free]
        similarity = np.rint(similarity * _STEPS) / _STEPS
        rows, columns = linear_sum_assignment(-similarity)
        good = similarity[rows, columns] >= self._settings.least_similarity
        return list(zip(group[rows[good]].tolist(), free[columns[good]].tolist(), strict=True))

    def _similarity(self, tracks: list[Track], ages: FloatArray, frame: FramePoses) -> FloatArray:
        """(tracks, poses) float32 in [0, 1]: OKS and buffered IoU of the predicted poses.

        What is allowed for motion grows with the time for which a track is unseen.
        """
        settings = self._settings
        slack = (1 + settings.slack_per_s * ages).astype(np.float32)
        shift = np.array([track.shift(frame.time_s, settings) for track in tracks], np.float32)
        keypoints = np.stack([track.keypoints for track in tracks]) + shift[:, None]
        seen = np.stack([track.seen for track in tracks])[:, None] & frame.seen[None]
        box = np.stack([track.box for track in tracks]) + np.tile(shift, 2)
        area = AREA_OF_BOX * (box[:, 2:] - box[:, :2]).prod(axis=1)
        sigmas = COCO_SIGMAS * np.float32(settings.oks_sigma_scale)
        alike = oks(keypoints, frame.keypoints, seen, area * slack**2, sigmas)
        buffer = np.float32(settings.box_buffer)
        overlap = _iou(_buffered(box, buffer * slack[:, None]), _buffered(frame.box, buffer))
        return settings.oks_share * alike + (1 - settings.oks_share) * overlap

    def _begin(self, frame: FramePoses, pose: int) -> Track:
        track = Track(
            number=self._born,
            first_s=frame.time_s,
            last_s=frame.time_s,
            first_frame=frame.frame_index,
            first_x=float(frame.hip[pose, 0]),
            keypoints=frame.keypoints[pose],
            seen=frame.seen[pose],
            box=frame.box[pose],
        )
        self._born += 1
        self._alive.append(track)
        self._extend(track, frame, pose)
        return track

    def _extend(self, track: Track, frame: FramePoses, pose: int) -> None:
        track.last_s = frame.time_s
        track.keypoints, track.seen = frame.keypoints[pose], frame.seen[pose]
        track.box = frame.box[pose]
        x, y = frame.hip[pose].tolist()
        track.hips.append((frame.time_s, x, y))
        oldest = frame.time_s - self._settings.velocity_s
        while len(track.hips) > 2 and track.hips[1][0] <= oldest:
            track.hips.pop(0)


def _buffered(box: FloatArray, share: FloatArray | np.float32) -> FloatArray:
    grow = (box[:, 2:] - box[:, :2]) * share
    return np.hstack([box[:, :2] - grow, box[:, 2:] + grow])


def _iou(first: FloatArray, second: FloatArray) -> FloatArray:
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.maximum(high - low, 0).prod(axis=2)
    areas = [(box[:, 2:] - box[:, :2]).prod(axis=1) for box in (first, second)]
    union = areas[0][:, None] + areas[1][None] - common
    overlap: FloatArray = common / np.maximum(union, 1e-9)
    return overlap
