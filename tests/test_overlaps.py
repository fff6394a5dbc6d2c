"""People who overlap: anchors, what a crop hides, and who is looked at first."""

from typing import cast

import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.inference import Models
from annotate.inference.session import Model
from annotate.numeric.rgb_picture import RgbPicture
from annotate.pipeline.anchors import Anchor, assigned, neighbours
from annotate.pipeline.crowd import Crowd, look
from annotate.pipeline.detector_pass import Candidate
from annotate.pipeline.frame_tracking import FrameTracker
from annotate.pipeline.landmark_stage import CropRequest, LandmarkStage, PersonPose
from annotate.pipeline.occluders import Occluders, hidden, hide
from annotate.pipeline.tracked_person import TrackedPerson
from tests.test_keypoint_rois import PACK

SETTINGS = PipelineSettings()
PICTURE = RgbPicture(np.full((200, 200, 3), 200, np.uint8))
LEFT, RIGHT = np.array([20, 40, 80, 160], np.float32), np.array([60, 40, 120, 160], np.float32)
FAR = np.array([150, 40, 190, 160], np.float32)
FPS = 30
NO_WORLD = np.zeros((17, 0), np.float32)


def body(x: float, visibility: float = 0.9) -> FloatArray:
    """A person who stands upright about x, 100 pixels tall: (17, 3) x, y, visibility."""
    down = [0, 0, 0, 0, 0, 15, 15, 35, 35, 50, 50, 50, 50, 75, 75, 100, 100]
    side = [0, 0, 0, 0, 0, -10, 10, -12, 12, -12, 12, -8, 8, -8, 8, -8, 8]
    xy = np.column_stack([x + np.array(side), 50 + np.array(down)])
    return np.column_stack([xy, np.full(17, visibility)]).astype(np.float32)


def roi(box: FloatArray) -> FloatArray:
    return np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, 150, 0], np.float32)


def pose_at(x: float, visibility: float, request: CropRequest) -> PersonPose:
    landmarks = np.ones((17, 5), np.float32)
    landmarks[:, [0, 1, 3]] = body(x, visibility)
    colours = np.zeros(6, np.float32)
    here = np.array([x, 100, 150, 0], np.float32)
    score, *_ = request.candidate
    return PersonPose(
        score, 0.9, here, landmarks, NO_WORLD, colours, here, request.fresh, sureness=visibility
    )


class Stage:
    """In place of the landmark stage: sees whom the crop's centre is on, but the person in front,
    at 50, in the crops of the one at 90, unless they are hidden there.
    """

    def __init__(self) -> None:
        self.requests: list[CropRequest] = []

    def poses(self, requests: list[CropRequest]) -> list[PersonPose | None]:
        self.requests += requests
        return [self._pose(request) for request in requests]

    def _pose(self, request: CropRequest) -> PersonPose:
        x = float(request.candidate.roi[0])
        hidden = request.occluders is not None and len(request.occluders.bodies) > 0
        if abs(x - 90) < 20 and not hidden and not request.fresh:
            x = 50.0
        return pose_at(x, 0.9 if x < 70 else 0.5, request)

    def keypoints(self, pose: PersonPose) -> FloatArray:
        found: FloatArray = pose.landmarks[:, [0, 1, 3]]
        return found

    def distinct(self, poses: list[PersonPose], *_trust: object) -> list[int]:
        places = [round(float(pose.landmarks[0, 0])) for pose in poses]
        return sorted({place: row for row, place in reversed([*enumerate(places)])}.values())


def candidate(box: FloatArray) -> Candidate:
    return Candidate(0.9, roi(box), box)


def test_an_anchor_moves_on_as_its_last_two_boxes_did() -> None:
    anchor = Anchor(LEFT, 1.0, np.zeros(2)).followed(LEFT + np.float32(3), 1.5)
    assert anchor.box_at(2.0) == pytest.approx(LEFT + 6)


def test_boxes_go_to_the_people_whom_they_overlap_most() -> None:
    assert assigned([LEFT, None, RIGHT], [RIGHT + 5, FAR, LEFT + 5], 0.3) == {0: 2, 2: 0}
    assert assigned([LEFT], [FAR], 0.3) == {}


def test_neighbours_are_those_whose_boxes_have_enough_in_common() -> None:
    near = neighbours([LEFT, None, RIGHT, FAR], SETTINGS.neighbour_overlap)
    assert np.argwhere(near).tolist() == [[0, 2], [2, 0]]


def test_a_crop_hides_the_others_box_outside_the_own_one_and_bodies_inside_it() -> None:
    crop = PICTURE.rgb.copy()
    whole = np.array([100, 100, 200, 0], np.float32)
    hide(crop, whole, Occluders(LEFT, RIGHT[None], [body(50)], SETTINGS.box_margin), SETTINGS)
    shown = crop[:, :, 0] > 0
    assert not shown[45:155, 82:].any(), "the other box"
    assert not shown[:, :10].any(), "outside the margin of the own box"
    assert shown[100, 14], "inside the margin of the own box"
    assert not shown[[80, 50], [50, 50]].any(), "trunk and head of the person in front"
    assert shown[100, 70], "what is the own person's"


def test_unsure_keypoints_hide_nothing() -> None:
    crop = PICTURE.rgb.copy()
    whole = np.array([100, 100, 200, 0], np.float32)
    others = Occluders(LEFT, RIGHT[None], [body(50, 0.2)], SETTINGS.box_margin)
    hide(crop, whole, others, SETTINGS)
    assert (crop[60:140, 25:75] > 0).all()


def test_points_that_are_painted_over_are_hidden() -> None:
    whole = np.array([100, 100, 200, 0], np.float32)
    others = Occluders(LEFT, RIGHT[None], [body(50)], SETTINGS.box_margin)
    points = np.array([[50, 80], [50, 50], [100, 100], [5, 100], [70, 100], [900, 9]], np.float32)
    found = hidden(points, whole, others, (200, 200), SETTINGS)
    assert found.tolist() == [True, True, True, True, False, False]


class Guesses:
    """In place of a landmark model: the same sure keypoints in any crop."""

    def run(self, _image: FloatArray) -> list[FloatArray]:
        found = body(64)
        found[:, :2] = [4, 64]
        found[:8, 0] = 64
        return [found[None], np.ones((1, 1), np.float32)]


def test_keypoints_that_the_crop_does_not_show_are_not_visible() -> None:
    model = cast(Model, Guesses())
    models = Models(PACK, model, model, provider="cpu", placement={})
    stage = LandmarkStage(models, SETTINGS, looks_twice=False)
    others = Occluders(LEFT, RIGHT[None], [body(50)], SETTINGS.box_margin)
    whole = Candidate(0.9, np.array([50, 100, 128, 0], np.float32))
    alone, covered = stage.poses(
        [CropRequest(PICTURE, whole), CropRequest(PICTURE, whole, occluders=others)]
    )
    assert alone is not None
    assert covered is not None
    assert alone.landmarks[:, 3] == pytest.approx(0.9)
    assert covered.landmarks[:, 3] == pytest.approx([SETTINGS.hidden_visibility] * 17)
    assert covered.landmarks[:, :2] == pytest.approx(alone.landmarks[:, :2])
    assert covered.sureness == pytest.approx(0.9), "who is in front is told by all keypoints"
    assert covered.next_roi == pytest.approx(alone.next_roi)


@pytest.mark.parametrize(("shown", "seen"), [(6, True), (5, False)])
def test_a_person_of_whom_the_crop_shows_too_little_is_not_seen(shown: int, seen: bool) -> None:
    class Covered(Stage):
        def _pose(self, request: CropRequest) -> PersonPose:
            pose = super()._pose(request)
            if request.candidate.roi[0] > 70:
                pose.landmarks[shown:, 3] = SETTINGS.hidden_visibility
            return pose

    people = [person(RIGHT, 90, 0.4), person(LEFT, 50, 0.8)]
    crowd = Crowd(PICTURE, 0.1, people, [])
    behind, front = look(cast(LandmarkStage, Covered()), crowd, SETTINGS)
    assert front.pose is not None
    assert (behind.pose is not None) == seen
    assert behind.overlaps, "so they are waited for"


def person(box: FloatArray, x: float, sureness: float | None) -> TrackedPerson:
    pose = pose_at(x, 0.9, CropRequest(PICTURE, candidate(box)))
    found = TrackedPerson.new(pose, roi(box), 0.0, SETTINGS).detected(candidate(box), 0.0)
    return found if sureness is None else found.seen_as_surely(sureness)


def test_the_surest_person_is_looked_at_first_and_hidden_from_the_next() -> None:
    stage = Stage()
    people = [person(RIGHT, 90, 0.4), person(LEFT, 50, 0.8)]
    looked = look(cast(LandmarkStage, stage), Crowd(PICTURE, 0.1, people, []), SETTINGS)
    assert [request.candidate.roi[0] for request in stage.requests] == [50, 90]
    assert [len(r.occluders.bodies) for r in stage.requests if r.occluders] == [0, 1]
    assert [float(one.pose.landmarks[0, 0]) for one in looked if one.pose] == [90, 50]


@pytest.mark.parametrize("boxes", [[LEFT, RIGHT], [LEFT]], ids=["two boxes", "only one box"])
def test_two_people_who_overlap_are_both_tracked_while_the_detector_sees_both(
    boxes: list[FloatArray],
) -> None:
    tracker = FrameTracker(cast(LandmarkStage, Stage()), SETTINGS)
    tracker.step(PICTURE, 0.0, tracker.detected([candidate(LEFT), candidate(RIGHT)], 0.0))
    new = tracker.detected([candidate(box) for box in boxes], 1 / FPS)
    assert new == []
    counts = [len(tracker.step(PICTURE, n / FPS, [])) for n in range(1, 6)]
    assert counts == [len(boxes)] * 5


def test_a_person_alone_is_looked_at_as_without_boxes() -> None:
    stage = Stage()
    people = [person(LEFT, 50, None), person(FAR, 170, None)]
    look(cast(LandmarkStage, stage), Crowd(PICTURE, 0.1, people, []), SETTINGS)
    assert all(request.occluders is None for request in stage.requests)


def test_the_box_of_a_tracked_person_costs_no_second_look() -> None:
    tracker = FrameTracker(cast(LandmarkStage, Stage()), SETTINGS)
    tracker.step(PICTURE, 0.0, tracker.detected([candidate(LEFT)], 0.0))
    wider = LEFT + np.array([-5, -30, 5, 30], np.float32)
    assert tracker.detected([candidate(wider)], 1 / FPS) == []
