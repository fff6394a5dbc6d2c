"""Runs: poses of consecutive frames that are clearly the same person, found for all at once.

Nearly every pose belongs to somebody whom nobody else comes near. What is left over, where runs
begin and end, is the tracker's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.skeleton import COCO_SIGMAS
from annotate.merge.pose_table import pairs
from annotate.merge.settings import MergeSettings
from annotate.numeric.similarity import AREA_OF_BOX, paired_iou, paired_oks

NONE = -1


def similarity(
    keypoints: FloatArray,
    others: FloatArray,
    seen: NDArray[np.bool_],
    box: FloatArray,
    other_box: FloatArray,
    settings: MergeSettings,
) -> FloatArray:
    """OKS and buffered IoU of poses with later ones; the axes before the last are broadcast.

    Args:
        keypoints, others: (..., 17, 2) float32 pixels.
        seen: (..., 17) bool: in both.
        box, other_box: (..., 4) float32 x0, y0, x1, y1.

    Returns:
        (...) float32 in [0, 1].
    """
    area = AREA_OF_BOX * (box[..., 2:] - box[..., :2]).prod(axis=-1)
    sigmas = COCO_SIGMAS * np.float32(settings.oks_sigma_scale)
    alike = paired_oks(keypoints, others, seen, area, sigmas)
    buffer = np.float32(settings.box_buffer)
    overlap = paired_iou(buffered(box, buffer), buffered(other_box, buffer))
    return settings.oks_share * alike + (1 - settings.oks_share) * overlap


def buffered(box: FloatArray, share: np.float32) -> FloatArray:
    """Boxes (..., 4) that have grown by a share of their sides on each side."""
    grow = (box[..., 2:] - box[..., :2]) * share
    return np.concatenate([box[..., :2] - grow, box[..., 2:] + grow], axis=-1)


@dataclass(frozen=True, eq=False)
class Ties:
    """What consecutive frames tell about P poses.

    Attributes:
        before: (P,) int64 row of the pose of the frame before that each one clearly continues, or
            NONE.
        leaves_open: (P,) bool: where somebody appears or vanishes close to another, who is who
            does not show from one frame to the next. Such a pose begins a track, whomever it seems
            to continue; the links between tracks tell later whose it is.
        ends: (P,) bool: the pose seems to be continued by one that leaves it open.
    """

    before: IntArray
    leaves_open: NDArray[np.bool_]
    ends: NDArray[np.bool_]

    def cut(self, rows: IntArray) -> "Ties":
        """The same, but the poses of these `rows` leave open whom they continue."""
        before, leaves_open, ends = self.before.copy(), self.leaves_open.copy(), self.ends.copy()
        ends[before[rows]] = True
        before[rows] = NONE
        leaves_open[rows] = True
        return Ties(before, leaves_open, ends)


def ties(
    frame: IntArray,
    time_s: NDArray[np.float64],
    keypoints: FloatArray,
    seen: NDArray[np.bool_],
    box: FloatArray,
    inside: NDArray[np.bool_],
    reach_s: float,
    settings: MergeSettings,
) -> Ties:
    """Which pose of the frame before each pose clearly continues.

    Args:
        frame: (P,) int64, not decreasing: place of each pose's frame.
        time_s: (F,) float64 seconds of the frames.
        keypoints, seen, box, inside: (P, ...) of the poses.
        reach_s: between frames that are farther apart nothing is clear.
    """
    count = len(frame)
    close = np.append(np.diff(time_s, prepend=-np.inf) <= reach_s, False)
    a, b = pairs(frame + 1, frame, len(time_s) + 1)
    a, b = a[close[frame[b]]], b[close[frame[b]]]
    alike = similarity(keypoints[a], keypoints[b], seen[a] & seen[b], box[a], box[b], settings)
    rival = np.maximum(_rival(alike, a, count), _rival(alike, b, count))
    clear = (alike >= settings.clear_similarity) & (alike - rival >= settings.clear_margin)
    before, after = np.full(count, NONE), np.full(count, NONE)
    before[b[clear]], after[a[clear]] = a[clear], b[clear]
    # A leg or a hand that is taken for a person comes and goes without hiding anybody.
    touch = (alike >= settings.touch_similarity) & ~inside[a] & ~inside[b]
    appears, vanishes = before[b] == NONE, after[a] == NONE
    disturbed = _any(b, touch & vanishes, count)[b] | _any(a, touch & appears, count)[a]
    cut = clear & disturbed
    beside = touch & appears & ~vanishes
    leaves_open = _any(b, cut | beside, count)
    before[b[cut]] = NONE
    return Ties(before, leaves_open, _any(a, cut, count))


def _any(rows: IntArray, chosen: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """(count,) bool: the rows that are chosen at least once."""
    marked = np.zeros(count, np.bool_)
    marked[rows[chosen]] = True
    return marked


def _rival(alike: FloatArray, group: IntArray, groups: int) -> FloatArray:
    """(n,) the greatest of the other values of each one's group; 0 where there is none."""
    best = np.zeros(groups, np.float32)
    np.maximum.at(best, group, alike)
    is_best = alike >= best[group]
    count = np.bincount(group[is_best], minlength=groups)
    second = np.zeros(groups, np.float32)
    np.maximum.at(second, group[~is_best], alike[~is_best])
    second = np.where(count > 1, best, second)
    return np.where(is_best, second[group], best[group])
