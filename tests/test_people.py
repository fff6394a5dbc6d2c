"""Small and many people, and people carried from frame to frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.errors import UsageError
from annotate.domain.job import Recipe
from annotate.domain.pack import Pack, read_pack
from annotate.domain.poses import Poses
from annotate.domain.skeleton import SKELETONS
from annotate.domain.video import Chunk, Frame
from annotate.inference import Models, load_models
from annotate.inference.session import Model
from annotate.numeric.chunking import SQUARES, restart_every
from annotate.numeric.geometry import FINEST_TILE, TILE_OVERLAP, TILE_STEP, roi_iou, tile_rois
from annotate.pipeline import PoseEstimator
from annotate.pipeline.detector_stage import Candidate, Search, newcomers
from annotate.pipeline.duplicates import distinct_poses
from annotate.pipeline.estimator import LOOK_BACK
from annotate.store import LocalFiles, Store
from annotate.synthetic import Camera, Renderer, Scene, ScenePerson, WayPoint, truth
from annotate.video import decode, probe
from tests.made_poses import made_index
from workers.host import estimator_of

SIZE = 224  # of the detector's input


@pytest.fixture(scope="module")
def models(blazepose_pack: Path) -> Models:
    return load_models(read_pack(blazepose_pack), blazepose_pack)


# Tiles


def test_a_full_hd_frame_has_a_coarse_and_a_fine_level_of_tiles() -> None:
    sides, counts = np.unique(tile_rois(1920, 1080, SIZE)[:, 2].round(), return_counts=True)
    assert sides.tolist() == [320, 784, 1920]
    assert counts.tolist() == [8 * 4, 3 * 2, 1]
    assert counts.sum() == SQUARES["all"], "or chunks would be cut for another cost"


def test_a_small_picture_has_no_tile_smaller_than_the_detectors_input() -> None:
    assert tile_rois(640, 360, SIZE)[:, 2].min() == SIZE
    assert len(tile_rois(200, 100, SIZE)) == 1


def test_a_picture_on_its_side_has_the_same_tiles_on_their_side() -> None:
    upright, lying = tile_rois(1080, 1920, SIZE), tile_rois(1920, 1080, SIZE)
    assert sorted(map(tuple, upright[:, :2].tolist())) == sorted(
        map(tuple, lying[:, 1::-1].tolist())
    )


@given(
    width=st.integers(16, 4000),
    height=st.integers(16, 4000),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_what_fits_into_the_overlap_is_seen_whole_on_every_level(
    width: int, height: int, place: tuple[float, float]
) -> None:
    tiles = tile_rois(width, height, SIZE).astype(np.float64)
    sides = np.unique(tiles[:, 2])[::-1]
    assert sides[0] == max(width, height)
    assert (sides[:-1] / sides[1:] <= TILE_STEP + 1e-3).all()
    assert sides[-1] >= min(sides[0], FINEST_TILE * sides[0], SIZE) - 1e-3
    for side in sides:
        # Anywhere in the picture, a square as large as the overlap, or as the picture allows.
        inner = np.minimum(TILE_OVERLAP * side, [width, height])
        low = np.array(place) * (np.array([width, height]) - inner)
        level = tiles[tiles[:, 2] == side]
        start, stop = level[:, :2] - side / 2, level[:, :2] + side / 2
        assert ((start <= low + 1e-2) & (stop >= low + inner - 1e-2)).all(axis=1).any()


# Duplicates


def test_overlap_of_rois_leaves_rotation_out() -> None:
    roi = np.array([10, 10, 20, 0], np.float32)
    others = np.array(
        [[10, 10, 20, 1], [20, 10, 20, 0], [10, 10, 10, 0], [50, 0, 9, 0]], np.float32
    )
    assert roi_iou(roi, others) == pytest.approx([1, 1 / 3, 1 / 4, 0])


def test_who_is_known_is_not_a_newcomer_and_nobody_is_one_twice() -> None:
    known = [Candidate(0.9, np.array([100, 100, 80, 0], np.float32))]
    found = [
        Candidate(0.8, np.array([x, 100, side, 0.2], np.float32))
        for x, side in ((104, 84), (300, 80), (304, 78), (100, 30))
    ]
    assert [c.roi[0] for c in newcomers(found, known)] == [300, 100]
    assert [c.roi[0] for c in newcomers(found, [])] == [104, 300, 100]


def person(x: float, y: float, height: float) -> FloatArray:
    """A random but fixed figure of 33 landmarks about (x, y)."""
    landmarks = np.ones((33, 5), np.float32)
    figure = np.random.default_rng(5).uniform(-0.5, 0.5, (33, 2)) * [0.4, 1]
    landmarks[:, :2] = [x, y] + height * figure
    return landmarks


SKELETON = SKELETONS["blazepose-33"]


def test_of_one_person_twice_the_better_pose_stands() -> None:
    worse, better = person(100, 100, 200), person(104, 102, 196)
    worse[:, 3] = 0.5
    score = np.array([0.9, 0.8], np.float32)
    assert distinct_poses(np.array([worse, better]), score, SKELETON).tolist() == [1]


def test_two_people_side_by_side_and_a_small_one_before_a_large_one_all_stand() -> None:
    poses = np.array([person(100, 100, 200), person(160, 100, 200), person(100, 100, 60)])
    assert distinct_poses(poses, np.ones(3, np.float32), SKELETON).tolist() == [0, 1, 2]


def test_a_foot_that_was_taken_for_a_person_is_none_but_somebody_small_beside_it_is() -> None:
    body = person(100, 100, 200)
    x, y = body[SKELETON.landmarks.index("left_ankle"), :2]
    foot, small = person(x, y, 25), person(x + 60, y, 25)
    assert distinct_poses(
        np.array([body, foot, small]), np.ones(3, np.float32), SKELETON
    ).tolist() == [0, 2]


def test_landmarks_that_a_skeleton_lacks_do_not_make_two_people_alike() -> None:
    poses = np.array([person(100, 100, 200), person(160, 100, 200)])[:, :25]
    skeleton = SKELETONS["blazepose-25"]
    assert distinct_poses(poses, np.ones(2, np.float32), skeleton).tolist() == [0, 1]


def test_nobody_is_no_duplicate() -> None:
    nobody = distinct_poses(np.zeros((0, 33, 5), np.float32), np.zeros(0, np.float32), SKELETON)
    assert nobody.tolist() == []


# Carrying people from frame to frame: models that read the frame's brightness


GONE, DIM, BRIGHT = 0, 100, 200


@dataclass
class FakeDetector:
    """Sees somebody in the middle of the picture if it is bright."""

    logit: float = 3.0
    runs: int = 0

    def run(self, image: FloatArray) -> list[FloatArray]:
        self.runs += 1
        boxes, scores = np.zeros((1, 2254, 12), np.float32), np.full((1, 2254, 1), -9, np.float32)
        middle = 2 * (14 * 28 + 14)
        boxes[0, middle, 2:4] = 40
        boxes[0, middle, 7] = -40  # keypoint 1, above keypoint 0
        scores[0, middle] = self.logit if image.max() > 0.3 else -9
        return [boxes, scores]


@dataclass
class FakeLandmarks:
    """Sees somebody unless it is dark, to the right of where it is told to look."""

    shift: float = 1.0
    runs: int = 0

    def run(self, image: FloatArray) -> list[FloatArray]:
        self.runs += 1
        raw = np.zeros((39, 5), np.float32)
        raw[:, :2] = np.random.default_rng(3).uniform(60, 200, (39, 2))
        x = 128 + self.shift
        raw[33, :2], raw[34, :2] = (x, 128), (x, 128 - 128 / 1.25)
        return [raw[None], np.array([[float(image.max() > 0.2)]], np.float32)]


def fakes(
    pack: Pack,
    *,
    carries: bool = True,
    logit: float = 3.0,
    shift: float = 1.0,
) -> Models:
    landmark = replace(
        pack.landmark,
        decoder=replace(pack.landmark.decoder, heatmap=None),
        next_roi=pack.landmark.next_roi if carries else None,
    )
    return Models(
        replace(pack, landmark=landmark),
        cast(Model, FakeDetector(logit)),
        cast(Model, FakeLandmarks(shift)),
        provider="cpu",
        placement={},
    )


def grey(levels: Sequence[int], start: int = 0) -> list[Frame]:
    return [
        Frame(start + i, 0, np.full((64, 64, 3), level, np.uint8)) for i, level in enumerate(levels)
    ]


def counts(poses: Poses) -> list[int]:
    return np.diff(poses.offsets).tolist()


@pytest.mark.parametrize(
    ("detect_every", "levels", "expected"),
    [
        (1, [BRIGHT, DIM, GONE, BRIGHT], [1, 0, 0, 1]),
        (2, [BRIGHT, DIM, DIM, DIM], [1, 1, 1, 1]),
        (2, [GONE, BRIGHT, BRIGHT, DIM], [0, 1, 1, 1]),
        (2, [BRIGHT, GONE, DIM, DIM], [1, 0, 0, 0]),
        (2, [BRIGHT, BRIGHT, BRIGHT, BRIGHT], [1, 1, 1, 1]),
    ],
    ids=[
        "the detector alone, on every frame",
        "whom the detector misses is carried on",
        "whom the detector finds late is followed back until he is gone",
        "who is gone is not carried on",
        "who is carried and found again is one person",
    ],
)
def test_who_is_in_each_frame(
    blazepose_pack: Path, detect_every: int, levels: list[int], expected: list[int]
) -> None:
    estimator = PoseEstimator(fakes(read_pack(blazepose_pack)), detect_every=detect_every)
    assert counts(estimator.run(grey(levels), made_index(len(levels)))) == expected


def test_frames_that_stand_alone_are_as_one_by_one(blazepose_pack: Path) -> None:
    estimator = PoseEstimator(fakes(read_pack(blazepose_pack)))
    levels = [GONE, BRIGHT, DIM, BRIGHT, BRIGHT, GONE, BRIGHT]
    frames = list(grey(levels))
    together = estimator.run(frames, made_index(len(levels)))
    alone = [estimator.poses(frame.rgb) for frame in frames]
    assert counts(together) == [len(one.score) for one in alone] == [0, 1, 0, 1, 1, 0, 1]
    assert np.array_equal(together.roi, np.concatenate([one.roi for one in alone]))
    assert np.array_equal(together.appearance, np.concatenate([one.appearance for one in alone]))


def test_nobody_is_followed_back_farther_than_frames_are_kept(blazepose_pack: Path) -> None:
    estimator = PoseEstimator(fakes(read_pack(blazepose_pack)), detect_every=20)
    found = counts(estimator.run(grey([DIM] * 20 + [BRIGHT]), made_index(21)))
    assert found == [0] * (20 - LOOK_BACK) + [1] * (LOOK_BACK + 1)


def test_a_carried_person_is_looked_for_where_he_was_seen_last(blazepose_pack: Path) -> None:
    estimator = PoseEstimator(fakes(read_pack(blazepose_pack)), detect_every=10)
    poses = estimator.run(grey([BRIGHT, DIM, DIM]), made_index(3))
    side = poses.roi[0, 2]
    assert poses.roi[:, 2] == pytest.approx(side)
    assert np.diff(poses.roi[:, 0]) == pytest.approx(side / 256, rel=1e-3)
    assert poses.detection_score == pytest.approx(poses.detection_score[0])


def test_carried_people_are_the_same_however_the_video_is_cut(blazepose_pack: Path) -> None:
    pack = read_pack(blazepose_pack)
    restart = restart_every(7)
    levels = np.random.default_rng(0).choice([GONE, DIM, BRIGHT], 3 * restart, p=[0.05, 0.8, 0.15])
    index = made_index(len(levels))
    whole = PoseEstimator(fakes(pack), detect_every=7).run(grey(levels.tolist()), index)
    parts = [
        PoseEstimator(fakes(pack), detect_every=7).run(
            grey(levels[start : start + restart].tolist(), start), index
        )
        for start in range(0, len(levels), restart)
    ]
    assert {0, 1} <= set(counts(whole))
    assert np.array_equal(whole.roi, np.concatenate([part.roi for part in parts]))
    assert np.array_equal(whole.landmarks, np.concatenate([part.landmarks for part in parts]))
    assert counts(whole) == [count for part in parts for count in counts(part)]


def test_a_chunk_that_begins_between_restarts_is_refused(blazepose_pack: Path) -> None:
    estimator = PoseEstimator(fakes(read_pack(blazepose_pack)), detect_every=5)
    with pytest.raises(ValueError, match="frame 5"):
        estimator.run(grey([BRIGHT], start=5), made_index(10))


def test_the_detector_runs_only_on_its_frames(blazepose_pack: Path) -> None:
    models = fakes(read_pack(blazepose_pack))
    PoseEstimator(models, detect_every=5).run(grey([BRIGHT] * 12), made_index(12))
    assert cast(FakeDetector, models.detector).runs == 3


def test_a_pack_without_auxiliary_landmarks_needs_the_detector_on_every_frame(
    blazepose_pack: Path,
) -> None:
    models = fakes(read_pack(blazepose_pack), carries=False)
    with pytest.raises(UsageError) as raised:
        PoseEstimator(models, detect_every=2)
    assert "--detect-every 1" in raised.value.hint
    assert counts(PoseEstimator(models, people="all").run(grey([BRIGHT]), made_index(1))) == [1]


@pytest.mark.parametrize(
    ("detect_every", "shift", "looks"),
    [(1, 40, 1), (5, 40, 2), (5, 1, 1)],
    ids=["MediaPipe looks once", "the ROI moved", "the ROI stayed"],
)
def test_a_newcomer_is_looked_at_again_where_the_roi_moved(
    blazepose_pack: Path, detect_every: int, shift: float, looks: int
) -> None:
    models = fakes(read_pack(blazepose_pack), shift=shift)
    poses = PoseEstimator(models, detect_every=detect_every).run(grey([BRIGHT]), made_index(1))
    assert cast(FakeLandmarks, models.landmark).runs == looks
    # Where the fake detector's keypoint 0 is.
    detected = (14.5 / 28) * 64
    moved = (looks - 1) * shift / 256 * poses.roi[0, 2]
    assert poses.roi[0, 0] == pytest.approx(detected + moved, abs=1e-3)


@pytest.mark.parametrize(("logit", "squares"), [(0.2, "whole"), (3.0, "every")])
def test_a_weak_detection_counts_in_the_whole_picture_only(
    blazepose_pack: Path, logit: float, squares: str
) -> None:
    search = Search(fakes(read_pack(blazepose_pack), logit=logit), "all")
    (found,) = search([search.views(np.full((1000, 1000, 3), BRIGHT, np.uint8))])
    assert len(found) == (1 if squares == "whole" else len(tile_rois(1000, 1000, SIZE)))


# Settings


def test_who_is_looked_for_and_how_often_are_part_of_the_recipe() -> None:
    recipes = [
        Recipe("blazepose-full", "ab"),
        Recipe("blazepose-full", "ab", people="all"),
        Recipe("blazepose-full", "ab", detect_every=5),
    ]
    assert len({recipe.digest for recipe in recipes}) == 3


def test_a_recipes_settings_reach_the_workers_pipeline(
    blazepose_pack: Path, tmp_path: Path
) -> None:
    store = Store(LocalFiles(tmp_path))
    digest = read_pack(blazepose_pack).digest
    store.add_pack(blazepose_pack, digest)
    dark = grey([GONE], start=5)
    alone = estimator_of(store, Recipe("blazepose-full", digest))
    assert counts(alone.run(dark, made_index(10))) == [0]
    carrying = estimator_of(store, Recipe("blazepose-full", digest, detect_every=5))
    with pytest.raises(ValueError, match="frame 5"):
        carrying.run(dark, made_index(10))
    assert estimator_of(store, Recipe("blazepose-full", digest, detect_every=5)) is carrying


# The models themselves


def street(heights: Sequence[float]) -> Scene:
    """People of these heights in pixels, side by side in a frame of 1920x1080."""
    people = []
    for number, height in enumerate(heights):
        z = 1.4 * 1080 * 1.75 / height
        x = ((number + 0.5) / len(heights) - 0.5) * 1920 / (1.4 * 1080) * z
        people.append(ScenePerson((WayPoint(0, x, z),), facing_deg=30.0 * number))
    camera = Camera(height_m=2.0, focal=1.4)
    return Scene(1920, 1080, (0.0,), tuple(people), camera=camera)


def nearest(landmarks: FloatArray, known: NDArray[np.float32]) -> NDArray[np.float64]:
    """Distance of each person from the nearest pose, mean of the body's corners, in pixels."""
    corners = [11, 12, 23, 24]
    apart = known[:, None, corners] - landmarks[None][:, :, corners, :2]
    return np.linalg.norm(apart.mean(axis=2), axis=2).min(axis=1)


def test_tiles_find_people_of_80_to_120_pixels_in_full_hd(models: Models) -> None:
    heights = [82, 90, 98, 106, 112, 118]
    scene = street(heights)
    rgb, known = Renderer(scene).frame(0), truth(scene).landmarks[0]
    assert len(PoseEstimator(models).poses(rgb).score) == 0
    found = PoseEstimator(models, people="all").poses(rgb)
    assert len(found.score) == len(heights)
    assert (nearest(found.landmarks, known) < 0.05 * np.array(heights)).all()
    assert (np.diff(found.detection_score) <= 0).all()


def test_both_people_in_front_are_held_once_the_detector_has_seen_them(
    shared_data: Path, models: Models
) -> None:
    path = shared_data / "videos" / "two_people.mp4"
    index = probe(path)
    frames = decode(path, index, Chunk(0, len(index)))
    poses = PoseEstimator(models, detect_every=5).run(frames, index)
    middle = poses.landmarks[:, [11, 12, 23, 24], :2].mean(axis=1)
    frame = np.repeat(poses.frame_index, np.diff(poses.offsets))
    for place, reach in (((175, 960), 60), ((575, 670), 110)):
        held = frame[(np.abs(middle - place) < reach).all(axis=1)]
        assert len(held) == len(np.unique(held)) >= 95
    assert len(poses.score) <= 200
