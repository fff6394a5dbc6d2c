"""One tracked person: where they were, where they should be now, and what they look like."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.numeric.similarity import appearance_distance
from annotate.pipeline.anchors import Anchor
from annotate.pipeline.detector_pass import Candidate
from annotate.pipeline.landmark_stage import PersonPose


@dataclass(frozen=True, eq=False)
class TrackedPerson:
    """A person who is tracked from frame to frame.

    Attributes:
        pose: the last one.
        roi: (4,) float32 next ROI that it gives.
        path: (n, 3) float64: time in seconds, x and y of the centres of the next ROIs.
        appearances: (m, 6) float32: the person's appearance in the last poses.
        settings: of the pipeline.
        anchor: the detection of the whole person in the last run of the detector; None where it
            gave none.
        sureness: in [0, 1], mean visibility of the keypoints over the last poses, while people
            overlap.
    """

    pose: PersonPose
    roi: FloatArray
    path: NDArray[np.float64]
    appearances: FloatArray
    settings: PipelineSettings
    anchor: Anchor | None = None
    sureness: float | None = None

    @classmethod
    def new(
        cls, pose: PersonPose, roi: FloatArray, time_s: float, settings: PipelineSettings
    ) -> "TrackedPerson":
        """A person who was not tracked before."""
        return cls(pose, roi, _point(time_s, roi), pose.appearance[None], settings)

    def updated(self, pose: PersonPose, roi: FloatArray, time_s: float) -> "TrackedPerson":
        """The same person, seen again at a later time."""
        recent = self.path[self.path[:, 0] >= time_s - self.settings.motion_s]
        path = np.concatenate([recent, _point(time_s, roi)])
        kept = self.appearances[1 - self.settings.appearance_poses :]
        appearances = np.concatenate([kept, pose.appearance[None]])
        return replace(self, pose=pose, roi=roi, path=path, appearances=appearances)

    def box_at(self, time_s: float) -> FloatArray | None:
        """(4,) float32: where the person's detected box is by now, or None where they have none."""
        return None if self.anchor is None else self.anchor.box_at(time_s)

    def detected(self, candidate: Candidate | None, time_s: float) -> "TrackedPerson":
        """The same person, after a run of the detector that found them, or did not."""
        if candidate is None or candidate.box is None:
            return replace(self, anchor=None)
        if self.anchor is None:
            still = Anchor(candidate.box, time_s, np.zeros(2))
            return replace(self, anchor=still)
        anchor = self.anchor.followed(candidate.box, time_s)
        return replace(self, anchor=anchor)

    def seen_as_surely(self, visibility: float) -> "TrackedPerson":
        """The same person, after a pose of that mean visibility."""
        kept = self.settings.front_memory
        before = visibility if self.sureness is None else self.sureness
        return replace(self, sureness=kept * before + (1 - kept) * visibility)

    def may_return(self, time_s: float) -> bool:
        """Whether the person, who is occluded, is still searched for."""
        first_s, last_s = self.path[0, 0], self.path[-1, 0]
        seen_long_enough = last_s - first_s >= self.settings.min_seen_s
        return bool(seen_long_enough and time_s - last_s <= self.settings.occluded_s)

    def expected_roi(self, time_s: float) -> FloatArray:
        """(4,) the ROI in which the person is if their motion goes on."""
        path = self.path
        before_drawn_s = max(path[-1, 0] - self.settings.drawn_s, path[0, 0])
        since_s, *place = path[path[:, 0] <= before_drawn_s][-1]
        half = max(len(path) // 2, 1)
        steps = path[half:] - path[:-half]
        speed = np.median(steps[:, 1:] / steps[:, :1], axis=0) if len(steps) else np.zeros(2)
        roi = self.roi.copy()
        roi[:2] = place + speed * (time_s - since_s)
        return roi

    def distance(self, roi: FloatArray, time_s: float) -> float:
        """How far an ROI (4,) is from the expected one, in sides of the ROI."""
        expected = self.expected_roi(time_s)
        return float(np.linalg.norm(roi[:2] - expected[:2]) / expected[2])

    def appearance_distance(self, appearance: FloatArray) -> float:
        """How far an appearance (6,) is from the person's, in steps of colour; 0 where too few
        poses were seen.
        """
        if len(self.appearances) < self.settings.min_appearances:
            return 0.0
        return float(appearance_distance(np.median(self.appearances, axis=0), appearance))

    def trust(self, pose: PersonPose, roi: FloatArray, time_s: float) -> float:
        """In [0, 1]: how well a pose that leads to `roi` continues this person."""
        far = self.distance(roi, time_s) / self.settings.match_distance
        unlike = self.appearance_distance(pose.appearance) / self.settings.match_appearance
        return float(np.exp(-far - unlike))

    def matches(self, pose: PersonPose, roi: FloatArray, time_s: float) -> bool:
        """Whether a pose that leads to `roi` shows this person, who was occluded."""
        return (
            self.distance(roi, time_s) < self.settings.match_distance
            and self.appearance_distance(pose.appearance) < self.settings.match_appearance
        )


def _point(time_s: float, roi: FloatArray) -> NDArray[np.float64]:
    return np.array([[time_s, roi[0], roi[1]]], np.float64)
