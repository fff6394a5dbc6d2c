"""The two-stage pipeline over one frame and over a chunk's frames."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotate.chunking import restart_every
from annotate.domain import FloatArray, Frame, People, Poses, VideoIndex
from annotate.geometry import roi_iou, rois_from_points
from annotate.inference import Models
from annotate.pipeline.clothes import COLOURS, clothes
from annotate.pipeline.crops import crop, sampling, to_range
from annotate.pipeline.duplicates import distinct_poses
from annotate.pipeline.landmarks import COLUMNS, crop_landmarks, to_picture
from annotate.pipeline.search import Candidate, Search, newcomers
from annotate.skeletons import SKELETONS

# A pose whose next ROI overlaps the one that it was seen in by less is looked at again in that.
SETTLED_IOU = 0.9
# Through so many frames is somebody followed back from where the detector finds him. On made scenes
# of people who cross it saves a quarter of all misses, for a tenth more runs of the landmark model;
# twice as many frames, which all stay in memory, save no more.
LOOK_BACK = 10


class FramePoses(NamedTuple):
    """The poses of one frame: the columns of the same names of `annotate.domain.Poses`."""

    detection_score: FloatArray
    score: FloatArray
    roi: FloatArray
    landmarks: FloatArray
    clothes: FloatArray


class Sighting(NamedTuple):
    """One person in one picture.

    Attributes:
        detection_score: of the detection that led here, maybe some frames ago.
        score: the landmark model's flag.
        roi: (4,) float32 in which the landmarks were seen.
        landmarks: (m, 5) float32 in pixels of the picture, auxiliary ones included.
        fresh: the detection is of this picture, and of nobody known before.
    """

    detection_score: float
    score: float
    roi: FloatArray
    landmarks: FloatArray
    fresh: bool = False


class PoseEstimator:
    """Every person in every frame: detector, ROI, crop, landmark model.

    With `people="near"` and `detect_every=1` each frame stands alone and the answer is MediaPipe's
    own. Otherwise whom the detector finds is looked at twice, the second time in the ROI that the
    first look gives, and is then carried from frame to frame in the same way, whether the detector
    finds him again or not, until the landmark model finds nobody there. He is followed back, too:
    where people hide each other, the detector is late. So that no answer depends on where a chunk
    begins, everyone is forgotten at fixed frames of the video.

    Args:
        people: `near` runs the detector on the whole picture, `all` also on tiles of it.
        detect_every: it runs on the frames whose index is a multiple of this.

    Raises:
        UsageError: the pack cannot carry people from frame to frame.
    """

    def __init__(self, models: Models, *, people: People = "near", detect_every: int = 1) -> None:
        models.pack.check_detect_every(detect_every)
        self._models = models
        self._skeleton = SKELETONS[models.pack.skeleton]
        self._search = Search(models, people)
        self._detect_every = detect_every
        self._restart_every = restart_every(detect_every)
        self._looks = 1 if people == "near" and detect_every == 1 else 2

    @property
    def provider(self) -> str:
        """The execution provider that runs the models."""
        return self._models.provider

    @property
    def placement(self) -> Mapping[str, Mapping[str, int]]:
        """How many nodes of each model each execution provider of ONNX Runtime has."""
        return self._models.placement

    def landmarks(self, rgb: NDArray[np.uint8], roi: FloatArray) -> tuple[FloatArray, float]:
        """Stage 2 on one ROI.

        Returns:
            (m, 5) float32 landmarks in pixels of the picture, auxiliary ones included, and the
            probability that the ROI holds a person.
        """
        spec = self._models.pack.landmark
        image = to_range(crop(rgb, sampling(roi, spec.size), spec.border), spec.value_range)
        outputs = self._models.landmark.run(image)
        landmarks = crop_landmarks(outputs, spec)
        return to_picture(landmarks, roi, spec.size), float(outputs[1].item())

    def poses(self, rgb: NDArray[np.uint8]) -> FramePoses:
        """Everyone in one picture (H, W, 3) uint8, in descending order of detection score."""
        found = newcomers(self._search(rgb), ())
        return self._columns(rgb, self._sightings(rgb, known=(), found=found))

    def run(self, frames: Iterable[Frame], index: VideoIndex, *, first: int | None = None) -> Poses:
        """The poses of consecutive frames of the video that `index` describes.

        Args:
            first: the place of the first one among the frames that are asked for, where those are
                not all of the video; consecutive are then those.

        Raises:
            ValueError: the first frame is none at which the pipeline restarts, so that the answer
                would depend on where the chunk begins.
        """
        # A small array for each frame would lie between the pictures in memory and keep the room of
        # those that are gone from being used again: a worker then grows by 10 KB a frame.
        indices: list[int] = []
        counts: list[int] = []
        columns = [bytearray() for _ in FramePoses._fields]
        for frame, poses in self._in_order(frames, first):
            indices.append(frame)
            counts.append(len(poses.score))
            for column, values in zip(columns, poses, strict=True):
                column += values.tobytes()
        detection_score, score, roi, landmarks, worn = (
            np.frombuffer(column, np.float32) for column in columns
        )
        frame_index = np.array(indices, np.int64)
        return Poses(
            frame_index=frame_index,
            pts=index.pts[frame_index],
            time_s=index.time_s[frame_index],
            offsets=np.cumsum([0, *counts], dtype=np.int64),
            detection_score=detection_score,
            score=score,
            roi=roi.reshape(-1, 4),
            landmarks=landmarks.reshape(-1, self._models.pack.landmark.count, len(COLUMNS)),
            clothes=worn.reshape(-1, COLOURS),
        )

    def _in_order(
        self, frames: Iterable[Frame], first: int | None
    ) -> Iterator[tuple[int, FramePoses]]:
        """Index and poses of consecutive frames, once nobody can look back at them any more."""
        seen: list[Sighting] | None = None
        recent: deque[tuple[Frame, list[Sighting]]] = deque()
        for number, frame in enumerate(frames):
            place = (frame.index - number if first is None else first) + number
            if place % self._restart_every == 0:
                yield from map(self._told, recent)
                recent.clear()
                seen = []
            if seen is None:
                raise ValueError(f"no chunk starts at frame {frame.index}")
            detects = place % self._detect_every == 0
            known = [Candidate(one.detection_score, self._next_roi(one)) for one in seen]
            found = newcomers(self._search(frame.rgb), known) if detects else []
            seen = self._sightings(frame.rgb, known, found)
            for one in seen:
                if recent and one.fresh:
                    self._look_back(one, recent)
            recent.append((frame, seen))
            if len(recent) > LOOK_BACK:
                yield self._told(recent.popleft())
        yield from map(self._told, recent)

    def _told(self, sighted: tuple[Frame, list[Sighting]]) -> tuple[int, FramePoses]:
        frame, sightings = sighted
        sightings.sort(key=lambda one: -one.detection_score)
        return frame.index, self._columns(frame.rgb, sightings)

    def _look_back(self, one: Sighting, recent: Sequence[tuple[Frame, list[Sighting]]]) -> None:
        """Follows somebody whom the detector has just found back through the frames before, as far
        as he is there and is nobody who was seen then.
        """
        for frame, seen in reversed(recent):
            earlier = self._look(frame.rgb, Candidate(one.detection_score, self._next_roi(one)), 1)
            if earlier is None or len(self._distinct([*seen, earlier])) <= len(seen):
                return
            seen.append(earlier)
            one = earlier

    def _sightings(
        self, rgb: NDArray[np.uint8], known: Sequence[Candidate], found: Sequence[Candidate]
    ) -> list[Sighting]:
        """Everyone who is really there, each once, in descending order of detection score."""
        looks = [self._look(rgb, candidate, 1) for candidate in known]
        new = [self._look(rgb, candidate, self._looks) for candidate in found]
        looks += [one._replace(fresh=True) for one in new if one is not None]
        there = [one for one in looks if one is not None]
        there.sort(key=lambda one: -one.detection_score)
        return self._distinct(there)

    def _distinct(self, sightings: list[Sighting]) -> list[Sighting]:
        score = np.array([one.score for one in sightings], np.float32)
        rows = distinct_poses(self._landmarks(sightings), score, self._skeleton)
        return [sightings[row] for row in rows]

    def _look(self, rgb: NDArray[np.uint8], candidate: Candidate, looks: int) -> Sighting | None:
        """The person whom the candidate leads to, or None."""
        roi = candidate.roi
        landmarks, flag = self.landmarks(rgb, roi)
        if flag < self._models.pack.landmark.min_flag:
            return None
        sighting = Sighting(candidate.score, flag, roi, landmarks)
        if looks > 1 and self._models.pack.carries_people:
            better = self._next_roi(sighting)
            if roi_iou(roi, better[None])[0] < SETTLED_IOU:
                return self._look(rgb, Candidate(candidate.score, better), looks - 1)
        return sighting

    def _next_roi(self, sighting: Sighting) -> FloatArray:
        """(4,) where to look for the same person next, by the rule for detections."""
        centre, tip = sighting.landmarks[self._models.pack.landmark.auxiliary, None, :2]
        roi: FloatArray = rois_from_points(centre, tip, self._models.pack.detector.roi_scale)[0]
        return roi

    def _landmarks(self, sightings: Sequence[Sighting]) -> FloatArray:
        """(n, L, 5) of the body alone."""
        count = self._models.pack.landmark.count
        body = [one.landmarks[:count] for one in sightings]
        return np.array(body, np.float32).reshape(-1, count, len(COLUMNS))

    def _columns(self, rgb: NDArray[np.uint8], sightings: Sequence[Sighting]) -> FramePoses:
        worn = [clothes(rgb, one.landmarks, self._skeleton) for one in sightings]
        return FramePoses(
            np.array([one.detection_score for one in sightings], np.float32),
            np.array([one.score for one in sightings], np.float32),
            np.array([one.roi for one in sightings], np.float32).reshape(-1, 4),
            self._landmarks(sightings),
            np.array(worn, np.float32).reshape(-1, COLOURS),
        )
