"""One detector on a picture: its inputs, and the regions that its detections give."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.model_spec import DetectorSpec
from annotate.domain.picture import Picture, Window
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.inference import Model
from annotate.numeric.geometry import (
    box_iou,
    crop_to_picture,
    quarter_turned,
    quarter_turns,
    tile_rois,
    turned_letterbox_roi,
)
from annotate.numeric.rgb_picture import sampling
from annotate.pipeline.batching import run_batched
from annotate.pipeline.crops import to_range
from annotate.pipeline.decoders import detector_decoder
from annotate.pipeline.roi_rules import detection_rois


class Candidate(NamedTuple):
    """A region in which a person may be.

    Attributes:
        score: of the detection that it comes from, in [0, 1].
        roi: (4,) float32 centre x, centre y, side, rotation.
        box: (4,) float32 x0, y0, x1, y1 of the whole person in pixels of the picture, or None where
            the detector gives none.
        starts: whether the score suffices to begin a tracked person.
        visibility: of a tracked person, with which a pose is compared to see whether they have
            turned, as `PersonPose.best_visibility`; 0 where it is not.
    """

    score: float
    roi: FloatArray
    box: FloatArray | None = None
    starts: bool = True
    visibility: float = 0.0


class Tile(NamedTuple):
    """One crop for the detector, at the same place in all pictures of one size.

    Attributes:
        place: (2, 3) float64 from fractions of its longer edge to pixels of the picture.
        turns: quarter turns of the crop, clockwise.
        spec: of the detector.
        inside: rows and columns of the crop that show part of the picture.
        window: where in the picture those are.
    """

    place: NDArray[np.float64]
    turns: int
    spec: DetectorSpec
    inside: tuple[slice, slice]
    window: Window

    @classmethod
    def at(cls, roi: FloatArray, spec: DetectorSpec, width: int, height: int) -> "Tile":
        """The tile of an ROI (4,), turned by quarter turns or not, for pictures of this size."""
        matrix = crop_to_picture(roi, spec.size)
        whole, fraction = sampling(matrix, spec.size)
        # A sample that is half outside still shows part of the picture.
        rows, columns = np.nonzero(((whole >= -1) & (whole < [width, height])).all(axis=2))
        inside = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
        maps = np.ascontiguousarray(whole[inside]), np.ascontiguousarray(fraction[inside])
        matrix[:, 2] += matrix[:, :2] @ [columns.min(), rows.min()]
        shown_rows, shown_columns = maps[1].shape
        window = Window(matrix, (shown_columns, shown_rows), maps)
        longer = max(spec.size)
        place = crop_to_picture(roi, (spec.size[0] / longer, spec.size[1] / longer))
        return cls(place, quarter_turns(roi), spec, inside, window)

    def pixels(self, picture: Picture) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 of a picture; outside it as the pack says."""
        width, height = self.spec.size
        pixels = np.full((height, width, 3), self.spec.grey, np.uint8)
        pixels[self.inside] = picture.crop(self.window, self.spec.border, self.spec.grey)
        return pixels


class View(NamedTuple):
    """What the detector sees of a picture in one run.

    Attributes:
        place: (2, 3) float64 from fractions of the longer edge to pixels of the picture.
        turns: quarter turns, clockwise.
        pixels: (height, width, 3) uint8.
    """

    place: NDArray[np.float64]
    turns: int
    pixels: NDArray[np.uint8]


class DetectorPass:
    """One detector, on the whole picture, or on overlapping tiles of it too, or on the picture as
    it is and turned.

    Args:
        size: width and height of the landmark model's input.
        tiled: the detector runs on tiles, too.
        rotations: in how many ways the picture is turned, each by a quarter turn more.
    """

    def __init__(
        self,
        model: Model,
        spec: DetectorSpec,
        size: tuple[int, int],
        settings: PipelineSettings,
        *,
        tiled: bool = False,
        rotations: int = 1,
    ) -> None:
        self._model = model
        self._spec = spec
        self._size = size
        self._settings = settings
        self._tiled = tiled
        self._rotations = rotations
        self._decoder = detector_decoder(spec)
        self._tiles: dict[tuple[int, int], list[Tile]] = {}

    def views(self, picture: Picture) -> list[View]:
        """The inputs for a picture: the whole of it, then its tiles, or the picture turned."""
        tiles = self._tiles.get(picture.size)
        if tiles is None:
            tiles = self._tiles[picture.size] = self._tiles_of(*picture.size)
        return [View(tile.place, tile.turns, tile.pixels(picture)) for tile in tiles]

    def candidates(self, pictures: Sequence[Sequence[View]]) -> list[list[Candidate]]:
        """For each picture, given by its views, the detections in it."""
        views = [view for picture in pictures for view in picture]
        found = iter(run_batched(views, self._input, self._model.run, self._in_view))
        return [self._merged([next(found) for _ in picture]) for picture in pictures]

    def _tiles_of(self, width: int, height: int) -> list[Tile]:
        spec = self._spec
        if self._tiled:
            rois = tile_rois(width, height, max(spec.size), self._settings)
        else:
            rois = np.stack(
                [
                    turned_letterbox_roi(width, height, spec.size, spec.padding, turns)
                    for turns in range(self._rotations)
                ]
            )
        return [Tile.at(roi, spec, width, height) for roi in rois]

    def _input(self, view: View) -> FloatArray:
        return to_range(view.pixels, self._spec)

    def _in_view(self, view: View, outputs: Sequence[FloatArray]) -> list[Candidate]:
        found = self._decoder.decode(outputs)
        if not len(found):
            return []
        spec, placed = self._spec, found.placed(view.place)
        rois = [*detection_rois(placed, spec, self._size)]
        boxes = placed.box if spec.finds_whole_people else [None] * len(found)
        if view.turns:
            # The person is upright in the view, so their ROI is turned as that is.
            edges = placed.box[:, 2:] - placed.box[:, :2]
            rois = [
                quarter_turned(roi, edge, self._size, view.turns)
                for roi, edge in zip(rois, edges, strict=True)
            ]
        starts = found.score >= spec.min_new_score
        return [*map(Candidate, found.score.tolist(), rois, boxes, starts.tolist())]

    def _merged(self, by_view: Sequence[Sequence[Candidate]]) -> list[Candidate]:
        if self._rotations > 1:
            return _distinct([one for view in by_view for one in view], self._settings.turned_iou)
        whole, *tiles = by_view
        least = self._settings.tile_min_score
        return [*whole, *(one for tile in tiles for one in tile if one.score >= least)]


def _distinct(found: Sequence[Candidate], same_iou: float) -> list[Candidate]:
    """Without the boxes that overlap a better one by more than `same_iou`."""
    kept: list[Candidate] = []
    for one in sorted(found, key=lambda candidate: -candidate.score):
        if one.box is not None:
            boxes = [other.box for other in kept if other.box is not None]
            if boxes and box_iou(one.box, np.stack(boxes)).max() > same_iou:
                continue
        kept.append(one)
    return kept
