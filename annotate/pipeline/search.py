"""Stage 1: where in a picture somebody may be."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotate.domain import FloatArray, People
from annotate.geometry import (
    apply_affine,
    crop_to_picture,
    letterbox_roi,
    roi_iou,
    rois_from_points,
    tile_rois,
)
from annotate.inference import Models
from annotate.pipeline.crops import Maps, crop, sampling, to_range
from annotate.pipeline.detector import anchor_centres, detections_of

# ROIs that overlap more are one person twice. What slips through costs a run of the landmark
# model, and then falls to `annotate.pipeline.duplicates`.
SAME_ROI_IOU = 0.6
# Least score in a tile, where the pack asks for less: a head, a foot or a lamp that fills a small
# tile is easily taken for a person.
TILE_MIN_SCORE = 0.6


class Candidate(NamedTuple):
    """Somebody may be here.

    Attributes:
        score: of the detection that it comes from, in [0, 1].
        roi: (4,) float32 centre x, centre y, side, rotation.
    """

    score: float
    roi: FloatArray


class Search:
    """The detector on the whole picture (`near`), or on overlapping tiles of it too (`all`)."""

    def __init__(self, models: Models, people: People) -> None:
        self._detector = models.detector
        self._spec = models.pack.detector
        self._people = people
        self._anchors = anchor_centres(self._spec)
        self._squares: dict[tuple[int, ...], list[tuple[NDArray[np.float64], Maps]]] = {}

    def __call__(self, rgb: NDArray[np.uint8]) -> list[Candidate]:
        """Whom the detector sees in a picture (H, W, 3) uint8, in descending order of score; a
        person may be among them once for every square that shows him.
        """
        squares = self._squares.get(rgb.shape)
        if squares is None:
            squares = self._squares[rgb.shape] = self._squares_of(rgb)
        whole, *tiles = (self._in_square(rgb, *square) for square in squares)
        found = [*whole, *(one for tile in tiles for one in tile if one.score >= TILE_MIN_SCORE)]
        return sorted(found, key=lambda candidate: -candidate.score)

    def _squares_of(self, rgb: NDArray[np.uint8]) -> list[tuple[NDArray[np.float64], Maps]]:
        height, width = rgb.shape[:2]
        size = self._spec.size
        whole = letterbox_roi(width, height)[None]
        squares = whole if self._people == "near" else tile_rois(width, height, size)
        return [(crop_to_picture(square, 1), sampling(square, size)) for square in squares]

    def _in_square(
        self, rgb: NDArray[np.uint8], place: NDArray[np.float64], maps: Maps
    ) -> Iterable[Candidate]:
        spec = self._spec
        outputs = self._detector.run(to_range(crop(rgb, maps, "zero"), spec.value_range))
        found = detections_of(outputs, self._anchors, spec)
        points = apply_affine(place, found.points)
        rois = rois_from_points(points[:, spec.roi_centre], points[:, spec.roi_tip], spec.roi_scale)
        return map(Candidate, found.score.tolist(), rois)


def newcomers(found: Iterable[Candidate], known: Sequence[Candidate]) -> list[Candidate]:
    """Those of `found` whose ROI is neither that of somebody known nor of one before them."""
    new: list[Candidate] = []
    for candidate in found:
        others = [other.roi for other in (*known, *new)]
        if not others or roi_iou(candidate.roi, np.array(others)).max() <= SAME_ROI_IOU:
            new.append(candidate)
    return new
