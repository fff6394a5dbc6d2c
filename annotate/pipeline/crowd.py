"""Looks at the tracked and the newly detected people of a picture, each in a crop of their own.

Everybody is looked at where their last pose leads. Of people who overlap, what lies outside their
own box, or belongs to the others, is painted over, and those in front come first. Poses alone would
not do: in a crop that shows two people, the landmark model often answers with the one in front, or
gives one the other's limbs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.picture import Picture
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.pipeline.anchors import neighbours
from annotate.pipeline.detector_pass import Candidate
from annotate.pipeline.landmark_stage import CropRequest, LandmarkStage, PersonPose
from annotate.pipeline.occluders import Occluders
from annotate.pipeline.tracked_person import TrackedPerson

_VISIBILITY = 2  # its column among those of a keypoint


class Looked(NamedTuple):
    """What was seen of one person.

    Attributes:
        person: who was looked for; None for a new detection.
        pose: None where no person was seen.
        overlaps: whether another person's box overlaps theirs.
    """

    person: TrackedPerson | None
    pose: PersonPose | None
    overlaps: bool = False


class Crowd:
    """The people of one picture.

    Args:
        people: who are tracked, and then
        detected: who are new.
    """

    def __init__(
        self,
        picture: Picture,
        time_s: float,
        people: Sequence[TrackedPerson],
        detected: Sequence[Candidate],
    ) -> None:
        self.people = [*people, *[None] * len(detected)]
        self.boxes = [
            *(person.box_at(time_s) for person in people),
            *(candidate.box for candidate in detected),
        ]
        self.requests = [
            *(CropRequest(picture, candidate_of(person)) for person in people),
            *(CropRequest(picture, candidate, fresh=True) for candidate in detected),
        ]

    def neighbours(self, least: float) -> NDArray[np.bool_]:
        """(n, n) bool: which of them overlap; two new detections never do, since nothing is known
        of either.
        """
        near = neighbours(self.boxes, least)
        fresh = np.array([person is None for person in self.people], np.bool_)
        near &= ~(fresh[:, None] & fresh[None])
        return near


def candidate_of(person: TrackedPerson) -> Candidate:
    """Where a person of the last frame is expected in the next one."""
    pose = person.pose
    return Candidate(pose.detection_score, person.roi, visibility=pose.best_visibility)


def look(stage: LandmarkStage, crowd: Crowd, settings: PipelineSettings) -> list[Looked]:
    """What is seen of each, in their order."""
    near = crowd.neighbours(settings.neighbour_overlap)
    overlaps = near.any(axis=1)
    alone = np.flatnonzero(~overlaps).tolist()
    poses = stage.poses([crowd.requests[row] for row in alone])
    looked = {row: Looked(crowd.people[row], pose) for row, pose in zip(alone, poses, strict=True)}
    bodies: dict[int, FloatArray] = {}
    for row in _front_to_back(crowd, np.flatnonzero(overlaps).tolist()):
        others = np.flatnonzero(near[row]).tolist()
        before = [bodies[other] for other in others if other in bodies]
        request = _request(crowd, row, others, before, settings)
        (pose,) = stage.poses([request])
        person = crowd.people[row]
        if pose is not None:
            bodies[row] = stage.keypoints(pose)
            shown = bodies[row][:, _VISIBILITY] > settings.painted_visibility
            if person is not None:
                person = person.seen_as_surely(pose.sureness)
            # The rest is a guess, and often a second pose of the person in front.
            if shown.sum() < settings.min_shown:
                pose = None
                del bodies[row]
        looked[row] = Looked(person, pose, overlaps=True)
    return [looked[row] for row in range(len(crowd.people))]


def _front_to_back(crowd: Crowd, rows: Sequence[int]) -> list[int]:
    """Those whose keypoints were surest first; new ones last."""
    return sorted(rows, key=lambda row: _sureness(crowd.people[row]), reverse=True)


def _sureness(person: TrackedPerson | None) -> tuple[bool, float]:
    if person is None:
        return False, 0.0
    return True, 0.0 if person.sureness is None else person.sureness


def _request(
    crowd: Crowd,
    row: int,
    others: Sequence[int],
    bodies: Sequence[FloatArray],
    settings: PipelineSettings,
) -> CropRequest:
    request, own = crowd.requests[row], crowd.boxes[row]
    around = [box for other in others if (box := crowd.boxes[other]) is not None]
    if own is None:
        return request
    boxes = np.array(around, np.float32)
    return request._replace(occluders=Occluders(own, boxes, bodies, settings.box_margin))
