"""Second stage: the people who are really in the regions that were found."""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.picture import Picture
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.skeleton import SKELETONS, coco_keypoints
from annotate.inference import Models
from annotate.numeric.geometry import quarter_turns, roi_iou
from annotate.pipeline.appearance import AppearanceSampler
from annotate.pipeline.batching import run_batched
from annotate.pipeline.crops import mask_outside, model_crop
from annotate.pipeline.decoders import landmark_decoder
from annotate.pipeline.detector_pass import Candidate
from annotate.pipeline.duplicates import distinct_poses
from annotate.pipeline.landmarks import COLUMNS, CropPose, to_picture, world_to_picture
from annotate.pipeline.occluders import Occluders, grown, hidden, hide
from annotate.pipeline.roi_rules import next_roi
from annotate.pipeline.turns import TURNED, turned_candidates

_VISIBILITY = COLUMNS.index("visibility")


class FrameCandidates(NamedTuple):
    """The candidates of a picture."""

    picture: Picture
    candidates: Sequence[Candidate]


class CropRequest(NamedTuple):
    """A candidate to look at in a picture; `fresh` if it was detected in it;
    `occluders` are the people who overlap them.
    """

    picture: Picture
    candidate: Candidate
    fresh: bool = False
    occluders: Occluders | None = None


class PersonPose(NamedTuple):
    """One person in one picture.

    Attributes:
        detection_score: of the detection that led here, maybe some frames ago.
        score: that there is a person: the landmark model's, or the detection's where the pack
            says so.
        roi: (4,) float32 in which the landmarks were seen.
        landmarks: (m, 5) float32 in pixels of the picture, auxiliary ones included.
        world: (m, D) float32 in metres, as in `annotate.domain.Poses`.
        appearance: (6,) float32 in [0, 255], as in `annotate.domain.Poses`.
        next_roi: (4,) float32 where to look for the same person next, by the pack's rule; None
            where the pose is too unsure to go on with, or the pack has no rule.
        fresh: the person was detected in this picture, and was not tracked before.
        best_visibility: the highest mean visibility of their keypoints since they were last looked
            at in all rotations.
        sureness: in [0, 1], mean visibility of the sure keypoints as the model gave it, those that
            the crop does not show included: where a person is hidden, `landmarks` say that they are
            not seen.
    """

    detection_score: float
    score: float
    roi: FloatArray
    landmarks: FloatArray
    world: FloatArray
    appearance: FloatArray
    next_roi: FloatArray | None
    fresh: bool
    best_visibility: float = 0.0
    sureness: float = 0.0


class LandmarkStage:
    """The landmark model, applied where people may be.

    Args:
        looks_twice: a detected person is looked at again in the ROI that the first pose gives,
            where the pack says so.
        rotations: with 4, the crop of a detected person, and of a tracked one who is seen less
            surely than before, is also turned by quarter turns, and the surest pose counts.
    """

    def __init__(
        self, models: Models, settings: PipelineSettings, *, looks_twice: bool, rotations: int = 1
    ) -> None:
        self._model = models.landmark
        self._spec = models.pack.landmark
        self._settings = settings
        self._decoder = landmark_decoder(self._spec)
        self._skeleton = SKELETONS[models.pack.skeleton]
        self._appearance = AppearanceSampler(self._skeleton, settings)
        self._looks_twice = looks_twice and self._spec.second_look
        self._rotations = rotations

    def people(self, pictures: Sequence[FrameCandidates]) -> list[list[PersonPose]]:
        """For each picture every person, once, in descending order of detection score."""
        requests = [
            CropRequest(one.picture, candidate, fresh=True)
            for one in pictures
            for candidate in one.candidates
        ]
        poses = iter(self.poses(requests))
        return [self._once(islice(poses, len(one.candidates))) for one in pictures]

    def poses(self, requests: Sequence[CropRequest]) -> list[PersonPose | None]:
        """The pose in each crop, or None where it shows no person."""
        found = self._first_look(requests)
        if self._rotations > 1:
            self._turned_looks(requests, found)
        if self._looks_twice:
            self._second_look(requests, found)
        return found

    def landmarks(self, requests: Sequence[CropRequest]) -> list[CropPose]:
        """The model's answer for each crop; landmarks in pixels of the picture."""
        return [*run_batched(requests, self._input, self._model.run, self._placed)]

    def distinct(
        self, poses: Sequence[PersonPose], trust: Sequence[float] | None = None
    ) -> list[int]:
        """Places of the poses that show each person once, increasing.

        Args:
            trust: says which of two is better; by default the landmark model's score.
        """
        score = np.array(trust or [pose.score for pose in poses], np.float32)
        body = self.body(poses)
        rows: list[int] = distinct_poses(body, score, self._skeleton, self._settings).tolist()
        return rows

    def body(self, poses: Sequence[PersonPose]) -> FloatArray:
        """(n, L, 5) landmarks without the auxiliary ones."""
        count = self._spec.count
        body = [pose.landmarks[:count] for pose in poses]
        return np.array(body, np.float32).reshape(-1, count, len(COLUMNS))

    def world(self, poses: Sequence[PersonPose]) -> FloatArray:
        """(n, L, D) world landmarks without the auxiliary ones."""
        count, axes = self._spec.count, self._spec.world_axes
        body = [pose.world[:count] for pose in poses]
        return np.array(body, np.float32).reshape(len(poses), count, axes)

    def keypoints(self, pose: PersonPose) -> FloatArray:
        """(17, 3) float32: x, y and visibility of COCO's keypoints."""
        found: FloatArray = coco_keypoints(self.body([pose]), self._skeleton)[0, :, :3]
        return found

    def _first_look(self, requests: Sequence[CropRequest]) -> list[PersonPose | None]:
        return [self._pose(*pair) for pair in zip(requests, self.landmarks(requests), strict=True)]

    def _pose(self, request: CropRequest, found: CropPose) -> PersonPose | None:
        if found.score < self._spec.min_score:
            return None
        candidate = request.candidate
        detected = request.fresh and self._spec.score == "detection"
        turns = quarter_turns(candidate.roi) if self._rotations > 1 else 0
        following = next_roi(found.landmarks, self._spec, turns)
        appearance = self._appearance.sample(request.picture, found.landmarks)
        return PersonPose(
            candidate.score,
            candidate.score if detected else found.score,
            candidate.roi,
            self._as_seen(request, found.landmarks),
            found.world,
            appearance,
            following,
            request.fresh,
            max(self._mean_visibility(found.landmarks), candidate.visibility),
            self._sureness(found.landmarks),
        )

    def _as_seen(self, request: CropRequest, landmarks: FloatArray) -> FloatArray:
        """The landmarks, those that the crop does not show marked as not visible: the model guesses
        where they are, and is often sure of it.
        """
        if request.occluders is None:
            return landmarks
        unseen = hidden(
            landmarks[:, :2],
            request.candidate.roi,
            request.occluders,
            self._spec.size,
            self._settings,
        )
        marked = landmarks.copy()
        guessed = marked[unseen, _VISIBILITY]
        marked[unseen, _VISIBILITY] = np.minimum(guessed, self._settings.hidden_visibility)
        return marked

    def _sureness(self, landmarks: FloatArray) -> float:
        sure = coco_keypoints(landmarks[None, : self._spec.count], self._skeleton)[0, :, 2]
        sure = sure[sure > self._settings.painted_visibility]
        return float(sure.mean()) if len(sure) else 0.0

    def _turned_looks(
        self, requests: Sequence[CropRequest], found: list[PersonPose | None]
    ) -> None:
        """Looks in the other rotations at those who are new, or may have turned: in one of those
        the landmark model has to be clearly surer than in the known one, which is the detector's
        or that of the frame before.
        """
        places = [
            place
            for place, (request, pose) in enumerate(zip(requests, found, strict=True))
            if request.fresh or self._is_less_sure(request.candidate, pose)
        ]
        turned = [
            requests[place]._replace(candidate=candidate)
            for place in places
            for candidate in turned_candidates(requests[place].candidate, self._spec.size)
        ]
        looks = iter(self._first_look(turned))
        for place in places:
            known, other = found[place], max(islice(looks, TURNED), key=self._visibility)
            gain = self._settings.turn_gain
            clear = self._visibility(other) > gain * self._visibility(known)
            pose = other if clear else known
            found[place] = pose and pose._replace(best_visibility=self._visibility(pose))

    def _is_less_sure(self, candidate: Candidate, pose: PersonPose | None) -> bool:
        return self._visibility(pose) < self._settings.turn_again * candidate.visibility

    def _visibility(self, pose: PersonPose | None) -> float:
        """Mean visibility of the landmarks; 0 where there is no pose."""
        return 0.0 if pose is None else self._mean_visibility(pose.landmarks)

    def _mean_visibility(self, landmarks: FloatArray) -> float:
        return float(landmarks[: self._spec.count, _VISIBILITY].mean())

    def _second_look(self, requests: Sequence[CropRequest], found: list[PersonPose | None]) -> None:
        moved: dict[int, CropRequest] = {}
        for place, pose in enumerate(found):
            if pose is None or not pose.fresh or pose.next_roi is None:
                continue
            if roi_iou(pose.roi, pose.next_roi[None])[0] < self._settings.settled_iou:
                again = Candidate(pose.detection_score, pose.next_roi)
                moved[place] = requests[place]._replace(candidate=again)
        for place, pose in zip(moved, self._first_look([*moved.values()]), strict=True):
            found[place] = pose

    def _once(self, found: Iterable[PersonPose | None]) -> list[PersonPose]:
        poses = sorted((pose for pose in found if pose), key=lambda pose: -pose.detection_score)
        return [poses[row] for row in self.distinct(poses)]

    def _input(self, request: CropRequest) -> FloatArray:
        roi, box = request.candidate.roi, request.candidate.box
        hiding = None
        if request.occluders is not None:
            hiding = partial(hide, roi=roi, others=request.occluders, settings=self._settings)
        elif box is not None and self._spec.mask is not None:
            hiding = partial(mask_outside, roi=roi, box=grown(box, self._spec.mask))
        return model_crop(request.picture, roi, self._spec, hiding)

    def _placed(self, request: CropRequest, outputs: Sequence[FloatArray]) -> CropPose:
        found = self._decoder.decode(outputs)
        roi = request.candidate.roi
        landmarks = to_picture(found.landmarks, roi, self._spec.size)
        return CropPose(landmarks, world_to_picture(found.world, roi), found.score)
