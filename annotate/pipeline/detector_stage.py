"""Stage 1: where in a picture somebody may be."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.model_spec import DetectorSpec
from annotate.domain.options import People
from annotate.inference import Models
from annotate.numeric.geometry import crop_to_picture, letterbox_roi, roi_iou, tile_rois
from annotate.pipeline.batching import in_stages
from annotate.pipeline.crops import Maps, crop, sampling, to_range
from annotate.pipeline.decoders import detector_decoder
from annotate.pipeline.roi_rules import detection_rois

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


class Square(NamedTuple):
    """A square of all pictures of one size.

    Attributes:
        place: (2, 3) float64 from fractions of its longer edge to pixels of the picture.
        spec: of the detector.
        inside: its rows and columns that show something of the picture.
        maps: where in the picture those lie.
    """

    place: NDArray[np.float64]
    spec: DetectorSpec
    inside: tuple[slice, slice]
    maps: Maps

    @classmethod
    def at(cls, roi: FloatArray, spec: DetectorSpec, width: int, height: int) -> "Square":
        """That of an ROI (4,) with rotation 0."""
        whole, fraction = sampling(roi, spec.size)
        # A sample half outside still shows something of the picture.
        rows, columns = np.nonzero(((whole >= -1) & (whole < [width, height])).all(axis=2))
        inside = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
        maps = np.ascontiguousarray(whole[inside]), np.ascontiguousarray(fraction[inside])
        longer = max(spec.size)
        place = crop_to_picture(roi, (spec.size[0] / longer, spec.size[1] / longer))
        return cls(place, spec, inside, maps)

    def of(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 of a picture; outside it as the pack says."""
        width, height = self.spec.size
        pixels = np.full((height, width, 3), self.spec.grey, np.uint8)
        pixels[self.inside] = crop(rgb, self.maps, self.spec.border, self.spec.grey)
        return pixels


class View(NamedTuple):
    """What the detector sees of a picture in one run.

    Attributes:
        place: (2, 3) float64 from fractions of the longer edge to pixels of the picture.
        pixels: (height, width, 3) uint8.
    """

    place: NDArray[np.float64]
    pixels: NDArray[np.uint8]


class Search:
    """The detector on the whole picture (`near`), or on overlapping tiles of it too (`all`)."""

    def __init__(self, models: Models, people: People) -> None:
        self._detector = models.detector
        self._spec = models.pack.detector
        self._people = people
        self._decoder = detector_decoder(self._spec)
        self._squares: dict[tuple[int, ...], list[Square]] = {}

    def views(self, rgb: NDArray[np.uint8]) -> list[View]:
        """What is to be looked at of a picture (H, W, 3) uint8: all of it, then its tiles."""
        squares = self._squares.get(rgb.shape)
        if squares is None:
            squares = self._squares[rgb.shape] = self._squares_of(rgb)
        return [View(square.place, square.of(rgb)) for square in squares]

    def __call__(self, pictures: Sequence[Sequence[View]]) -> list[list[Candidate]]:
        """Whom the detector sees in each picture, of which its `views` are given, in descending
        order of score; a person may be among them once for every view that shows him.
        """
        views = [view for picture in pictures for view in picture]
        found = iter(in_stages(views, self._input, self._detector.run, self._candidates))
        return [self._in_picture([next(found) for _ in picture]) for picture in pictures]

    def _squares_of(self, rgb: NDArray[np.uint8]) -> list[Square]:
        height, width = rgb.shape[:2]
        spec = self._spec
        whole = letterbox_roi(width, height, spec.size, spec.padding)[None]
        squares = whole if self._people == "near" else tile_rois(width, height, max(spec.size))
        return [Square.at(roi, spec, width, height) for roi in squares]

    def _input(self, view: View) -> FloatArray:
        return to_range(view.pixels, self._spec)

    def _candidates(self, view: View, outputs: Sequence[FloatArray]) -> list[Candidate]:
        found = self._decoder.decode(outputs)
        if not len(found):
            return []
        rois = detection_rois(found.placed(view.place), self._spec)
        return [*map(Candidate, found.score.tolist(), rois)]

    def _in_picture(self, by_view: Sequence[Sequence[Candidate]]) -> list[Candidate]:
        whole, *tiles = by_view
        found = [*whole, *(one for tile in tiles for one in tile if one.score >= TILE_MIN_SCORE)]
        return sorted(found, key=lambda candidate: -candidate.score)


def newcomers(found: Iterable[Candidate], known: Sequence[Candidate]) -> list[Candidate]:
    """Those of `found` whose ROI is neither that of somebody known nor of one before them."""
    new: list[Candidate] = []
    for candidate in found:
        others = [other.roi for other in (*known, *new)]
        if not others or roi_iou(candidate.roi, np.array(others)).max() <= SAME_ROI_IOU:
            new.append(candidate)
    return new
