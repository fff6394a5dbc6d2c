"""Tracks new people backwards through the last frames."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from annotate.domain.video import AnyFrame, DamagedFrame
from annotate.pipeline.detector_pass import Candidate
from annotate.pipeline.landmark_stage import CropRequest, LandmarkStage, PersonPose


class TrackedFrame(NamedTuple):
    """A frame's index and its poses, in descending order of detection score."""

    frame_index: int
    poses: list[PersonPose]


class RecentFrames:
    """The last frames, kept until new people can no longer be tracked back to them.

    Args:
        count: how many frames are kept.
    """

    def __init__(self, stage: LandmarkStage, count: int) -> None:
        self._stage = stage
        self._count = count
        self._frames: deque[tuple[AnyFrame, list[PersonPose]]] = deque()

    def push(self, frame: AnyFrame, poses: list[PersonPose]) -> Iterator[TrackedFrame]:
        """Adds the next frame, and gives those that are complete."""
        for pose in poses:
            if pose.fresh:
                self._track_back(pose)
        self._frames.append((frame, poses))
        if len(self._frames) > self._count:
            yield _complete(*self._frames.popleft())

    def flush(self) -> Iterator[TrackedFrame]:
        """Gives all frames that are left, and forgets them."""
        while self._frames:
            yield _complete(*self._frames.popleft())

    def _track_back(self, pose: PersonPose) -> None:
        """Adds a new person to the frames before, as far back as the landmark model sees them and
        no other pose there shows the same body.
        """
        for frame, poses in reversed(self._frames):
            if pose.next_roi is None or isinstance(frame, DamagedFrame):
                return
            before = Candidate(pose.detection_score, pose.next_roi, visibility=pose.best_visibility)
            (earlier,) = self._stage.poses([CropRequest(frame.picture, before)])
            if earlier is None or earlier.next_roi is None:
                return
            if len(self._stage.distinct([*poses, earlier])) <= len(poses):
                return
            poses.append(earlier)
            pose = earlier


def _complete(frame: AnyFrame, poses: list[PersonPose]) -> TrackedFrame:
    return TrackedFrame(frame.index, sorted(poses, key=lambda pose: -pose.detection_score))
