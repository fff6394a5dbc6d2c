"""What suspicious moments depend on, a row a pose: a pass over the tracks of a video, in blocks.

A row takes about 100 bytes where the tracks themselves take 2,000. Arrays in, arrays out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.columns import Shape, check_shapes, concatenated, taken
from annotate.domain.moments import MomentSettings
from annotate.domain.skeleton import Skeleton, coco_keypoints, keypoints_of
from annotate.domain.tracks import Tracks
from annotate.numeric.similarity import paired_oks

# Of COCO's keypoints: shoulders and hips, and the same with left and right exchanged.
_TRUNK = [5, 6, 11, 12]
_MIRRORED = [6, 5, 12, 11]
_HIPS = [11, 12]
# Pairs of COCO's keypoints: the bones whose lengths a track keeps,
_BONES = np.array(
    [(5, 6), (11, 12), (5, 7), (6, 8), (7, 9), (8, 10), (11, 13), (12, 14), (13, 15), (14, 16)]
)
# and the lengths that make up a body's size in the picture.
_SIZES = np.array([(5, 11), (6, 12), (11, 13), (12, 14), (13, 15), (14, 16), (5, 7), (6, 8)])

_COLUMNS: dict[str, Shape] = {
    "frame": ("P",),
    "time_s": ("P",),
    "track": ("P",),
    "score": ("P",),
    "filled": ("P",),
    "hip": ("P", "A"),
    "height": ("P",),
    "at_border": ("P",),
    "bones": ("P", "B"),
    "growth": ("P",),
    "way": ("P",),
    "step_s": ("P",),
    "turned": ("P",),
    "mirrored": ("P",),
    "other": ("P",),
    "oks": ("P",),
}


@dataclass(frozen=True, eq=False)
class PoseFacts:
    """A row a pose, ordered by frame, then track.

    Attributes:
        frame, track: (P,) int64, as in `Tracks`.
        time_s: (P,) float64.
        score: (P,) float32, as in `Tracks`.
        filled: (P,) bool, as in `Tracks`.
        hip: (P, 2) float32 pixels: between the hips.
        height: (P,) float32 pixels: the longer side of the landmarks' extent.
        at_border: (P,) bool: the box reaches the picture's border.
        bones: (P, B) float32: logarithms of lengths in metres; B is 0 without world landmarks.
        growth: (P,) float32: change of the logarithm of the size in the picture, a moment ago.
        way: (P,) float32 heights: of the raw hips, from the last pose that was seen.
        step_s: (P,) float32 seconds since that pose; infinite without one.
        turned: (P,) float32 heights: mean way of shoulders and hips relative to their middle.
        mirrored: (P,) float32 heights: the same from where their mirror images were.
        other: (P,) int64: track of the other pose of the frame that is most like it; 0 for none.
        oks: (P,) float32: their similarity.

    Raises:
        ValueError: a column does not have its shape.
    """

    frame: IntArray
    time_s: NDArray[np.float64]
    track: IntArray
    score: FloatArray
    filled: NDArray[np.bool_]
    hip: FloatArray
    height: FloatArray
    at_border: NDArray[np.bool_]
    bones: FloatArray
    growth: FloatArray
    way: FloatArray
    step_s: FloatArray
    turned: FloatArray
    mirrored: FloatArray
    other: IntArray
    oks: FloatArray

    def __post_init__(self) -> None:
        check_shapes(self, _COLUMNS)

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: IntArray | NDArray[np.bool_]) -> "PoseFacts":
        """Some of the rows."""
        return PoseFacts(**taken(self, [*_COLUMNS], rows))

    @classmethod
    def concat(cls, blocks: Sequence["PoseFacts"]) -> "PoseFacts":
        """The rows of one or more blocks, in the order of the blocks."""
        return cls(**concatenated(blocks, [*_COLUMNS]))

    def by_track(self) -> Iterator[tuple[int, "PoseFacts"]]:
        """Each track's id and rows, in order of time."""
        order = np.argsort(self.track, kind="stable")
        ids, starts = np.unique(self.track[order], return_index=True)
        for number, rows in zip(ids.tolist(), np.split(order, starts[1:]), strict=True):
            yield number, self.take(rows)


class FactsReader:
    """Makes the facts of blocks that follow each other; the answer does not depend on the cuts."""

    def __init__(self, skeleton: Skeleton, size: tuple[int, int], settings: MomentSettings) -> None:
        """Prepares for the first block of a video.

        Args:
            skeleton: of the landmarks.
            size: width and height of the picture in pixels.
            settings: the lags at which poses are compared.
        """
        self._skeleton = skeleton
        self._size = size
        self._settings = settings
        self._before: dict[int, _Past] = {}

    def facts(self, block: Tracks) -> PoseFacts:
        """The facts of the next block."""
        keypoints = coco_keypoints(block.smoothed, self._skeleton)
        xy = np.ascontiguousarray(keypoints[:, :, :2])
        extent = np.ptp(block.smoothed[:, :, :2], axis=1).max(axis=1, initial=1)
        past = _Past(
            block.time_s,
            xy[:, _TRUNK],
            np.log(np.maximum(_lengths(xy, _SIZES).sum(axis=1), 1)),
            coco_keypoints(block.raw, self._skeleton)[:, _HIPS, :2].mean(axis=1),
            ~block.filled,
            extent,
        )
        other, oks = _most_alike(block, xy, keypoints[:, :, 2] > self._settings.min_visibility)
        return PoseFacts(
            frame=block.frame_index,
            time_s=block.time_s,
            track=block.track_id,
            score=block.score,
            filled=block.filled,
            hip=xy[:, _HIPS].mean(axis=1),
            height=extent,
            at_border=self._at_border(block.bbox),
            bones=self._bones(block),
            **self._compared(block.track_id, past),
            other=other,
            oks=oks,
        )

    def _compared(self, track: IntArray, block: "_Past") -> dict[str, FloatArray]:
        """The columns that compare a pose with earlier ones of its track."""
        columns = {name: np.zeros(len(track), np.float32) for name in _COMPARED}
        memory_s = 2 * max(
            self._settings.size_lag_s, self._settings.swap_lag_s, self._settings.jump_max_step_s
        )
        for number in np.unique(track).tolist():
            rows = np.flatnonzero(track == number)
            before = self._before.get(number)
            known = block.take(rows) if before is None else before.then(block.take(rows))
            for name, values in known.compared(self._settings).items():
                columns[name][rows] = values[len(known) - len(rows) :]
            recent = known.time_s >= known.time_s[-1] - memory_s
            self._before[number] = known.take(np.flatnonzero(recent))
        return columns

    def _bones(self, block: Tracks) -> FloatArray:
        if not block.smoothed_world.shape[2]:
            return np.zeros((len(block), 0), np.float32)
        world = keypoints_of(block.smoothed_world, self._skeleton.coco17)
        known = [place is not None for place in self._skeleton.coco17]
        bones = _BONES[[known[a] and known[b] for a, b in _BONES.tolist()]]
        return np.log(np.maximum(_lengths(world, bones), np.float32(self._settings.min_bone_m)))

    def _at_border(self, bbox: FloatArray) -> NDArray[np.bool_]:
        margin = self._settings.border * min(self._size)
        low, high = bbox[:, :2], bbox[:, :2] + bbox[:, 2:]
        beyond = np.hstack([low <= margin, high >= np.array(self._size) - margin])
        return np.asarray(beyond.any(axis=1))


_COMPARED = ("growth", "way", "step_s", "turned", "mirrored")


@dataclass(frozen=True, eq=False)
class _Past:
    """Poses of a block, or the last ones of a track: what later ones are compared with."""

    time_s: NDArray[np.float64]
    trunk: FloatArray
    log_size: FloatArray
    raw_hip: FloatArray
    seen: NDArray[np.bool_]
    height: FloatArray

    def __len__(self) -> int:
        return len(self.time_s)

    def take(self, rows: IntArray) -> "_Past":
        return _Past(**taken(self, _PAST, rows))

    def then(self, later: "_Past") -> "_Past":
        return _Past(**concatenated([self, later], _PAST))

    def compared(self, settings: MomentSettings) -> dict[str, FloatArray]:
        """(n,) columns, each pose with earlier ones; 0 where there are none."""
        height = np.maximum(self.height, 1)
        ago, known = self._ago(settings.size_lag_s)
        growth = np.where(known, self.log_size - self.log_size[ago], 0)
        ago, known = self._ago(settings.swap_lag_s)
        shape = self.trunk - self.trunk.mean(axis=1, keepdims=True)
        turned = np.linalg.norm(shape - shape[ago], axis=2).mean(axis=1) / height
        mirror = [_TRUNK.index(place) for place in _MIRRORED]
        mirrored = np.linalg.norm(shape - shape[ago][:, mirror], axis=2).mean(axis=1) / height
        last, seen = self._last_seen()
        way = np.linalg.norm(self.raw_hip - self.raw_hip[last], axis=1) / height
        step_s = np.where(seen, self.time_s - self.time_s[last], np.inf)
        return {
            "growth": growth,
            "way": np.where(seen, way, 0),
            "step_s": step_s,
            "turned": np.where(known, turned, 0),
            "mirrored": np.where(known, mirrored, 0),
        }

    def _ago(self, lag_s: float) -> tuple[IntArray, NDArray[np.bool_]]:
        """(n,) places of the poses at least `lag_s` before, and whether they are near that."""
        place = np.searchsorted(self.time_s, self.time_s - lag_s, side="right") - 1
        known = (place >= 0) & (self.time_s[place] >= self.time_s - 2 * lag_s)
        return np.maximum(place, 0), known

    def _last_seen(self) -> tuple[IntArray, NDArray[np.bool_]]:
        """(n,) places of the last pose before that was seen, and whether both are seen."""
        places = np.where(self.seen, np.arange(len(self)), -1)
        last = np.concatenate([[-1], np.maximum.accumulate(places)[:-1]])
        return np.maximum(last, 0), self.seen & (last >= 0)


_PAST = ("time_s", "trunk", "log_size", "raw_hip", "seen", "height")


def pose_facts(
    blocks: Iterable[Tracks], skeleton: Skeleton, size: tuple[int, int], settings: MomentSettings
) -> PoseFacts | None:
    """The facts of all blocks of a video, in order; None without a pose."""
    reader = FactsReader(skeleton, size, settings)
    found = [reader.facts(block) for block in blocks if len(block)]
    return PoseFacts.concat(found) if found else None


def _lengths(points: FloatArray, pairs: NDArray[np.int64]) -> FloatArray:
    """(P, B) lengths between pairs (B, 2) of the points (P, K, D)."""
    lengths: FloatArray = np.linalg.norm(points[:, pairs[:, 0]] - points[:, pairs[:, 1]], axis=2)
    return lengths


def _most_alike(
    block: Tracks, xy: FloatArray, visible: NDArray[np.bool_]
) -> tuple[IntArray, FloatArray]:
    """(P,) tracks of the pose of the same frame that is most like each, and how alike they are."""
    first = np.searchsorted(block.frame_index, block.frame_index)
    other, oks = np.zeros(len(block), np.int64), np.zeros(len(block), np.float32)
    area = block.bbox[:, 2] * block.bbox[:, 3]
    for lag in range(1, int((np.arange(len(block)) - first).max(initial=0)) + 1):
        later = np.flatnonzero(np.arange(len(block)) - first >= lag)
        earlier = later - lag
        alike = paired_oks(xy[later], xy[earlier], visible[later] & visible[earlier], area[earlier])
        for one, two in ((later, earlier), (earlier, later)):
            better = alike > oks[one]
            oks[one[better]] = alike[better]
            other[one[better]] = block.track_id[two[better]]
    return other, oks
