"""Tracks people from frame to frame, through short occlusions.

Where people pass each other, the landmark model often shows the person in front in the crops of
both. Motion and appearance tell whose body it is. The other person is occluded: they are searched
for where their motion leads, until they are seen again.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.pipeline.detector_pass import Candidate
from annotate.pipeline.landmark_stage import CropRequest, LandmarkStage, PersonPose
from annotate.pipeline.tracked_person import TrackedPerson


class Found(NamedTuple):
    """A pose from which tracking can go on.

    Attributes:
        pose: of the present picture.
        roi: (4,) float32 the pose's next ROI.
        person: whose expected ROI it was seen in; None for a new detection.
    """

    pose: PersonPose
    roi: FloatArray
    person: TrackedPerson | None


class FrameTracker:
    """The people of consecutive frames."""

    def __init__(self, stage: LandmarkStage, settings: PipelineSettings) -> None:
        self._stage = stage
        self._settings = settings
        self._seen: list[TrackedPerson] = []
        self._occluded: list[TrackedPerson] = []

    def known(self) -> list[Candidate]:
        """Where the people of the last frame are expected in the next one."""
        return [Candidate(person.pose.detection_score, person.roi) for person in self._seen]

    def step(
        self, rgb: NDArray[np.uint8], time_s: float, detected: Sequence[Candidate]
    ) -> list[PersonPose]:
        """Every person in the next picture (H, W, 3) uint8, once.

        Args:
            detected: candidates in it besides the known ones.
        """
        before = self._seen
        requests = [CropRequest(rgb, candidate) for candidate in self.known()]
        requests += [CropRequest(rgb, candidate, fresh=True) for candidate in detected]
        found = self._each_once(self._trackable(requests, before), time_s)
        kept = [one.person for one in found if one.person]
        self._occluded += [person for person in before if person not in kept]
        self._occluded = [person for person in self._occluded if person.may_return(time_s)]
        self._seen = [self._assigned(one, time_s) for one in found]
        self._search_occluded(rgb, time_s)
        return [person.pose for person in self._seen]

    def _trackable(
        self, requests: Sequence[CropRequest], people: Sequence[TrackedPerson]
    ) -> list[Found]:
        """The poses in the crops; the first ones are those of `people`."""
        owners = [*people, *[None] * (len(requests) - len(people))]
        return [
            Found(pose, pose.next_roi, person)
            for pose, person in zip(self._stage.poses(requests), owners, strict=True)
            if pose is not None and pose.next_roi is not None
        ]

    def _each_once(self, found: list[Found], time_s: float) -> list[Found]:
        """The poses without duplicates, in descending order of detection score."""
        found = sorted(found, key=lambda one: -one.pose.detection_score)
        poses = [one.pose for one in found]
        if len(self._stage.distinct(poses)) == len(found):
            return found
        trust = [self._trust(one, time_s) for one in found]
        return [found[row] for row in self._stage.distinct(poses, trust)]

    def _trust(self, found: Found, time_s: float) -> float:
        """In [0, 1]: of duplicates, the pose with the highest trust is kept."""
        if found.person is None:
            return self._settings.new_person_trust
        return found.person.trust(found.pose, found.roi, time_s)

    def _assigned(self, found: Found, time_s: float) -> TrackedPerson:
        """The person of a pose: tracked, or occluded and detected again, or new."""
        pose, roi, person = found
        if person:
            return person.updated(pose, roi, time_s)
        for occluded in self._occluded:
            if occluded.matches(pose, roi, time_s):
                self._occluded.remove(occluded)
                return occluded.updated(pose, roi, time_s)
        return TrackedPerson.new(pose, roi, time_s, self._settings)

    def _search_occluded(self, rgb: NDArray[np.uint8], time_s: float) -> None:
        """Looks where occluded people are expected, and goes on with those who are seen again."""
        height, width = rgb.shape[:2]
        for person in [*self._occluded]:
            roi = person.expected_roi(time_s)
            if not (0 <= roi[0] < width and 0 <= roi[1] < height):
                continue
            candidate = Candidate(person.pose.detection_score, roi)
            for pose, next_roi, _ in self._trackable([CropRequest(rgb, candidate)], []):
                others = [other.pose for other in self._seen]
                is_new = len(self._stage.distinct([*others, pose])) > len(others)
                if is_new and person.matches(pose, next_roi, time_s):
                    self._occluded.remove(person)
                    self._seen.append(person.updated(pose, next_roi, time_s))
