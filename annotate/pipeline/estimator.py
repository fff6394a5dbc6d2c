"""The two-stage pipeline over one picture and over the frames of a chunk."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.options import People
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.poses import Poses
from annotate.domain.video import DAMAGE_REASONS, AnyFrame, DamagedFrame, Frame, VideoIndex
from annotate.inference import Models
from annotate.numeric.chunking import restart_every
from annotate.numeric.rgb_picture import RgbPicture
from annotate.pipeline.appearance import COLOURS
from annotate.pipeline.batching import BATCH
from annotate.pipeline.detector_pass import Candidate
from annotate.pipeline.detector_stage import DetectorStage, new_candidates
from annotate.pipeline.frame_tracking import FrameTracker
from annotate.pipeline.landmark_stage import FrameCandidates, LandmarkStage, PersonPose
from annotate.pipeline.landmarks import COLUMNS
from annotate.pipeline.track_back import RecentFrames, TrackedFrame

DEFAULT_SETTINGS = PipelineSettings()


class FramePoses(NamedTuple):
    """The poses of one frame: the columns of the same names of `annotate.domain.Poses`."""

    detection_score: FloatArray
    score: FloatArray
    roi: FloatArray
    landmarks: FloatArray
    world: FloatArray
    appearance: FloatArray


class PoseEstimator:
    """Every person in every frame: detector, ROI, crop, landmark model.

    With `people="near"` and `detect_every=1` each frame is processed alone, and the answer is
    MediaPipe's own. Otherwise people are tracked from frame to frame. A detected person is looked
    at twice, the second time in the ROI that the first pose gives, and is then followed by that
    rule, whether or not the detector finds them again; where crops are turned, in the rotation that
    gave the surest pose. When the landmark model sees no person
    there, or another one, they are searched for where they should be. New people are tracked
    backwards too: where people occlude each other, the detector is late. All people are forgotten
    at fixed frames of the video, so that no answer depends on where a chunk begins. Damaged frames
    have no poses; where the detector was due on one, it runs on the next sound frame.

    Args:
        people: `near` runs the detector on the whole picture, `all` also on tiles of it.
        detect_every: it runs on the frames whose index is a multiple of this.
        rotations: in how many ways the picture is turned for the detector, and the crop of a new
            person for the landmark model: 1, or 4 for every quarter turn.
        settings: thresholds.

    Raises:
        UsageError: the pack cannot track people from frame to frame, or turns crops itself.
    """

    def __init__(
        self,
        models: Models,
        *,
        people: People = "near",
        detect_every: int = 1,
        rotations: int = 1,
        settings: PipelineSettings = DEFAULT_SETTINGS,
    ) -> None:
        models.pack.check_detect_every(detect_every)
        models.pack.check_rotations(rotations)
        self._models = models
        self._settings = settings
        self._detect_every = detect_every
        self._restart_every = restart_every(detect_every, settings.remembered_frames)
        self._as_mediapipe = as_mediapipe = people == "near" and detect_every == 1
        self._detector = DetectorStage(models, people, settings, rotations)
        self._landmarks = LandmarkStage(
            models, settings, looks_twice=not as_mediapipe, rotations=rotations
        )

    @property
    def takes_planes(self) -> bool:
        """Whether frames may be pictures of any kind: only MediaPipe's own mode needs exact RGB."""
        return not self._as_mediapipe

    @property
    def provider(self) -> str:
        """The execution provider that runs the models."""
        return self._models.provider

    @property
    def precision(self) -> str:
        """What the models compute in, as `Models` has it."""
        return self._models.precision

    @property
    def placement(self) -> Mapping[str, Mapping[str, int]]:
        """How many nodes of each model each execution provider of ONNX Runtime has."""
        return self._models.placement

    @property
    def reason(self) -> str:
        """Why `auto` chose the CPU, or empty."""
        return self._models.reason

    def poses(self, rgb: NDArray[np.uint8]) -> FramePoses:
        """Every person in one picture (H, W, 3) uint8, in descending order of detection score."""
        picture = RgbPicture(rgb)
        (found,) = self._detector.candidates([self._detector.views(picture)])
        candidates = self._new_candidates(found)[: self._settings.most_people]
        (poses,) = self._landmarks.people([FrameCandidates(picture, candidates)])
        return self._columns(poses)

    def run(
        self,
        frames: Iterable[AnyFrame],
        index: VideoIndex,
        *,
        first: int | None = None,
        crowded: list[int] | None = None,
    ) -> Poses:
        """The poses of consecutive frames of the video that `index` describes.

        Args:
            first: the place of the first one among the selected frames, where those are not all of
                the video; consecutive are then the selected ones.
            crowded: the indices of frames are added in which the detector finds more people than
                are annotated.

        Raises:
            ValueError: the pipeline does not restart at the first frame, so that the answer would
                depend on where the chunk begins.
        """
        # A small array for each frame would lie between the pictures in memory and keep the space
        # of released ones from being used again: a worker then grows by 10 KB a frame.
        indices: list[int] = []
        counts: list[int] = []
        damage = bytearray()
        columns = [bytearray() for _ in FramePoses._fields]
        crowd = [] if crowded is None else crowded
        for frame, people in self._in_order(_noted(frames, damage), index.time_s, first, crowd):
            poses = self._columns(people)
            indices.append(frame)
            counts.append(len(people))
            for column, values in zip(columns, poses, strict=True):
                column += values.tobytes()
        detection_score, score, roi, landmarks, world, appearance = (
            np.frombuffer(column, np.float32) for column in columns
        )
        frame_index = np.array(indices, np.int64)
        spec, count = self._models.pack.landmark, len(score)
        return Poses(
            frame_index=frame_index,
            pts=index.pts[frame_index],
            time_s=index.time_s[frame_index],
            offsets=np.cumsum([0, *counts], dtype=np.int64),
            detection_score=detection_score,
            score=score,
            roi=roi.reshape(-1, 4),
            landmarks=landmarks.reshape(count, spec.count, len(COLUMNS)),
            world=world.reshape(count, spec.count, spec.world_axes),
            appearance=appearance.reshape(-1, COLOURS),
            damage=np.frombuffer(damage, np.int8),
        )

    def _in_order(
        self,
        frames: Iterable[AnyFrame],
        times_s: NDArray[np.float64],
        first: int | None,
        crowded: list[int],
    ) -> Iterator[TrackedFrame]:
        """Consecutive frames with their poses."""
        if self._restart_every == 1:
            return self._each_alone(frames, crowded)
        return self._tracked(frames, times_s, first, crowded)

    def _each_alone(self, frames: Iterable[AnyFrame], crowded: list[int]) -> Iterator[TrackedFrame]:
        waiting, most = iter(frames), self._settings.most_people
        # The views are made while a picture is still in the processor's caches.
        while batch := [
            (frame, () if isinstance(frame, DamagedFrame) else self._detector.views(frame.picture))
            for frame in islice(waiting, BATCH)
        ]:
            sound = [
                (frame, views) for frame, views in batch if not isinstance(frame, DamagedFrame)
            ]
            found = self._detector.candidates([views for _, views in sound]) if sound else []
            pictures = [
                FrameCandidates(
                    frame.picture, _bounded(self._new_candidates(candidates), most, frame, crowded)
                )
                for (frame, _), candidates in zip(sound, found, strict=True)
            ]
            people = iter(self._landmarks.people(pictures))
            for frame, _ in batch:
                poses = [] if isinstance(frame, DamagedFrame) else next(people)
                yield TrackedFrame(frame.index, poses)

    def _tracked(
        self,
        frames: Iterable[AnyFrame],
        times_s: NDArray[np.float64],
        first: int | None,
        crowded: list[int],
    ) -> Iterator[TrackedFrame]:
        """A frame is yielded when new people can no longer be tracked back to it."""
        tracker: FrameTracker | None = None
        due = False
        recent = RecentFrames(self._landmarks, self._settings.track_back_frames)
        for number, frame in enumerate(frames):
            place = (frame.index - number if first is None else first) + number
            if place % self._restart_every == 0:
                yield from recent.flush()
                tracker = FrameTracker(self._landmarks, self._settings)
            if tracker is None:
                raise ValueError(f"no chunk starts at frame {frame.index}")
            due = due or place % self._detect_every == 0
            if isinstance(frame, DamagedFrame):
                yield from recent.push(frame, [])
                continue
            time_s, detected = float(times_s[frame.index]), []
            if due:
                due = False
                (found,) = self._detector.candidates([self._detector.views(frame.picture)])
                starting = (one for one in found if one.starts)
                room = max(0, self._settings.most_people - tracker.count)
                detected = tracker.detected(starting, time_s, room + 1)
                detected = _bounded(detected, room, frame, crowded)
            poses = tracker.step(frame.picture, time_s, detected)
            yield from recent.push(frame, poses)
        yield from recent.flush()

    def _new_candidates(self, found: Sequence[Candidate]) -> list[Candidate]:
        """The candidates of a picture without known people: one more than are annotated shows that
        there are more.
        """
        settings = self._settings
        return new_candidates(found, (), settings.same_roi_iou, settings.most_people + 1)

    def _columns(self, poses: Sequence[PersonPose]) -> FramePoses:
        return FramePoses(
            np.array([pose.detection_score for pose in poses], np.float32),
            np.array([pose.score for pose in poses], np.float32),
            np.array([pose.roi for pose in poses], np.float32).reshape(-1, 4),
            self._landmarks.body(poses),
            self._landmarks.world(poses),
            np.array([pose.appearance for pose in poses], np.float32).reshape(-1, COLOURS),
        )


def _bounded(
    candidates: list[Candidate], most: int, frame: Frame, crowded: list[int]
) -> list[Candidate]:
    """The surest so many candidates; the frame is added to `crowded` where there are more."""
    if len(candidates) > most:
        crowded.append(frame.index)
    return candidates[:most]


def _noted(frames: Iterable[AnyFrame], damage: bytearray) -> Iterator[AnyFrame]:
    """The same frames; what is wrong with each is added to `damage`, as in `Poses`."""
    for frame in frames:
        known = DAMAGE_REASONS.index(frame.reason) + 1 if isinstance(frame, DamagedFrame) else 0
        damage.append(known)
        yield frame
