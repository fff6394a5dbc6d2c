"""People who are turned, in a made world whose models want them upright."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.domain.errors import UsageError
from annotate.domain.job import Recipe
from annotate.domain.options import SubmitOptions
from annotate.domain.pack import Pack, read_pack
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.video import Frame
from annotate.inference import Models
from annotate.inference.session import Model
from annotate.numeric.chunking import restart_every
from annotate.numeric.rgb_picture import RgbPicture
from annotate.pipeline import PoseEstimator
from annotate.pipeline.detector_pass import Candidate, _distinct
from annotate.use_cases.expected_cost import frame_core_s
from annotate.use_cases.submit import recipe_of
from tests.made_models import counts, fakes
from tests.made_poses import made_index
from tests.test_keypoint_rois import PACK

SETTINGS = PipelineSettings()
# Of the keypoints of a person who is upright in the crop, and of one who is not.
SURE, UNSURE = 0.9, 0.3
# A person of the made world, in pixels; the head is the first quarter of the height.
WIDTH, HEIGHT = 40, 80
BODY, HEAD = (255, 0, 0), (255, 255, 0)
QUARTER = np.pi / 2
# Pixels that a crop of half the resolution may be off.
NEAR = 2.0


def person(turns: int, at: int = 120) -> Frame:
    """A person in the picture, turned clockwise by quarter turns."""
    body = np.full((HEIGHT, WIDTH, 3), BODY, np.uint8)
    body[: HEIGHT // 4] = HEAD
    body = np.rot90(body, -turns)
    rgb = np.zeros((208, 416, 3), np.uint8)
    height, width = body.shape[:2]
    top, left = 104 - height // 2, at - width // 2
    rgb[top : top + height, left : left + width] = body
    return Frame(0, 0, RgbPicture(rgb))


def film(turns: list[int], start: int = 0) -> list[Frame]:
    """A frame for each number of quarter turns; the person moves by 2 px a frame."""
    return [
        replace(person(turn, 100 + 2 * n % 200), index=n) for n, turn in enumerate(turns, start)
    ]


def seen(image: FloatArray) -> tuple[FloatArray, FloatArray, bool] | None:
    """The corners of the body in an image, and whether its head is above its middle."""
    rows, columns = np.nonzero(image[:, :, 0] > 150)
    if not len(rows):
        return None
    low = np.array([columns.min(), rows.min()], np.float32)
    high = np.array([columns.max(), rows.max()], np.float32) + 1
    head = np.argwhere(image[:, :, 1] > 150)
    if not len(head):
        return low, high, False
    down, right = head.mean(axis=0) - (rows.mean(), columns.mean())
    return low, high, bool(down < 0 and abs(down) > abs(right))


@dataclass
class UprightBox:
    """In place of YOLOX: sees people who are upright, or all."""

    always: bool = False

    def run(self, image: FloatArray) -> list[FloatArray]:
        raw = np.zeros((1, 3549, 85), np.float32)
        found = seen(image)
        if found and (found[2] or self.always):
            low, high, _ = found
            raw[0, 0, :2], raw[0, 0, 2:4] = (low + high) / 16, np.log((high - low) / 8)
            raw[0, 0, 4:6] = 1
        return [raw]


@dataclass
class UprightBody:
    """In place of a landmark model: keypoints from the middle of the upper edge to that of the
    lower one, sure only if the person is upright.
    """

    visibility: list[float] = field(default_factory=list)
    unsure: float = UNSURE

    def run(self, image: FloatArray) -> list[FloatArray]:
        raw = np.zeros((17, 3), np.float32)
        found = seen(image)
        if found:
            (x0, y0), (x1, y1), upright = found
            raw[:, 0] = (x0 + x1) / 2
            raw[:, 1] = np.linspace(y0, y1, 17)
            raw[:, 2] = SURE if upright else self.unsure
        self.visibility.append(float(raw[0, 2]))
        return [raw[None], np.ones((1, 1), np.float32)]


def estimator(
    every: int,
    rotations: int = 4,
    *,
    always: bool = False,
    settings: PipelineSettings = SETTINGS,
    body: UprightBody | None = None,
) -> PoseEstimator:
    models = Models(
        PACK,
        cast(Model, UprightBox(always)),
        cast(Model, body or UprightBody()),
        provider="cpu",
        placement={},
    )
    return PoseEstimator(
        models, people="all", detect_every=every, rotations=rotations, settings=settings
    )


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("every", [1, 5])
def test_a_turned_person_is_found_where_they_are(turns: int, every: int) -> None:
    poses = estimator(every).run([person(turns)], made_index(1))
    assert counts(poses) == [1]
    (head, *_, feet) = poses.landmarks[0, :, :2]
    up = np.array([[0, -1], [1, 0], [0, 1], [-1, 0]])[turns] * HEIGHT / 2
    assert head == pytest.approx(np.array([120, 104]) + up, abs=NEAR)
    assert feet == pytest.approx(np.array([120, 104]) - up, abs=NEAR)
    assert poses.landmarks[0, :, 3] == pytest.approx(SURE)
    assert np.cos(poses.roi[0, 3] - turns * QUARTER) == pytest.approx(1)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_without_rotations_only_upright_people_are_found(turns: int) -> None:
    assert counts(estimator(1, rotations=1).run([person(turns)], made_index(1))) == [0]
    unsure = estimator(1, rotations=1, always=True).run([person(turns)], made_index(1))
    assert unsure.landmarks[0, :, 3] == pytest.approx(UNSURE)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_where_the_detector_sees_people_in_any_rotation_the_landmark_model_decides(
    turns: int,
) -> None:
    poses = estimator(1, always=True).run([person(turns)], made_index(1))
    assert np.cos(poses.roi[0, 3] - turns * QUARTER) == pytest.approx(1)
    assert poses.landmarks[0, :, 3] == pytest.approx(SURE)


def test_another_rotation_counts_only_where_it_is_clearly_surer() -> None:
    """SURE is three times UNSURE."""
    for gain, visibility in ((2.9, SURE), (3.1, UNSURE)):
        settings = replace(SETTINGS, turn_gain=gain)
        poses = estimator(1, always=True, settings=settings).run([person(1)], made_index(1))
        assert poses.landmarks[0, :, 3] == pytest.approx(visibility)


def test_a_person_whom_the_detector_sees_in_all_rotations_is_one_candidate() -> None:
    body = UprightBody()
    poses = estimator(1, always=True, body=body).run([person(0)], made_index(1))
    assert counts(poses) == [1]
    assert len(body.visibility) == 4


def test_boxes_of_different_views_are_of_two_people_where_they_overlap_little() -> None:
    settings = replace(SETTINGS, turned_iou=1.0)
    body = UprightBody()
    estimator(1, always=True, body=body, settings=settings).run([person(0)], made_index(1))
    assert len(body.visibility) == 4 * 4


@pytest.mark.parametrize(("right", "people"), [(45, 2), (27, 1)], ids=["a third", "over half"])
def test_boxes_of_one_person_overlap_by_nearly_half(right: float, people: int) -> None:
    """Boxes of 100 pixels: moved by 45 they share 55 of 145, by 27 they share 73 of 127."""
    nowhere = np.zeros(4, np.float32)
    boxes = np.array([[0, 0, 100, 100], [right, 0, right + 100, 100]], np.float32)
    found = [Candidate(0.9, nowhere, box) for box in boxes]
    assert len(_distinct(found, SETTINGS.turned_iou)) == people


def test_a_followed_person_keeps_the_rotation_that_won() -> None:
    body = UprightBody()
    poses = estimator(10, body=body).run(film([1] * 8), made_index(8))
    assert counts(poses) == [1] * 8
    assert poses.roi[:, 3] == pytest.approx(QUARTER)
    assert body.visibility == pytest.approx([SURE, UNSURE, UNSURE, UNSURE, *[SURE] * 7])


def test_a_person_who_turns_is_looked_at_in_all_rotations_again() -> None:
    body = UprightBody()
    poses = estimator(10, body=body).run(film([0, 0, 1, 1, 2]), made_index(5))
    assert counts(poses) == [1] * 5
    assert poses.landmarks[:, :, 3] == pytest.approx(SURE)
    assert np.cos(poses.roi[:, 3] - np.array([0, 0, 1, 1, 2]) * QUARTER) == pytest.approx(1)
    # Four looks at a new person, then one a frame, and three more where they turned.
    assert len(body.visibility) == 4 + 4 + 2 * 3


def test_the_look_again_depends_on_how_sure_the_person_was() -> None:
    """UNSURE is a third of SURE: a smaller threshold keeps the rotation."""
    settings = replace(SETTINGS, turn_again=0.3)
    poses = estimator(10, settings=settings).run(film([0, 0, 1]), made_index(3))
    assert poses.landmarks[2, :, 3] == pytest.approx(UNSURE)


def test_a_person_who_is_half_as_sure_is_looked_at_again() -> None:
    poses = estimator(10, body=UprightBody(unsure=0.5 * SURE)).run(film([0, 0, 1]), made_index(3))
    assert poses.landmarks[2, :, 3] == pytest.approx(SURE)


def test_a_person_who_is_less_sure_for_long_costs_one_look_again() -> None:
    """For instance half hidden: no rotation is better, so the new sureness is what counts."""
    frames = film([0] * 8)
    for frame in frames[3:]:
        # Without a head, the made model is unsure in every rotation.
        frame.rgb[:, :, 1] = 0
    body = UprightBody()
    poses = estimator(10, body=body).run(frames, made_index(8))
    assert counts(poses) == [1] * 8
    assert poses.roi[:, 3] == pytest.approx(0)
    assert len(body.visibility) == 4 + 7 + 3


def test_a_person_who_is_gone_is_searched_for_in_their_own_rotation_only() -> None:
    frames = film([0] * 12)
    for frame in frames[9:]:
        frame.rgb[:] = 0
    body = UprightBody()
    poses = estimator(20, body=body).run(frames, made_index(12))
    assert counts(poses) == [1] * 9 + [0] * 3
    # Where they are lost, all rotations, and the first search; then a search a frame.
    assert body.visibility[12:] == [0] * (4 + 1 + 2)


def test_turned_people_are_the_same_however_the_video_is_cut() -> None:
    restart = restart_every(7, SETTINGS.remembered_frames)
    changes = np.random.default_rng(0).choice(4, 2 * restart // 10)
    turns = np.repeat(changes, 10)[: 2 * restart].tolist()
    turns += [0] * (2 * restart - len(turns))
    index = made_index(len(turns))
    whole = estimator(7).run(film(turns), index)
    parts = [
        estimator(7).run(film(turns[start : start + restart], start), index)
        for start in (0, restart)
    ]
    assert len(np.unique(whole.roi[:, 3].round(3))) == 4
    for column in ("roi", "landmarks", "score"):
        joined = np.concatenate([getattr(part, column) for part in parts])
        assert np.array_equal(getattr(whole, column), joined)


class TestChoice:
    def test_it_is_part_of_the_recipe(self) -> None:
        plain, turned = Recipe("p", "00" * 32), Recipe("p", "00" * 32, rotations=4)
        assert plain.digest != turned.digest

    def test_a_pack_that_turns_crops_itself_refuses(
        self, blazepose_pack: Path, full_and_yolox_pack: Path
    ) -> None:
        for folder in (blazepose_pack, full_and_yolox_pack):
            pack = read_pack(folder)
            assert recipe_of(pack, SubmitOptions()).rotations == 1
            with pytest.raises(UsageError, match="find by themselves") as caught:
                recipe_of(pack, SubmitOptions(rotations=4))
            assert "Leave out --rotations 4" in caught.value.hint
        with pytest.raises(UsageError):
            PoseEstimator(fakes(pack), rotations=4)

    def test_a_pack_that_wants_people_upright_takes_it(self, lightning_pack: Path) -> None:
        pack = read_pack(lightning_pack)
        assert recipe_of(pack, SubmitOptions(rotations=4)).rotations == 4

    def test_frames_are_expected_to_cost_more(self, lightning_pack: Path) -> None:
        pack: Pack = read_pack(lightning_pack)

        def cost(every: int, rotations: int) -> float:
            recipe = Recipe(pack.name, pack.digest, "all", every, rotations=rotations)
            return frame_core_s(pack, lightning_pack, recipe)

        assert cost(1, 4) > 3 * cost(1, 1)
        assert 1.1 * cost(10, 1) < cost(10, 4) < 2 * cost(10, 1)
