"""First stage: the regions of a picture in which people may be."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.model_spec import DetectorSpec
from annotate.domain.options import People
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.inference import Models
from annotate.numeric.geometry import crop_to_picture, letterbox_roi, roi_iou, tile_rois
from annotate.pipeline.batching import run_batched
from annotate.pipeline.crops import Maps, crop, sampling, to_range
from annotate.pipeline.decoders import detector_decoder
from annotate.pipeline.roi_rules import detection_rois


class Candidate(NamedTuple):
    """A region in which a person may be.

    Attributes:
        score: of the detection that it comes from, in [0, 1].
        roi: (4,) float32 centre x, centre y, side, rotation.
    """

    score: float
    roi: FloatArray


class Tile(NamedTuple):
    """One crop for the detector, at the same place in all pictures of one size.

    Attributes:
        place: (2, 3) float64 from fractions of its longer edge to pixels of the picture.
        spec: of the detector.
        inside: rows and columns of the crop that show part of the picture.
        maps: where in the picture those are.
    """

    place: NDArray[np.float64]
    spec: DetectorSpec
    inside: tuple[slice, slice]
    maps: Maps

    @classmethod
    def at(cls, roi: FloatArray, spec: DetectorSpec, width: int, height: int) -> "Tile":
        """The tile of an ROI (4,) with rotation 0, for pictures of this size."""
        whole, fraction = sampling(roi, spec.size)
        # A sample that is half outside still shows part of the picture.
        rows, columns = np.nonzero(((whole >= -1) & (whole < [width, height])).all(axis=2))
        inside = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
        maps = np.ascontiguousarray(whole[inside]), np.ascontiguousarray(fraction[inside])
        longer = max(spec.size)
        place = crop_to_picture(roi, (spec.size[0] / longer, spec.size[1] / longer))
        return cls(place, spec, inside, maps)

    def pixels(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
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


class DetectorStage:
    """The detector on the whole picture (`near`), or on overlapping tiles of it too (`all`)."""

    def __init__(self, models: Models, people: People, settings: PipelineSettings) -> None:
        self._model = models.detector
        self._spec = models.pack.detector
        self._people = people
        self._settings = settings
        self._decoder = detector_decoder(self._spec)
        self._tiles: dict[tuple[int, ...], list[Tile]] = {}

    def views(self, rgb: NDArray[np.uint8]) -> list[View]:
        """The inputs for a picture (H, W, 3) uint8: the whole picture, then its tiles."""
        tiles = self._tiles.get(rgb.shape)
        if tiles is None:
            tiles = self._tiles[rgb.shape] = self._tiles_of(rgb)
        return [View(tile.place, tile.pixels(rgb)) for tile in tiles]

    def candidates(self, pictures: Sequence[Sequence[View]]) -> list[list[Candidate]]:
        """For each picture, given by its views, the detections in descending order of score. A
        person may be among them once for every view that shows them.
        """
        views = [view for picture in pictures for view in picture]
        found = iter(run_batched(views, self._input, self._model.run, self._in_view))
        return [self._merged([next(found) for _ in picture]) for picture in pictures]

    def _tiles_of(self, rgb: NDArray[np.uint8]) -> list[Tile]:
        height, width = rgb.shape[:2]
        spec, settings = self._spec, self._settings
        if self._people == "all":
            rois = tile_rois(width, height, max(spec.size), settings)
        else:
            rois = letterbox_roi(width, height, spec.size, spec.padding)[None]
        return [Tile.at(roi, spec, width, height) for roi in rois]

    def _input(self, view: View) -> FloatArray:
        return to_range(view.pixels, self._spec)

    def _in_view(self, view: View, outputs: Sequence[FloatArray]) -> list[Candidate]:
        found = self._decoder.decode(outputs)
        if not len(found):
            return []
        rois = detection_rois(found.placed(view.place), self._spec)
        return [*map(Candidate, found.score.tolist(), rois)]

    def _merged(self, by_view: Sequence[Sequence[Candidate]]) -> list[Candidate]:
        whole, *tiles = by_view
        least = self._settings.tile_min_score
        found = [*whole, *(one for tile in tiles for one in tile if one.score >= least)]
        return sorted(found, key=lambda candidate: -candidate.score)


def new_candidates(
    found: Iterable[Candidate], known: Sequence[Candidate], same_iou: float
) -> list[Candidate]:
    """The candidates whose ROI overlaps neither a known one nor an earlier one by more than
    `same_iou`.
    """
    new: list[Candidate] = []
    for candidate in found:
        others = [other.roi for other in (*known, *new)]
        if not others or roi_iou(candidate.roi, np.array(others)).max() <= same_iou:
            new.append(candidate)
    return new
