"""What the tracker looks at: the poses of one frame, as the numbers that tell people apart."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from annotate.domain import FloatArray, Poses
from annotate.merge.settings import MergeSettings
from annotate.similarity import oks
from annotate.skeletons import COCO_SIGMAS, Skeleton, coco_keypoints

MARGIN = 0.1  # of a box about its landmarks, as a fraction of each side
_HIPS = [11, 12]


@dataclass(frozen=True, eq=False)
class FramePoses:
    """The poses of one frame, the best first: n poses, L landmarks, 17 keypoints.

    Attributes:
        frame_index, pts, time_s: of the frame.
        landmarks: (n, L, 5) float32.
        keypoints: (n, 17, 2) float32 pixels.
        seen: (n, 17) bool: keypoints that are visible enough to count.
        score: (n,) float32: the landmark model's flag times mean visibility.
        box: (n, 4) float32: x0, y0, x1, y1.
        hip: (n, 2) float32: between the hips.
        size: (n,) float32: side of the ROI, which does not change with the limbs' pose.
    """

    frame_index: int
    pts: int
    time_s: float
    landmarks: FloatArray
    keypoints: FloatArray
    seen: np.ndarray
    score: FloatArray
    box: FloatArray
    hip: FloatArray
    size: FloatArray

    def __len__(self) -> int:
        return len(self.score)


def frames(
    parts: Iterable[Poses], settings: MergeSettings, skeleton: Skeleton
) -> Iterator[FramePoses]:
    """The frames of all parts, one by one; a person found twice in a frame is there once."""
    for part in parts:
        yield from _frames_of(part, settings, skeleton)


def pose_scores(keypoints: FloatArray, flag: FloatArray, least_visibility: float) -> FloatArray:
    """(n,) float32: flag times the mean visibility of the (n, 17, 4) keypoints that are visible."""
    visibility = keypoints[:, :, 2]
    counted = visibility > least_visibility
    mean = (visibility * counted).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    score: FloatArray = (flag * mean).astype(np.float32)
    return score


def boxes(landmarks: FloatArray) -> FloatArray:
    """(n, 4) float32 x0, y0, x1, y1: about the landmarks that are present, with a margin."""
    present = landmarks[:, :, 4] >= 0.5
    # A pose that is present nowhere still has a place.
    present |= ~present.any(axis=1, keepdims=True)
    xy = landmarks[:, :, :2]
    low = np.where(present[:, :, None], xy, np.inf).min(axis=1)
    high = np.where(present[:, :, None], xy, -np.inf).max(axis=1)
    margin = (high - low) * MARGIN
    return np.hstack([low - margin, high + margin]).astype(np.float32)


def _frames_of(part: Poses, settings: MergeSettings, skeleton: Skeleton) -> Iterator[FramePoses]:
    keypoints = coco_keypoints(part.landmarks, skeleton)
    score = pose_scores(keypoints, part.score, settings.least_visibility)
    xy, seen = keypoints[:, :, :2], keypoints[:, :, 2] > settings.least_visibility
    box = boxes(part.landmarks)
    hip = xy[:, _HIPS].mean(axis=1)
    # A total order, so that the detector's order of equal poses does not matter.
    order = np.lexsort((xy[:, 0, 1], xy[:, 0, 0], -score))
    frame_of = np.repeat(np.arange(len(part.frame_index)), np.diff(part.offsets))
    order = order[np.argsort(frame_of[order], kind="stable")]
    for place, (start, stop) in enumerate(
        zip(part.offsets[:-1].tolist(), part.offsets[1:].tolist(), strict=True)
    ):
        rows = order[start:stop]
        if len(rows) > 1:
            rows = rows[_distinct(xy[rows], seen[rows], box[rows], settings)]
        yield FramePoses(
            frame_index=int(part.frame_index[place]),
            pts=int(part.pts[place]),
            time_s=float(part.time_s[place]),
            landmarks=part.landmarks[rows],
            keypoints=xy[rows],
            seen=seen[rows],
            score=score[rows],
            box=box[rows],
            hip=hip[rows],
            size=part.roi[rows, 2],
        )


def _distinct(
    xy: FloatArray, seen: np.ndarray, box: FloatArray, settings: MergeSettings
) -> list[int]:
    """Places of the poses, best first, that are not the same person as a better one."""
    sides = box[:, 2:] - box[:, :2]
    alike = oks(xy, xy, seen[:, None] & seen[None], sides.prod(axis=1), COCO_SIGMAS)
    kept: list[int] = []
    for place in range(len(xy)):
        if all(alike[better, place] <= settings.duplicate_oks for better in kept):
            kept.append(place)
    return kept
