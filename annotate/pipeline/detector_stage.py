"""First stage: the regions of a picture in which people may be."""

from collections.abc import Iterable, Sequence

import numpy as np

from annotate.domain.options import People
from annotate.domain.picture import Picture
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.inference import Models
from annotate.numeric.geometry import roi_iou
from annotate.pipeline.detector_pass import Candidate, DetectorPass, View


class DetectorStage:
    """The detectors that a pack has for `near` or `all`: its own detector on the whole picture, and
    for `all` its person detector too, or else tiles, unless its own one finds whole people.

    Args:
        rotations: in how many ways the picture is turned.
    """

    def __init__(
        self, models: Models, people: People, settings: PipelineSettings, rotations: int = 1
    ) -> None:
        pack = models.pack
        size, tiled = pack.landmark.size, pack.is_tiled(people)
        of_stage = {"detector": models.detector, "person_detector": models.person_detector}
        self._passes = [
            DetectorPass(model, spec, size, settings, tiled=tiled, rotations=rotations)
            for stage, spec in pack.detectors(people).items()
            if (model := of_stage[stage]) is not None
        ]

    def views(self, picture: Picture) -> list[list[View]]:
        """The inputs for a picture, by detector."""
        return [one.views(picture) for one in self._passes]

    def candidates(self, pictures: Sequence[Sequence[Sequence[View]]]) -> list[list[Candidate]]:
        """For each picture, given by its views, the detections in descending order of score. A
        person may be among them once for every view that shows them.
        """
        by_pass = [
            one.candidates(views)
            for one, views in zip(self._passes, zip(*pictures, strict=True), strict=True)
        ]
        return [
            sorted((one for found in picture for one in found), key=lambda one: -one.score)
            for picture in zip(*by_pass, strict=True)
        ]


def new_candidates(
    found: Iterable[Candidate],
    known: Sequence[Candidate],
    same_iou: float,
    most: int | None = None,
) -> list[Candidate]:
    """The candidates whose ROI overlaps neither a known one nor an earlier one by more than
    `same_iou`; at most the first so many. Boxes of whole people are not compared with each other:
    their detector has done that.
    """
    new: list[Candidate] = []
    for candidate in found:
        if len(new) == most:
            break
        others = [
            other.roi for other in (*known, *new) if candidate.box is None or other.box is None
        ]
        if not others or roi_iou(candidate.roi, np.array(others)).max() <= same_iou:
            new.append(candidate)
    return new
