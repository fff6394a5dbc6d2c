"""The two-stage pipeline over one frame and over a chunk's frames."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.options import People
from annotate.domain.poses import Poses
from annotate.domain.video import Frame, VideoIndex
from annotate.inference import Models
from annotate.numeric.chunking import restart_every
from annotate.pipeline.appearance import COLOURS
from annotate.pipeline.batching import TOGETHER
from annotate.pipeline.detector_stage import Candidate, Search, newcomers
from annotate.pipeline.frame_tracking import Following
from annotate.pipeline.landmark_stage import Inspection, Look, Sighting, Sought
from annotate.pipeline.landmarks import COLUMNS

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
    appearance: FloatArray


class PoseEstimator:
    """Every person in every frame: detector, ROI, crop, landmark model.

    With `people="near"` and `detect_every=1` each frame stands alone and the answer is MediaPipe's
    own. Otherwise whom the detector finds is looked at twice, the second time in the ROI that the
    first look gives, and is then carried from frame to frame in the same way, whether the detector
    finds him again or not; once the landmark model finds nobody there, or somebody else, he is
    looked for where he should be for a while. He is followed back, too: where people hide each
    other, the detector is late. So that no answer depends on where a chunk begins, everyone is
    forgotten at fixed frames of the video.

    Args:
        people: `near` runs the detector on the whole picture, `all` also on tiles of it.
        detect_every: it runs on the frames whose index is a multiple of this.

    Raises:
        UsageError: the pack cannot carry people from frame to frame.
    """

    def __init__(self, models: Models, *, people: People = "near", detect_every: int = 1) -> None:
        models.pack.check_detect_every(detect_every)
        self._models = models
        self._search = Search(models, people)
        self._detect_every = detect_every
        self._restart_every = restart_every(detect_every)
        as_mediapipe = people == "near" and detect_every == 1
        self._inspect = Inspection(models, looks_twice=not as_mediapipe)

    @property
    def provider(self) -> str:
        """The execution provider that runs the models."""
        return self._models.provider

    @property
    def placement(self) -> Mapping[str, Mapping[str, int]]:
        """How many nodes of each model each execution provider of ONNX Runtime has."""
        return self._models.placement

    def poses(self, rgb: NDArray[np.uint8]) -> FramePoses:
        """Everyone in one picture (H, W, 3) uint8, in descending order of detection score."""
        (found,) = self._search([self._search.views(rgb)])
        (sightings,) = self._inspect([Sought(rgb, newcomers(found, ()))])
        return self._columns(sightings)

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
        for frame, poses in self._in_order(frames, index.time_s, first):
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
            appearance=worn.reshape(-1, COLOURS),
        )

    def _in_order(
        self, frames: Iterable[Frame], times_s: NDArray[np.float64], first: int | None
    ) -> Iterator[tuple[int, FramePoses]]:
        """Index and poses of consecutive frames."""
        if self._restart_every == 1:
            return self._each_alone(frames)
        return self._carried(frames, times_s, first)

    def _each_alone(self, frames: Iterable[Frame]) -> Iterator[tuple[int, FramePoses]]:
        waiting = iter(frames)
        # A picture is looked at for the search while the processor has it at hand.
        while group := [
            (frame, self._search.views(frame.rgb)) for frame in islice(waiting, TOGETHER)
        ]:
            found = self._search([views for _, views in group])
            sought = [
                Sought(frame.rgb, newcomers(candidates, ()))
                for (frame, _), candidates in zip(group, found, strict=True)
            ]
            for (frame, _), seen in zip(group, self._inspect(sought), strict=True):
                yield self._told((frame, seen))

    def _carried(
        self, frames: Iterable[Frame], times_s: NDArray[np.float64], first: int | None
    ) -> Iterator[tuple[int, FramePoses]]:
        """Those of a frame come once nobody can look back at it any more."""
        following: Following | None = None
        recent: deque[tuple[Frame, list[Sighting]]] = deque()
        for number, frame in enumerate(frames):
            place = (frame.index - number if first is None else first) + number
            if place % self._restart_every == 0:
                yield from map(self._told, recent)
                recent.clear()
                following = Following(self._inspect)
            if following is None:
                raise ValueError(f"no chunk starts at frame {frame.index}")
            found: list[Candidate] = []
            if place % self._detect_every == 0:
                (candidates,) = self._search([self._search.views(frame.rgb)])
                found = newcomers(candidates, following.known())
            seen = following.step(frame.rgb, float(times_s[frame.index]), found)
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
        return frame.index, self._columns(sightings)

    def _look_back(self, one: Sighting, recent: Sequence[tuple[Frame, list[Sighting]]]) -> None:
        """Follows somebody whom the detector has just found back through the frames before, as far
        as he is there and is nobody who was seen then.
        """
        for frame, seen in reversed(recent):
            before = Candidate(one.detection_score, self._inspect.next_roi(one))
            (earlier,) = self._inspect.seen([Look(frame.rgb, before)])
            if earlier is None or len(self._inspect.distinct([*seen, earlier])) <= len(seen):
                return
            seen.append(earlier)
            one = earlier

    def _columns(self, sightings: Sequence[Sighting]) -> FramePoses:
        return FramePoses(
            np.array([one.detection_score for one in sightings], np.float32),
            np.array([one.score for one in sightings], np.float32),
            np.array([one.roi for one in sightings], np.float32).reshape(-1, 4),
            self._inspect.body(sightings),
            np.array([one.appearance for one in sightings], np.float32).reshape(-1, COLOURS),
        )
