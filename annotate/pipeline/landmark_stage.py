"""Stage 2: who of those who may be in a picture is really there."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.skeleton import SKELETONS
from annotate.inference import Models
from annotate.numeric.geometry import roi_iou
from annotate.pipeline.appearance import appearance
from annotate.pipeline.batching import in_stages
from annotate.pipeline.crops import model_crop
from annotate.pipeline.decoders import landmark_decoder
from annotate.pipeline.detector_stage import Candidate
from annotate.pipeline.duplicates import distinct_poses
from annotate.pipeline.landmarks import COLUMNS, to_picture
from annotate.pipeline.roi_rules import next_roi

# A pose whose next ROI overlaps the one that it was seen in by less is looked at again in that.
SETTLED_IOU = 0.9


class Sought(NamedTuple):
    """Whom the detector has found in a picture (H, W, 3) uint8."""

    rgb: NDArray[np.uint8]
    found: Sequence[Candidate]


class Look(NamedTuple):
    """At a candidate in a picture (H, W, 3) uint8; he is `fresh` where he was found in this one."""

    rgb: NDArray[np.uint8]
    candidate: Candidate
    fresh: bool = False


class Sighting(NamedTuple):
    """One person in one picture.

    Attributes:
        detection_score: of the detection that led here, maybe some frames ago.
        score: the landmark model's flag.
        roi: (4,) float32 in which the landmarks were seen.
        landmarks: (m, 5) float32 in pixels of the picture, auxiliary ones included.
        appearance: (6,) float32 in [0, 255], as in `annotate.domain.Poses`.
        fresh: the detection is of this picture, and of nobody known before.
    """

    detection_score: float
    score: float
    roi: FloatArray
    landmarks: FloatArray
    appearance: FloatArray
    fresh: bool


class Inspection:
    """The landmark model where somebody may be.

    Args:
        looks_twice: whom the detector has found is looked at again in the ROI that the first look
            gives, where the pack says how.
    """

    def __init__(self, models: Models, *, looks_twice: bool) -> None:
        self._model = models.landmark
        self._spec = models.pack.landmark
        self._decoder = landmark_decoder(self._spec)
        self._skeleton = SKELETONS[models.pack.skeleton]
        self._looks_twice = looks_twice and models.pack.carries_people

    def __call__(self, pictures: Sequence[Sought]) -> list[list[Sighting]]:
        """For each picture everyone who is really there, each once, in descending order of
        detection score.
        """
        looks = [
            Look(picture.rgb, candidate, fresh=True)
            for picture in pictures
            for candidate in picture.found
        ]
        each = iter(self.seen(looks))
        return [self._once(islice(each, len(picture.found))) for picture in pictures]

    def seen(self, looks: Sequence[Look]) -> list[Sighting | None]:
        """The person whom each candidate leads to, or None."""
        seen = self._seen_once(looks)
        if self._looks_twice:
            self._look_again(looks, seen)
        return seen

    def landmarks(
        self, places: Sequence[tuple[NDArray[np.uint8], FloatArray]]
    ) -> list[tuple[FloatArray, float]]:
        """What the model says of pictures (H, W, 3) uint8 with an ROI each.

        Returns:
            For each, (m, 5) float32 landmarks in pixels of the picture, auxiliary ones included,
            and the probability that the ROI holds a person.
        """
        return [*in_stages(places, self._input, self._model.run, self._placed)]

    def next_roi(self, sighting: Sighting) -> FloatArray:
        """(4,) where to look for the same person next, by the rule for detections."""
        roi = next_roi(sighting.landmarks, self._spec)
        if roi is None:
            raise ValueError("the pack has no rule for the next ROI")
        return roi

    def distinct(
        self, sightings: Sequence[Sighting], trust: Sequence[float] | None = None
    ) -> list[int]:
        """Places of the sightings that show each person once, increasing.

        Args:
            trust: which of two is the better; by default the models' flags.
        """
        score = np.array(trust or [one.score for one in sightings], np.float32)
        rows: list[int] = distinct_poses(self.body(sightings), score, self._skeleton).tolist()
        return rows

    def body(self, sightings: Sequence[Sighting]) -> FloatArray:
        """(n, L, 5) landmarks without the auxiliary ones."""
        count = self._spec.count
        body = [one.landmarks[:count] for one in sightings]
        return np.array(body, np.float32).reshape(-1, count, len(COLUMNS))

    def _seen_once(self, looks: Sequence[Look]) -> list[Sighting | None]:
        found = self.landmarks([(look.rgb, look.candidate.roi) for look in looks])
        return [self._sighting(look, *one) for look, one in zip(looks, found, strict=True)]

    def _sighting(self, look: Look, landmarks: FloatArray, flag: float) -> Sighting | None:
        if flag < self._spec.min_score:
            return None
        score, roi = look.candidate
        worn = appearance(look.rgb, landmarks, self._skeleton)
        return Sighting(score, flag, roi, landmarks, worn, look.fresh)

    def _look_again(self, looks: Sequence[Look], seen: list[Sighting | None]) -> None:
        moved: dict[int, Look] = {}
        for place, one in enumerate(seen):
            if one is not None and one.fresh:
                better = self.next_roi(one)
                if roi_iou(one.roi, better[None])[0] < SETTLED_IOU:
                    again = Candidate(one.detection_score, better)
                    moved[place] = looks[place]._replace(candidate=again)
        for place, one in zip(moved, self._seen_once([*moved.values()]), strict=True):
            seen[place] = one

    def _once(self, seen: Iterable[Sighting | None]) -> list[Sighting]:
        there = sorted((one for one in seen if one), key=lambda one: -one.detection_score)
        return [there[row] for row in self.distinct(there)]

    def _input(self, place: tuple[NDArray[np.uint8], FloatArray]) -> FloatArray:
        rgb, roi = place
        return model_crop(rgb, roi, self._spec)

    def _placed(
        self, place: tuple[NDArray[np.uint8], FloatArray], outputs: Sequence[FloatArray]
    ) -> tuple[FloatArray, float]:
        landmarks, score = self._decoder.decode(outputs)
        return to_picture(landmarks, place[1], self._spec.size), score
