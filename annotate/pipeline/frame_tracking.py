"""Tracks people from frame to frame, through short occlusions.

Where people pass each other, the landmark model often shows the person in front in the crops of
both. Motion and appearance tell whose body it is. The other person is occluded: they are searched
for where their motion leads, until they are seen again.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.picture import Picture
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.pipeline.anchors import assigned
from annotate.pipeline.crowd import Crowd, Looked, candidate_of, look
from annotate.pipeline.detector_pass import Candidate
from annotate.pipeline.detector_stage import new_candidates
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
        # People without a pose of their own in the last frame, though the detector sees them.
        self._covered: list[TrackedPerson] = []
        self._occluded: list[TrackedPerson] = []

    def known(self) -> list[Candidate]:
        """Where the people of the last frame are expected in the next one."""
        return [candidate_of(person) for person in self._seen]

    @property
    def count(self) -> int:
        """How many people are known, those included who are not seen now."""
        return len(self._seen) + len(self._covered) + len(self._occluded)

    def detected(
        self, found: Iterable[Candidate], time_s: float, most: int | None = None
    ) -> list[Candidate]:
        """The candidates of a run of the detector besides the known people, at most so many; its
        boxes anchor those.
        """
        candidates = [*found]
        boxes = [candidate.box for candidate in candidates]
        owned: dict[int, int] = {}
        if any(box is not None for box in boxes) or self._covered:
            people = [*self._seen, *self._covered]
            owned = self._owned(people, boxes, time_s)
            people = [
                person.detected(candidates[owned[place]] if place in owned else None, time_s)
                for place, person in enumerate(people)
            ]
            self._seen, self._covered = people[: len(self._seen)], people[len(self._seen) :]
        known = [
            candidate._replace(box=person.box_at(time_s))
            for candidate, person in zip(self.known(), self._seen, strict=True)
        ]
        rest = [one for place, one in enumerate(candidates) if place not in owned.values()]
        return new_candidates(rest, known, self._settings.same_roi_iou, most)

    def _owned(
        self, people: Sequence[TrackedPerson], boxes: Sequence[FloatArray | None], time_s: float
    ) -> dict[int, int]:
        """Which box shows which person: by the last one, else by the keypoints."""
        least = self._settings.anchor_iou
        anchors = [person.box_at(time_s) for person in people]
        owned = assigned(anchors, boxes, least)
        left = [None if place in owned else self._box(one) for place, one in enumerate(people)]
        others = [None if n in owned.values() else box for n, box in enumerate(boxes)]
        return owned | assigned(left, others, least)

    def _box(self, person: TrackedPerson) -> FloatArray | None:
        """(4,) about the keypoints that are sure."""
        keypoints = self._stage.keypoints(person.pose)
        sure = keypoints[keypoints[:, 2] > self._settings.painted_visibility, :2]
        if not len(sure):
            return None
        return np.concatenate([sure.min(axis=0), sure.max(axis=0)])

    def step(
        self, picture: Picture, time_s: float, detected: Sequence[Candidate]
    ) -> list[PersonPose]:
        """Every person in the next picture, once.

        Args:
            detected: candidates in it besides the known ones.
        """
        crowd = Crowd(picture, time_s, [*self._seen, *self._covered], detected)
        looked = look(self._stage, crowd, self._settings)
        found = self._each_once(_trackable(looked), time_s)
        kept = [one.person for one in found if one.person]
        lost = [one for one in looked if one.person and one.person not in kept]
        # The detector sees the whole of a person who overlaps another one: they are still there.
        self._covered = [one.person for one in lost if one.person and one.overlaps]
        self._occluded += [one.person for one in lost if one.person and not one.overlaps]
        self._occluded = [person for person in self._occluded if person.may_return(time_s)]
        self._seen = [self._assigned(one, time_s) for one in found]
        self._search_occluded(picture, time_s)
        return [person.pose for person in self._seen]

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

    def _search_occluded(self, picture: Picture, time_s: float) -> None:
        """Looks where occluded people are expected, and goes on with those who are seen again."""
        width, height = picture.size
        for person in [*self._occluded]:
            roi = person.expected_roi(time_s)
            if not (0 <= roi[0] < width and 0 <= roi[1] < height):
                continue
            candidate = Candidate(person.pose.detection_score, roi)
            (found,) = self._stage.poses([CropRequest(picture, candidate)])
            for pose, next_roi, _ in _trackable([Looked(None, found)]):
                others = [other.pose for other in self._seen]
                is_new = len(self._stage.distinct([*others, pose])) > len(others)
                if is_new and person.matches(pose, next_roi, time_s):
                    self._occluded.remove(person)
                    self._seen.append(person.updated(pose, next_roi, time_s))


def _trackable(looked: Iterable[Looked]) -> list[Found]:
    """The poses from which tracking can go on."""
    return [
        Found(pose, pose.next_roi, person)
        for person, pose, _ in looked
        if pose is not None and pose.next_roi is not None
    ]
