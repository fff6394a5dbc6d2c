"""The one table of the merge: poses with all that tells people apart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.columns import Shape, check_shapes, concatenated, taken
from annotate.domain.merge_settings import PoseSettings
from annotate.domain.poses import Poses
from annotate.domain.skeleton import Skeleton, coco_keypoints
from annotate.numeric.geometry import box_intersection
from annotate.numeric.similarity import paired_oks

NONE = -1  # marks a pose without a track, or without a pose before it
_HIPS = [11, 12]
_COLUMNS: dict[str, Shape] = {
    "keypoints": ("P", 17, 2),
    "visible": ("P", 17),
    "score": ("P",),
    "box": ("P", 4),
    "hip": ("P", 2),
    "limb": ("P",),
    "near_duplicate": ("P",),
    "crowded": ("P",),
    "track": ("P",),
    "ambiguous": ("P",),
}


@dataclass(frozen=True, eq=False)
class PoseTable:
    """Poses of consecutive frames: P of them over F frames, ordered by frame, the best first.

    Attributes:
        poses: the frames, and the poses as the pipeline found them.
        keypoints: (P, 17, 2) float32 pixels: COCO's keypoints.
        visible: (P, 17) bool: keypoints that are visible enough to count.
        score: (P,) float32: the landmark model's flag times mean visibility.
        box: (P, 4) float32: x0, y0, x1, y1.
        hip: (P, 2) float32: between the hips.
        limb: (P,) bool: lies inside another box of the frame and is far smaller, as a leg or a hand
            that is taken for a person.
        near_duplicate: (P,) bool: is like a better pose of the frame, but not enough to be dropped.
        crowded: (P,) bool: another box of the frame covers a part of this one.
        track: (P,) int64: the tracker's number of each pose's track, or NONE.
        ambiguous: (P,) bool: as in `FrameLinks`.

    Raises:
        ValueError: a column does not have its shape.
    """

    poses: Poses
    keypoints: FloatArray
    visible: NDArray[np.bool_]
    score: FloatArray
    box: FloatArray
    hip: FloatArray
    limb: NDArray[np.bool_]
    near_duplicate: NDArray[np.bool_]
    crowded: NDArray[np.bool_]
    track: IntArray
    ambiguous: NDArray[np.bool_]

    def __post_init__(self) -> None:
        sizes = check_shapes(self, _COLUMNS)
        if sizes["P"] != len(self.poses):
            raise ValueError(f"keypoints: of {sizes['P']} poses, got {len(self.poses)} poses")

    def __len__(self) -> int:
        """The number of poses."""
        return len(self.poses)

    @property
    def frame(self) -> IntArray:
        """(P,) int64: place of each pose's frame, in [0, F)."""
        return self.poses.frame

    @cached_property
    def time_s(self) -> NDArray[np.float64]:
        """(P,) float64 seconds of each pose; `poses.time_s` are those of the frames."""
        times: NDArray[np.float64] = self.poses.time_s[self.frame]
        return times

    @property
    def appearance(self) -> FloatArray:
        """(P, 6) float32, as in `Poses`."""
        return self.poses.appearance

    @property
    def roi_side(self) -> FloatArray:
        """(P,) float32 pixels: does not change with the pose of the limbs, as boxes do."""
        side: FloatArray = self.poses.roi[:, 2]
        return side

    @property
    def suspect(self) -> NDArray[np.bool_]:
        """(P,) bool: may be a limb taken for a person, or a duplicate of a better pose."""
        return self.limb | self.near_duplicate

    def take(self, rows: IntArray) -> "PoseTable":
        """The same frames with some of the poses: (n,) int64 places, ordered by frame."""
        return PoseTable(self.poses.take(rows), **taken(self, [*_COLUMNS], rows))

    def between(self, start: int, stop: int) -> "PoseTable":
        """The frames at the places `[start, stop)` with their poses."""
        rows = slice(int(self.poses.offsets[start]), int(self.poses.offsets[stop]))
        return PoseTable(self.poses.between(start, stop), **taken(self, [*_COLUMNS], rows))

    @classmethod
    def concat(cls, tables: Sequence["PoseTable"]) -> "PoseTable":
        """All frames of one or more tables, in the order of the tables."""
        poses = Poses.concat([table.poses for table in tables])
        return cls(poses, **concatenated(tables, [*_COLUMNS]))


def pose_table(poses: Poses, settings: PoseSettings, skeleton: Skeleton) -> PoseTable:
    """The table of a block, without duplicates; tracks are not known yet."""
    keypoints = coco_keypoints(poses.landmarks, skeleton)
    xy = np.ascontiguousarray(keypoints[:, :, :2])
    unknown = np.zeros(len(poses), np.bool_)
    table = PoseTable(
        poses,
        keypoints=xy,
        visible=keypoints[:, :, 2] > settings.min_visibility,
        score=pose_scores(keypoints, poses.score, settings.min_visibility),
        box=boxes(poses.landmarks, settings),
        hip=xy[:, _HIPS].mean(axis=1),
        limb=unknown,
        near_duplicate=unknown,
        crowded=unknown,
        track=np.full(len(poses), NONE),
        ambiguous=unknown,
    )
    # A total order, so that the detector's order of equal poses does not matter.
    best_first = np.lexsort((xy[:, 0, 1], xy[:, 0, 0], -table.score, table.frame))
    table = _without_duplicates(table.take(best_first), settings)
    return replace(table, limb=_limbs(table, settings), crowded=_crowded(table, settings))


def pose_scores(keypoints: FloatArray, flag: FloatArray, min_visibility: float) -> FloatArray:
    """(n,) float32: flag times the mean visibility of the (n, 17, 4) keypoints that are visible."""
    visibility = keypoints[:, :, 2]
    counted = visibility > min_visibility
    mean = (visibility * counted).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    score: FloatArray = (flag * mean).astype(np.float32)
    return score


def boxes(landmarks: FloatArray, settings: PoseSettings) -> FloatArray:
    """(n, 4) float32 x0, y0, x1, y1: about the landmarks that are present, with a margin."""
    present = landmarks[:, :, 4] >= settings.min_presence
    # A pose without a present landmark still has a place.
    present |= ~present.any(axis=1, keepdims=True)
    # A line of numbers for each axis of each pose: least and greatest are then found far faster.
    xy = np.ascontiguousarray(np.moveaxis(landmarks[:, :, :2], 2, 0))
    low = np.where(present, xy, np.float32(np.inf)).min(axis=2)
    high = np.where(present, xy, np.float32(-np.inf)).max(axis=2)
    margin = (high - low) * np.float32(settings.box_margin)
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


def _without_duplicates(table: PoseTable, settings: PoseSettings) -> PoseTable:
    """Each person of a frame once; `near_duplicate` marks those that are like a better pose."""
    better, other = pairs(table.frame, table.frame, len(table.poses.time_s))
    before = better < other
    better, other = better[before], other[before]
    box, xy, visible = table.box, table.keypoints, table.visible
    area = (box[better, 2:] - box[better, :2]).prod(axis=1)
    alike = paired_oks(xy[better], xy[other], visible[better] & visible[other], area)
    same = alike > settings.duplicate_oks
    kept = np.ones(len(table), np.bool_)
    for a, b in zip(better[same].tolist(), other[same].tolist(), strict=True):
        kept[b] &= not kept[a]
    near = np.zeros(len(table), np.bool_)
    near[other[kept[better] & (alike > settings.near_duplicate_oks)]] = True
    table = replace(table, near_duplicate=near)
    return table if kept.all() else table.take(np.flatnonzero(kept))


def _limbs(table: PoseTable, settings: PoseSettings) -> NDArray[np.bool_]:
    """(P,) bool: the poses inside a far taller box of the same frame."""
    outer, inner, covered = _covered(table)
    height = table.box[:, 3] - table.box[:, 1]
    inside = (covered > settings.limb_inside) & (
        height[inner] < settings.limb_height * height[outer]
    )
    limb = np.zeros(len(table), np.bool_)
    limb[inner[inside]] = True
    return limb


def _crowded(table: PoseTable, settings: PoseSettings) -> NDArray[np.bool_]:
    """(P,) bool: the poses that another box of the same frame covers in part."""
    other, own, covered = _covered(table)
    crowded = np.zeros(len(table), np.bool_)
    crowded[own[(covered > settings.crowded_overlap) & (other != own)]] = True
    return crowded


def _covered(table: PoseTable) -> tuple[IntArray, IntArray, FloatArray]:
    """Places (a, b) of all pairs of one frame, and the fraction of b's box that a's covers."""
    a, b = pairs(table.frame, table.frame, len(table.poses.time_s))
    box = table.box
    area = np.maximum((box[b, 2:] - box[b, :2]).prod(axis=1), np.float32(1e-9))
    return a, b, box_intersection(box[a], box[b]) / area
