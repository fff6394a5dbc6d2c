"""The truth of scenes, checked against their pixels and against arithmetic."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from annotate.domain.pack import read_pack
from annotate.domain.skeleton import COCO_KEYPOINTS, SKELETONS
from annotate.inference import load_models
from annotate.numeric.similarity import oks
from annotate.pipeline import PoseEstimator
from annotate.synthetic import (
    HIDDEN,
    OUTSIDE,
    VISIBLE,
    Camera,
    CameraKey,
    Pillar,
    Renderer,
    Scene,
    ScenePerson,
    SceneTruth,
    WayPoint,
    demo_scene,
    steady_times,
    truth,
    truth_to_coco,
)
from annotate.synthetic.truth import LANDMARKS

NAMES = list(COCO_KEYPOINTS)
FACE = [NAMES.index(name) for name in ("nose", "left_eye", "right_eye")]
TRUNK = [
    NAMES.index(f"{side}_{part}") for side in ("left", "right") for part in ("hip", "shoulder")
]


def standing(x: float, z: float, facing_deg: float = 0.0, **kwargs: bool) -> ScenePerson:
    return ScenePerson((WayPoint(0, x, z),), facing_deg=facing_deg, **kwargs)


def still(*people: ScenePerson, pillars: tuple[Pillar, ...] = ()) -> Scene:
    """One frame, 240 x 180."""
    return Scene(240, 180, (0.0,), people, pillars)


# Positions


def test_landmarks_are_in_the_order_of_the_skeleton() -> None:
    renamed = {"mouth_left": "left_mouth_corner", "mouth_right": "right_mouth_corner"}
    for side in ("left", "right"):
        renamed[f"{side}_foot_index"] = f"{side}_toe"
    expected = [renamed.get(name, name) for name in SKELETONS["blazepose-33"].landmarks]
    assert [name for name, _ in LANDMARKS] == expected


def test_keypoints_are_the_body_s_points_through_the_camera() -> None:
    scene = replace(still(standing(0.4, 4.0, 30)), camera=Camera(height_m=1.2, focal=1.1))
    left_wrist = Renderer(scene).bodies[0].points["left_wrist"][0]
    focal = 1.1 * 180
    x = 119.5 + focal * left_wrist[0] / left_wrist[2]
    y = 89.5 + focal * (1.2 - left_wrist[1]) / left_wrist[2]
    keypoint = truth(scene).keypoints[0, 0, NAMES.index("left_wrist")]
    np.testing.assert_allclose(keypoint, (x, y), atol=1e-3)


def changed_pixels(scene: Scene) -> NDArray[np.bool_]:
    """(H, W) bool: where the people of a scene change the empty scene's picture."""
    empty = Renderer(replace(scene, people=())).frame(0).astype(int)
    changed: NDArray[np.bool_] = np.abs(Renderer(scene).frame(0) - empty).max(axis=2) > 12
    return changed


def test_the_box_bounds_the_pixels_that_the_person_changes() -> None:
    scene = still(standing(0.2, 4.5, waving=True))
    x, y, width, height = truth(scene).bbox[0, 0]
    # Shadows lie on the floor: only what is above it tells.
    upper = changed_pixels(scene)[: int(y + height / 2)]
    rows, columns = np.nonzero(upper)
    assert abs(rows.min() - y) <= 1
    assert abs(columns.min() - x) <= 1
    assert abs(columns.max() + 1 - (x + width)) <= 1


def test_the_area_is_the_number_of_pixels_that_the_person_changes() -> None:
    # From below the knee up the shadow is out of the way: the camera stands low.
    scene = replace(still(standing(0.0, 4.5)), camera=Camera(height_m=0.1))
    assert changed_pixels(scene).sum() == pytest.approx(truth(scene).area[0, 0], rel=0.08)


def test_an_upright_person_is_as_tall_as_the_box() -> None:
    known = truth(still(standing(0, 5)))
    assert known.bbox[0, 0, 3] == pytest.approx(known.stature_px[0, 0], rel=0.05)
    assert known.stature_px[0, 0] == pytest.approx(1.4 * 180 * 1.75 / 5, rel=0.01)


# What is hidden


@pytest.mark.parametrize(
    ("facing", "seen", "hidden"),
    [
        (0, NAMES, []),
        (90, ["right_ear", "right_shoulder", "right_hip"], ["left_ear", "left_eye", "left_hip"]),
        (180, ["left_shoulder", "right_hip", "left_knee"], ["nose", "left_eye", "right_eye"]),
        (-90, ["left_ear", "left_shoulder", "left_hip"], ["right_ear", "right_eye", "right_hip"]),
    ],
    ids=["front", "right side to the camera", "back", "left side to the camera"],
)
def test_the_own_body_hides_its_far_side(facing: float, seen: list[str], hidden: list[str]) -> None:
    visible = truth(still(standing(0, 4, facing))).visible[0, 0]
    flags = dict(zip(NAMES, visible.tolist(), strict=True))
    assert {name: flags[name] for name in seen} == dict.fromkeys(seen, VISIBLE)
    assert {name: flags[name] for name in hidden} == dict.fromkeys(hidden, HIDDEN)


@pytest.mark.parametrize(("z", "flag"), [(3.0, HIDDEN), (6.0, VISIBLE)], ids=["before", "behind"])
def test_a_pillar_hides_the_person_behind_it(z: float, flag: int) -> None:
    known = truth(still(standing(0, 4.5), pillars=(Pillar(0, z, radius_m=0.3),)))
    assert set(known.visible[0, 0, TRUNK]) == {flag}
    assert (known.visible_area[0, 0] < 0.2 * known.area[0, 0]) == (flag == HIDDEN)


def test_a_pillar_changes_neither_box_nor_area_nor_keypoints() -> None:
    free = truth(still(standing(0.1, 4.5)))
    behind = truth(still(standing(0.1, 4.5), pillars=(Pillar(0, 3),)))
    for name in ("bbox", "area", "keypoints"):
        np.testing.assert_array_equal(getattr(free, name), getattr(behind, name))


def test_in_a_crossing_the_nearer_person_hides_the_other() -> None:
    paths = [(WayPoint(0, -x, z), WayPoint(4, x, z)) for x, z in ((1.5, 4.0), (-1.5, 5.5))]
    scene = Scene(240, 180, (0.0, 2.0, 4.0), tuple(ScenePerson(path) for path in paths))
    known = truth(scene)
    before, meeting, after = known.visible[:, 1, TRUNK]
    assert HIDDEN not in before[:2]  # the left side, to the camera
    assert set(meeting) == {HIDDEN}
    assert (known.visible[:, 0, TRUNK] != OUTSIDE).all()
    shares = known.visible_area / known.area
    assert shares[1, 1] < 0.5
    np.testing.assert_allclose(shares[[0, 1, 2], 0], 1, atol=0.01)
    assert set(after) & {VISIBLE}


def test_visible_pixels_of_all_add_up_to_those_of_the_crowd() -> None:
    people = [standing(x, z) for x, z in ((-0.5, 4), (-0.2, 5), (0.3, 4.5), (0.5, 6))]
    known = truth(still(*people))
    crowd = np.zeros((180, 240), bool)
    for number, person in enumerate(people):
        # Outfits go by the person's number, so the others stay in the scene, out of the picture.
        others = [standing(99, 4)] * len(people)
        others[number] = person
        crowd.reshape(-1)[Renderer(still(*others)).sight(0).front() >= 0] = True
    assert known.visible_area.sum() == crowd.sum()


# Beyond the picture


def test_who_leaves_the_picture_is_out_of_it() -> None:
    path = (WayPoint(0, 0, 4), WayPoint(3, 4.5, 4))
    known = truth(Scene(240, 180, steady_times(10, 4), (ScenePerson(path),)))
    assert (known.visible[0] != OUTSIDE).all()
    assert (known.visible[-1] == OUTSIDE).all()
    assert known.area[-1, 0] == 0
    assert not known.bbox[-1].any()
    right = known.bbox[:, 0, 0] + known.bbox[:, 0, 2]
    assert right.max() == 240
    assert known.landmarks[-1, 0, 0, 0] > 240


def test_a_person_behind_the_camera_has_no_landmarks() -> None:
    known = truth(still(standing(0, -3)))
    assert np.isnan(known.landmarks).all()
    assert not known.visible.any()
    assert known.area[0, 0] == 0


def test_a_scene_without_people_has_frames() -> None:
    known = truth(Scene(64, 48, steady_times(10, 0.3), ()))
    assert known.keypoints.shape == (3, 0, 17, 2)
    assert Renderer(still()).frame(0).std() > 5


# Time, camera and seed


def test_a_frame_depends_on_its_time_alone() -> None:
    scene = demo_scene(1.0)
    slow = truth(scene)
    fast = truth(replace(scene, times_s=steady_times(60, 1)))
    np.testing.assert_array_equal(fast.landmarks[::2], slow.landmarks)
    rgb = Renderer(replace(scene, times_s=(0.5,))).frame(0)
    np.testing.assert_array_equal(Renderer(scene).frame(15), rgb)


def test_a_frame_does_not_depend_on_those_drawn_before() -> None:
    camera = Camera(keys=(CameraKey(0), CameraKey(1, pan_deg=15, zoom=1.5)))
    scene = replace(demo_scene(1.0), width=160, height=120, camera=camera)
    renderer = Renderer(scene)
    for index in (0, 29, 10):
        np.testing.assert_array_equal(renderer.frame(index), Renderer(scene).frame(index))


def test_the_seed_changes_colours_but_no_geometry() -> None:
    one, other = still(standing(0, 4)), replace(still(standing(0, 4)), seed=1)
    assert (Renderer(one).frame(0) != Renderer(other).frame(0)).any()
    np.testing.assert_array_equal(truth(one).landmarks, truth(other).landmarks)


def test_a_camera_that_zooms_in_enlarges_people_and_keeps_truth_and_pixels_together() -> None:
    camera = Camera(keys=(CameraKey(0), CameraKey(1, pan_deg=5, tilt_deg=-3, zoom=1.2)))
    scene = Scene(240, 180, (0.0, 1.0), (standing(0, 4.9, waving=True),), camera=camera)
    known = truth(scene)
    assert known.stature_px[1, 0] == pytest.approx(1.2 * known.stature_px[0, 0], rel=0.03)
    zoomed = replace(scene, times_s=(1.0,))
    rows, columns = np.nonzero(changed_pixels(zoomed)[:90])
    assert abs(rows.min() - known.bbox[1, 0, 1]) <= 1
    assert abs(columns.min() - known.bbox[1, 0, 0]) <= 1


# As COCO


def loaded(known: SceneTruth, tmp_path: Path) -> COCO:
    path = tmp_path / "truth.json"
    path.write_bytes(orjson.dumps(truth_to_coco(known, "a/walk.mp4")))
    return COCO(str(path))


@pytest.fixture
def hidden_and_seen() -> SceneTruth:
    """Three people: one in full view, one behind a pillar, one outside the picture."""
    people = (standing(-0.8, 4), standing(0.8, 5), standing(9, 4))
    return truth(still(*people, pillars=(Pillar(0.6, 3.75, radius_m=0.7),)))


def test_the_annotation_file_names_images_and_tracks_as_the_export_does(
    hidden_and_seen: SceneTruth, tmp_path: Path
) -> None:
    coco = loaded(hidden_and_seen, tmp_path)
    assert coco.loadImgs(1)[0]["file_name"] == "a/walk/frame_000000.jpg"
    assert [a["id"] for a in coco.dataset["annotations"]] == [1, 2]
    assert [a["attributes"] for a in coco.dataset["annotations"]] == [
        {"track_id": 1, "keyframe": True},
        {"track_id": 2, "keyframe": True},
    ]


def test_evaluation_asks_for_those_who_can_be_seen_alone(
    hidden_and_seen: SceneTruth, tmp_path: Path
) -> None:
    coco = loaded(hidden_and_seen, tmp_path)
    seen, hidden = coco.dataset["annotations"]
    assert seen["num_keypoints"] == 17
    assert hidden["num_keypoints"] == 0
    assert hidden["visible_share"] < 0.2
    answer = {"image_id": 1, "category_id": 1, "keypoints": seen["keypoints"], "score": 0.9}
    evaluation = COCOeval(coco, coco.loadRes([answer]), "keypoints")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1)
    assert evaluation.stats[5] == pytest.approx(1)


# What the models make of the figures

MIN_OKS = {"front": 0.94, "side": 0.85, "back": 0.90, "waving": 0.90}


@pytest.mark.parametrize(
    ("view", "facing"), [("front", 0), ("side", 90), ("back", 180), ("waving", 0)]
)
def test_the_models_find_the_figures_where_the_truth_says(
    view: str, facing: float, blazepose_pack: Path
) -> None:
    scene = Scene(480, 480, (0.3,), (standing(0, 4.3, facing, waving=view == "waving"),), seed=3)
    models = load_models(read_pack(blazepose_pack), blazepose_pack)
    landmarks = PoseEstimator(models).poses(Renderer(scene).frame(0)).landmarks
    known = truth(scene)
    coco = [row for row in SKELETONS["blazepose-33"].coco17 if row is not None]
    similarity = oks(
        known.keypoints[0],
        landmarks[:, coco, :2],
        known.visible[0] == VISIBLE,
        known.area[0].astype(np.float32),
    )
    assert similarity.shape == (1, 1)
    assert similarity[0, 0] >= MIN_OKS[view]
