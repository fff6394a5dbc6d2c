"""Tracklets: poses of consecutive frames that surely show the same person, found all at once.

Most poses belong to a person with no one else near. Where tracklets begin and end, the tracker
decides.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.merge_settings import MergeSettings, TrackletSettings
from annotate.domain.skeleton import AREA_OF_BOX, COCO_SIGMAS
from annotate.merge.identity_swaps import identity_swaps
from annotate.merge.pose_table import NONE, PoseTable, pairs
from annotate.merge.slides import may_be_slide
from annotate.numeric.geometry import box_iou
from annotate.numeric.similarity import paired_oks


@dataclass(frozen=True, eq=False)
class FrameLinks:
    """How P poses continue those of the frame before.

    Attributes:
        before: (P,) int64 row of the pose of the frame before that each one clearly continues, or
            NONE.
        ambiguous: (P,) bool: a person appears or vanishes nearby, so who is who does not show from
            one frame to the next. Such a pose begins a track, and the link is left to the linker.
        ends: (P,) bool: the pose would be continued by an ambiguous one, so its track ends.
    """

    before: IntArray
    ambiguous: NDArray[np.bool_]
    ends: NDArray[np.bool_]

    def cut(self, rows: IntArray) -> "FrameLinks":
        """The same, but the poses of these `rows` are ambiguous and continue none."""
        before, ambiguous, ends = self.before.copy(), self.ambiguous.copy(), self.ends.copy()
        ends[before[rows]] = True
        before[rows] = NONE
        ambiguous[rows] = True
        return FrameLinks(before, ambiguous, ends)


class Tracklets:
    """The tracklets of a table, numbered by their first row.

    Attributes:
        ambiguous_poses: (P,) bool, as in `FrameLinks`.
        of: (P,) int64: the tracklet of each pose.
        first: (T,) int64: the first row of each tracklet.
        ambiguous: (T,) bool: the first pose of the tracklet is.
        ends: (T,) bool: the tracklet's track ends with it.
    """

    def __init__(self, links: FrameLinks) -> None:
        starts = links.before == NONE
        self.ambiguous_poses = links.ambiguous
        self.first: IntArray = np.flatnonzero(starts)
        self.of = _roots(links.before, np.cumsum(starts) - 1)
        self._order = np.argsort(self.of, kind="stable")
        self._begin = np.searchsorted(self.of[self._order], np.arange(len(self.first) + 1))
        self.ambiguous = links.ambiguous[self.first]
        self.ends = links.ends[self._order[self._begin[1:] - 1]] if len(starts) else links.ends

    def __len__(self) -> int:
        return len(self.first)

    def rows(self, tracklet: int) -> IntArray:
        """(n,) int64 rows of a tracklet, in order of time."""
        return self._order[self._begin[tracklet] : self._begin[tracklet + 1]]

    def all_rows(self) -> list[IntArray]:
        """`rows` of every tracklet."""
        return np.split(self._order, self._begin[1:-1])


def find_tracklets(table: PoseTable, max_unseen_s: float, settings: MergeSettings) -> Tracklets:
    """The tracklets of a table, cut where they go over to another person."""
    links = frame_links(table, max_unseen_s, settings.tracklet)
    tracklets = Tracklets(links)
    swaps = identity_swaps(tracklets.all_rows(), table.appearance, table.time_s, settings.swap)
    # In another light, too, a person looks different, but nothing else changes.
    moves = [
        may_be_slide(table, tracklets.rows(tracklets.of[row]), row, settings.swap) for row in swaps
    ]
    swaps = swaps[np.array(moves, np.bool_)]
    return Tracklets(links.cut(swaps)) if len(swaps) else tracklets


def frame_links(table: PoseTable, max_unseen_s: float, settings: TrackletSettings) -> FrameLinks:
    """Which pose of the frame before each pose clearly continues.

    Args:
        max_unseen_s: poses of frames that are farther apart are not linked.
    """
    frame_s, count = table.poses.time_s, len(table)
    close = np.append(np.diff(frame_s, prepend=-np.inf) <= max_unseen_s, False)
    a, b = pairs(table.frame + 1, table.frame, len(frame_s) + 1)
    a, b = a[close[table.frame[b]]], b[close[table.frame[b]]]
    alike = similarity(
        table.keypoints[a],
        table.keypoints[b],
        table.visible[a] & table.visible[b],
        table.box[a],
        table.box[b],
        settings,
    )
    # Step 1: link poses that are much more similar to each other than to any other.
    rival = np.maximum(_best_other(alike, a, count), _best_other(alike, b, count))
    clear = (alike >= settings.clear_similarity) & (alike - rival >= settings.clear_margin)
    before, after = np.full(count, NONE), np.full(count, NONE)
    before[b[clear]], after[a[clear]] = a[clear], b[clear]
    # Step 2: cut links beside a person who appears or vanishes. A limb that is taken for a person
    # comes and goes without hiding anyone.
    touch = (alike >= settings.touch_similarity) & ~table.limb[a] & ~table.limb[b]
    appears, vanishes = before[b] == NONE, after[a] == NONE
    disturbed = _marked(b, touch & vanishes, count)[b] | _marked(a, touch & appears, count)[a]
    cut = clear & disturbed
    beside = touch & appears & ~vanishes
    before[b[cut]] = NONE
    return FrameLinks(before, _marked(b, cut | beside, count), _marked(a, cut, count))


def similarity(
    keypoints: FloatArray,
    others: FloatArray,
    visible: NDArray[np.bool_],
    box: FloatArray,
    other_box: FloatArray,
    settings: TrackletSettings,
) -> FloatArray:
    """OKS and buffered IoU of poses with later ones; the axes before the last are broadcast.

    Args:
        keypoints, others: (..., 17, 2) float32 pixels.
        visible: (..., 17) bool: in both.
        box, other_box: (..., 4) float32 x0, y0, x1, y1.

    Returns:
        (...) float32 in [0, 1].
    """
    area = AREA_OF_BOX * (box[..., 2:] - box[..., :2]).prod(axis=-1)
    sigmas = COCO_SIGMAS * np.float32(settings.oks_sigma_scale)
    alike = paired_oks(keypoints, others, visible, area, sigmas)
    buffer = np.float32(settings.box_buffer)
    overlap = box_iou(_buffered(box, buffer), _buffered(other_box, buffer))
    return settings.oks_weight * alike + (1 - settings.oks_weight) * overlap


def _buffered(box: FloatArray, fraction: np.float32) -> FloatArray:
    """Boxes (..., 4) that have grown by a fraction of their sides on each side."""
    grow = (box[..., 2:] - box[..., :2]) * fraction
    return np.concatenate([box[..., :2] - grow, box[..., 2:] + grow], axis=-1)


def _marked(rows: IntArray, chosen: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """(count,) bool: the rows that are chosen at least once."""
    marked = np.zeros(count, np.bool_)
    marked[rows[chosen]] = True
    return marked


def _best_other(alike: FloatArray, group: IntArray, groups: int) -> FloatArray:
    """(n,) the greatest of the other values of each one's group; 0 where there is none."""
    best = np.zeros(groups, np.float32)
    np.maximum.at(best, group, alike)
    is_best = alike >= best[group]
    count = np.bincount(group[is_best], minlength=groups)
    second = np.zeros(groups, np.float32)
    np.maximum.at(second, group[~is_best], alike[~is_best])
    second = np.where(count > 1, best, second)
    return np.where(is_best, second[group], best[group])


def _roots(before: IntArray, number: IntArray) -> IntArray:
    """(P,) the number of the row at which each row's chain begins, found by pointer jumping."""
    root = np.where(before == NONE, np.arange(len(before)), before)
    while True:
        farther = root[root]
        if (farther == root).all():
            return number[root]
        root = farther
