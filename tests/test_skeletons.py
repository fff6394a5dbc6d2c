"""Landmarks to keypoints, and how alike two poses are."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval, Params

from annotate.domain.keypoint_sets import KEYPOINT_SETS, KeypointSet
from annotate.domain.skeleton import (
    COCO_EDGES,
    COCO_KEYPOINTS,
    COCO_SIGMAS,
    SKELETONS,
    coco_keypoints,
    coco_visibility,
)
from annotate.numeric.similarity import oks

SAME_OKS = 1e-5  # float32 against pycocotools' float64


def test_coco_keypoints_are_the_landmarks_that_the_models_documentation_numbers() -> None:
    # Numbers of BlazePose's topology; the face's inner and outer eye corners are not COCO's eyes.
    assert SKELETONS["blazepose-33"].coco17 == (
        *(0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28),
    )


@pytest.mark.parametrize("name", SKELETONS)
def test_a_skeleton_names_as_many_landmarks_as_it_says(name: str) -> None:
    skeleton = SKELETONS[name]
    assert skeleton.name == name
    assert len(set(skeleton.landmarks)) == len(skeleton.landmarks) == int(name.split("-")[1])


@pytest.mark.parametrize("name", SKELETONS)
def test_a_body_that_is_mirrored_twice_is_itself(name: str) -> None:
    mirror = np.array(SKELETONS[name].mirror)
    assert (mirror[mirror] == np.arange(len(mirror))).all()
    names = SKELETONS[name].landmarks
    assert names[mirror[names.index("left_wrist")]] == "right_wrist"
    assert mirror[names.index("nose")] == names.index("nose")


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("halpe-26", {17: "head", 19: "hip", 20: "left_big_toe", 25: "right_heel"}),
        ("wholebody-133", {17: "left_big_toe", 22: "right_heel", 91: "left_hand_root"}),
    ],
)
def test_landmarks_beyond_cocos_follow_its_17(name: str, others: dict[int, str]) -> None:
    skeleton = SKELETONS[name]
    assert skeleton.landmarks[:17] == COCO_KEYPOINTS
    assert skeleton.coco17 == tuple(range(17))
    assert {place: skeleton.landmarks[place] for place in others} == others


def test_the_mirrored_face_is_that_of_the_68_points_of_ibug() -> None:
    # Pairs of the iBUG annotation, from 1: jaw, brows, nose, eyes, outer and inner lips.
    pairs = [
        *[(1, 17), (2, 16), (8, 10), (18, 27), (22, 23), (32, 36), (33, 35), (37, 46), (38, 45)],
        *[(40, 43), (41, 48), (42, 47), (49, 55), (51, 53), (56, 60), (57, 59), (61, 65)],
        *[(62, 64), (66, 68), (9, 9), (28, 28), (34, 34), (52, 52), (58, 58), (63, 63), (67, 67)],
    ]
    skeleton = SKELETONS["wholebody-133"]
    for one, other in pairs:
        assert skeleton.mirror[22 + one] == 22 + other
        assert skeleton.mirror[22 + other] == 22 + one
    assert skeleton.landmarks[23:91] == tuple(f"face-{n}" for n in range(68))


@pytest.mark.parametrize("keypoints", KEYPOINT_SETS.values(), ids=lambda one: one.name)
def test_a_set_of_keypoints_is_mirrored_and_drawn_like_its_skeleton(
    keypoints: KeypointSet,
) -> None:
    mirror = keypoints.mirror
    assert all(mirror[mirror[place]] == place for place in range(len(mirror)))
    drawn = {frozenset(edge) for edge in keypoints.edges}
    assert len(drawn) == len(keypoints.edges)
    assert {frozenset(mirror[place] for place in edge) for edge in drawn} == drawn


@pytest.mark.parametrize(
    ("name", "feet"),
    [
        ("blazepose-33", (29, 30, 31, 32)),
        ("halpe-26", (24, 25, 20, 21)),
        ("wholebody-133", (19, 22, 17, 20)),
        ("coco-17", (None, None, None, None)),
    ],
)
def test_heels_and_toes_are_those_of_every_skeleton_with_feet(
    name: str, feet: tuple[int | None, ...]
) -> None:
    assert KEYPOINT_SETS["body-feet"].places(SKELETONS[name])[17:] == feet


def test_blazeposes_toes_are_big_toes() -> None:
    halpe = KEYPOINT_SETS["halpe26"]
    places = dict(zip(halpe.names, halpe.places(SKELETONS["blazepose-33"]), strict=True))
    assert (places["left_big_toe"], places["right_big_toe"]) == (31, 32)
    assert (places["left_small_toe"], places["head"]) == (None, None)


def test_hands_and_feet_are_drawn_from_the_wrist_and_the_ankle_on() -> None:
    whole = KEYPOINT_SETS["wholebody133"]
    drawn = {(whole.names[a], whole.names[b]) for a, b in whole.edges}
    assert len(drawn) == len(COCO_EDGES) + 6 + 40
    assert {("left_hand_root", "left_thumb1"), ("right_ring_finger3", "right_ring_finger4")} < drawn
    assert ("left_ankle", "left_small_toe") in drawn


def test_the_upper_body_skeleton_has_no_knees_and_no_ankles() -> None:
    whole, upper = SKELETONS["blazepose-33"].coco17, SKELETONS["blazepose-25"].coco17
    legs = [k for k, name in enumerate(COCO_KEYPOINTS) if name.endswith(("knee", "ankle"))]
    assert [k for k in range(17) if upper[k] is None] == legs
    assert [upper[k] for k in range(17) if k not in legs] == [
        whole[k] for k in range(17) if k not in legs
    ]


def test_sigmas_are_those_of_cocos_evaluation() -> None:
    np.testing.assert_allclose(COCO_SIGMAS, Params("keypoints").kpt_oks_sigmas, rtol=1e-6)


def test_names_and_edges_are_those_of_cocos_own_file(shared_data: Path) -> None:
    (person,) = json.loads((shared_data / "coco" / "person_keypoints.json").read_text())[
        "categories"
    ]
    assert list(COCO_KEYPOINTS) == person["keypoints"]
    assert [[a + 1, b + 1] for a, b in COCO_EDGES] == person["skeleton"]


def test_keypoints_take_place_visibility_and_presence_from_their_landmarks() -> None:
    landmarks = np.arange(2 * 33 * 5, dtype=np.float32).reshape(2, 33, 5)
    keypoints = coco_keypoints(landmarks, SKELETONS["blazepose-33"])
    right_hip = COCO_KEYPOINTS.index("right_hip")
    np.testing.assert_array_equal(keypoints[1, right_hip], landmarks[1, 24, [0, 1, 3, 4]])


def test_a_keypoint_that_the_skeleton_lacks_is_all_zeros() -> None:
    landmarks = np.ones((3, 25, 5), np.float32)
    keypoints = coco_keypoints(landmarks, SKELETONS["blazepose-25"])
    assert (keypoints[:, :13] == 1).all()
    assert (keypoints[:, 13:] == 0).all()
    assert (coco_visibility(keypoints, 10, 10)[:, 13:] == 0).all()


@pytest.mark.parametrize(
    ("x", "y", "visibility", "presence", "v"),
    [
        pytest.param(5, 5, 0.9, 0.9, 2, id="visible"),
        pytest.param(5, 5, 0.5, 0.5, 2, id="just visible"),
        pytest.param(5, 5, 0.4, 0.9, 1, id="in the picture but hidden"),
        pytest.param(5, 5, 0.4, 0.4, 0, id="not in the picture, says the model"),
        pytest.param(-0.1, 5, 0.9, 0.9, 0, id="left of the picture"),
        pytest.param(5, -0.1, 0.9, 0.9, 0, id="above the picture"),
        pytest.param(20, 5, 0.9, 0.9, 0, id="right of the picture"),
        pytest.param(5, 10, 0.9, 0.9, 0, id="below the picture"),
        pytest.param(0, 0, 0.9, 0.9, 2, id="in the first corner"),
        pytest.param(19.9, 9.9, 0.9, 0.9, 2, id="in the last corner"),
    ],
)
def test_v_of_a_keypoint_that_is(
    x: float, y: float, visibility: float, presence: float, v: int
) -> None:
    keypoints = np.tile(np.array([x, y, visibility, presence], np.float32), (1, 17, 1))
    assert (coco_visibility(keypoints, 20, 10) == v).all()


def test_oks_is_that_of_pycocotools() -> None:
    random = np.random.default_rng(5)
    true = random.uniform(50, 400, (4, 17, 2)).astype(np.float32)
    found = (true[[0, 1, 2, 3, 0]] + random.normal(0, 15, (5, 17, 2))).astype(np.float32)
    labelled = random.random((4, 17)) < 0.7
    area = random.uniform(5e3, 5e4, 4).astype(np.float32)
    theirs = _pycocotools_oks(true, labelled, area, found)
    assert theirs.max() > 0.5
    np.testing.assert_allclose(oks(true, found, labelled, area), theirs, atol=SAME_OKS)


def test_oks_of_nothing_labelled_is_zero() -> None:
    same = np.ones((1, 17, 2), np.float32)
    nothing = np.zeros((1, 17), np.bool_)
    assert oks(same, same, nothing, np.ones(1, np.float32)).tolist() == [[0]]


def _pycocotools_oks(
    true: np.ndarray, labelled: np.ndarray, area: np.ndarray, found: np.ndarray
) -> np.ndarray:
    """(people, poses)."""
    known, answer = COCO(), COCO()
    common = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "iscrowd": 0}
    known.dataset = {
        "images": [{"id": 1}],
        "categories": [{"id": 1}],
        "annotations": [
            common
            | {
                "id": row + 1,
                "area": float(area[row]),
                "num_keypoints": 1,
                "keypoints": np.column_stack([true[row], labelled[row]]).ravel().tolist(),
            }
            for row in range(len(true))
        ],
    }
    answer.dataset = known.dataset | {
        "annotations": [
            # Falling scores keep the order.
            common
            | {
                "id": row + 1,
                "area": 1.0,
                "score": 1 - row / 10,
                "keypoints": np.column_stack([found[row], np.ones(17)]).ravel().tolist(),
            }
            for row in range(len(found))
        ]
    }
    known.createIndex()
    answer.createIndex()
    run = COCOeval(known, answer, "keypoints")
    run._prepare()
    oks: NDArray[np.float64] = run.computeOks(1, 1).T
    return oks
