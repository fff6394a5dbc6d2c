"""What the tracker looks at: the poses of a block, as the numbers that tell people apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.poses import Poses
from annotate.domain.skeleton import Skeleton, coco_keypoints
from annotate.merge.settings import MergeSettings
from annotate.numeric.similarity import paired_oks

MARGIN = 0.1  # of a box about its landmarks, as a fraction of each side
_HIPS = [11, 12]
_HELD = 0.9  # share of a box that must lie in another one, for this to hold it


@dataclass(frozen=True, eq=False)
class Sightings:
    """The poses of a block of F frames: P of them with L landmarks, 17 keypoints. They are ordered
    by frame, then the best first, and somebody found twice in a frame is there once.

    Attributes:
        frame_index, pts: (F,) int64.
        time_s: (F,) float64.
        frame: (P,) int64: place of each pose's frame in the block.
        landmarks: (P, L, 5) float32.
        keypoints: (P, 17, 2) float32 pixels.
        seen: (P, 17) bool: keypoints that are visible enough to count.
        score: (P,) float32: the landmark model's flag times mean visibility.
        box: (P, 4) float32: x0, y0, x1, y1.
        hip: (P, 2) float32: between the hips.
        size: (P,) float32: side of the ROI, which does not change with the limbs' pose.
        inside: (P,) bool: lies inside somebody's box and is far smaller, as a leg, or a hand, that
            is taken for a person does.
        double: (P,) bool: is like a better pose of the frame, less than the same person is.
        crowded: (P,) bool: another box of the frame covers a part of this one.
        appearance: (P, 6) float32, as in `annotate.domain.Poses`.
    """

    frame_index: IntArray
    pts: IntArray
    time_s: NDArray[np.float64]
    frame: IntArray
    landmarks: FloatArray
    keypoints: FloatArray
    seen: NDArray[np.bool_]
    score: FloatArray
    box: FloatArray
    hip: FloatArray
    size: FloatArray
    inside: NDArray[np.bool_]
    double: NDArray[np.bool_]
    crowded: NDArray[np.bool_]
    appearance: FloatArray

    def __len__(self) -> int:
        return len(self.score)


def sightings(block: Poses, settings: MergeSettings, skeleton: Skeleton) -> Sightings:
    """The poses of a block, each person of a frame once."""
    keypoints = coco_keypoints(block.landmarks, skeleton)
    score = pose_scores(keypoints, block.score, settings.least_visibility)
    xy = np.ascontiguousarray(keypoints[:, :, :2])
    frame = np.repeat(np.arange(len(block.frame_index)), np.diff(block.offsets))
    # A total order, so that the detector's order of equal poses does not matter.
    rows = np.lexsort((xy[:, 0, 1], xy[:, 0, 0], -score, frame))
    seen, box = keypoints[:, :, 2] > settings.least_visibility, boxes(block.landmarks)
    distinct, double = _distinct(frame[rows], xy[rows], seen[rows], box[rows], settings)
    rows = rows[distinct]
    return Sightings(
        frame_index=block.frame_index,
        pts=block.pts,
        time_s=block.time_s,
        frame=frame[rows],
        landmarks=block.landmarks[rows],
        keypoints=xy[rows],
        seen=seen[rows],
        score=score[rows],
        box=box[rows],
        hip=xy[rows][:, _HIPS].mean(axis=1),
        size=block.roi[rows, 2],
        inside=_inside(frame[rows], box[rows], settings.inside_height),
        double=double,
        crowded=_crowded(frame[rows], box[rows], settings.crowd_overlap),
        appearance=block.appearance[rows],
    )


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
    # A line of numbers for each axis of each pose: least and greatest are then found far faster.
    xy = np.ascontiguousarray(np.moveaxis(landmarks[:, :, :2], 2, 0))
    low = np.where(present, xy, np.float32(np.inf)).min(axis=2)
    high = np.where(present, xy, np.float32(-np.inf)).max(axis=2)
    margin = (high - low) * np.float32(MARGIN)
    return np.concatenate([low - margin, high + margin]).T.astype(np.float32)


def pairs(first: IntArray, second: IntArray, frames: int) -> tuple[IntArray, IntArray]:
    """Places (a, b) of all pairs with first[a] == second[b], ordered by b, then a.

    Args:
        first, second: (n,), (m,) int64 places of frames in [0, frames), not decreasing.
        frames: how many frames there are.
    """
    begin = np.searchsorted(first, np.arange(frames + 1))
    count = np.diff(begin)[second]
    b = np.repeat(np.arange(len(second)), count)
    within = np.arange(len(b)) - np.repeat(np.cumsum(count) - count, count)
    return begin[second][b] + within, b


def _inside(frame: IntArray, box: FloatArray, height: float) -> NDArray[np.bool_]:
    """(P,) bool: whether another box of the same frame holds each one, which is less tall than
    that share of it.
    """
    large, small, covered = _covered(frame, box)
    tall = box[:, 3] - box[:, 1]
    held = (covered > _HELD) & (tall[small] < height * tall[large])
    inside = np.zeros(len(frame), np.bool_)
    inside[small[held]] = True
    return inside


def _crowded(frame: IntArray, box: FloatArray, share: float) -> NDArray[np.bool_]:
    """(P,) bool: whether another box of the same frame covers that share of each one."""
    other, own, covered = _covered(frame, box)
    crowded = np.zeros(len(frame), np.bool_)
    crowded[own[(covered > share) & (other != own)]] = True
    return crowded


def _covered(frame: IntArray, box: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Places (a, b) of all pairs of one frame, and the share of b that a covers."""
    a, b = pairs(frame, frame, int(frame[-1]) + 1 if len(frame) else 0)
    low = np.maximum(box[a, :2], box[b, :2])
    high = np.minimum(box[a, 2:], box[b, 2:])
    own = np.maximum((box[b, 2:] - box[b, :2]).prod(axis=1), np.float32(1e-9))
    return a, b, np.maximum(high - low, 0).prod(axis=1) / own


def _distinct(
    frame: IntArray,
    xy: FloatArray,
    seen: NDArray[np.bool_],
    box: FloatArray,
    settings: MergeSettings,
) -> tuple[IntArray, NDArray[np.bool_]]:
    """Places of the poses that are not the same person as a better one of the same frame, and
    which of those are like one all the same.
    """
    better, other = pairs(frame, frame, int(frame[-1]) + 1 if len(frame) else 0)
    before = better < other
    better, other = better[before], other[before]
    area = (box[better, 2:] - box[better, :2]).prod(axis=1)
    alike = paired_oks(xy[better], xy[other], seen[better] & seen[other], area)
    same = alike > settings.duplicate_oks
    kept = np.ones(len(frame), np.bool_)
    for a, b in zip(better[same].tolist(), other[same].tolist(), strict=True):
        kept[b] &= not kept[a]
    double = np.zeros(len(frame), np.bool_)
    double[other[kept[better] & (alike > settings.double_oks)]] = True
    return np.flatnonzero(kept), double[kept]
