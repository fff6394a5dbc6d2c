"""Tracks people from frame to frame, through short occlusions.

Where people pass each other, the landmark model often shows the person in front in the crops of
both. Motion and appearance tell whose body it is. The other person is occluded: they are searched
for where their motion leads, until they are seen again.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from annotate.domain.pipeline_settings import PipelineSettings
from annotate.pipeline.detector_stage import Candidate
from annotate.pipeline.landmark_stage import CropRequest, LandmarkStage, PersonPose
from annotate.pipeline.tracked_person import TrackedPerson

# A pose, and the person in whose expected ROI it was seen; None for a new detection.
Found = tuple[PersonPose, TrackedPerson | None]


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
        people = [*before, *[None] * len(detected)]
        poses = self._stage.poses(requests)
        found = self._each_once(
            [(pose, person) for pose, person in zip(poses, people, strict=True) if pose], time_s
        )
        kept = [person for _, person in found if person]
        self._occluded += [person for person in before if person not in kept]
        self._occluded = [person for person in self._occluded if person.may_return(time_s)]
        self._seen = [self._assigned(pose, person, time_s) for pose, person in found]
        self._search_occluded(rgb, time_s)
        return [person.pose for person in self._seen]

    def _each_once(self, found: list[Found], time_s: float) -> list[Found]:
        """The poses without duplicates, in descending order of detection score."""
        found = sorted(found, key=lambda pair: -pair[0].detection_score)
        poses = [pose for pose, _ in found]
        if len(self._stage.distinct(poses)) == len(found):
            return found
        trust = [self._trust(pose, person, time_s) for pose, person in found]
        return [found[row] for row in self._stage.distinct(poses, trust)]

    def _trust(self, pose: PersonPose, person: TrackedPerson | None, time_s: float) -> float:
        """In [0, 1]: of duplicates, the pose with the highest trust is kept."""
        if person is None:
            return self._settings.new_person_trust
        return person.trust(pose, self._stage.next_roi(pose), time_s)

    def _assigned(
        self, pose: PersonPose, person: TrackedPerson | None, time_s: float
    ) -> TrackedPerson:
        """The person of a pose: tracked, or occluded and detected again, or new."""
        roi = self._stage.next_roi(pose)
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
            (pose,) = self._stage.poses([CropRequest(rgb, candidate)])
            if pose is None:
                continue
            next_roi = self._stage.next_roi(pose)
            others = [other.pose for other in self._seen]
            is_new = len(self._stage.distinct([*others, pose])) > len(others)
            if is_new and person.matches(pose, next_roi, time_s):
                self._occluded.remove(person)
                self._seen.append(person.updated(pose, next_roi, time_s))
