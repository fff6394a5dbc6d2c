"""Which people are in each frame: detection, tracking, and the frames where it restarts."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.domain.errors import UsageError
from annotate.domain.job import Recipe
from annotate.domain.pack import Pack, read_pack
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.inference.session import Model
from annotate.numeric.chunking import restart_every
from annotate.numeric.geometry import tile_rois
from annotate.numeric.rgb_picture import RgbPicture
from annotate.pipeline import PoseEstimator
from annotate.pipeline.detector_stage import DetectorStage
from annotate.store import LocalFiles, Store
from tests.made_models import BRIGHT, DIM, GONE, FakeDetector, FakeLandmarks, counts, fakes, grey
from tests.made_poses import made_index
from workers.host import estimator_of

SETTINGS = PipelineSettings()


@pytest.fixture(scope="module")
def pack(blazepose_pack: Path) -> Pack:
    return read_pack(blazepose_pack)


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
        "a person that the detector misses is tracked on",
        "a person detected late is tracked back to where they appear",
        "a person who is gone is not tracked on",
        "a person who is tracked and detected again is one person",
    ],
)
def test_which_people_are_in_each_frame(
    pack: Pack, detect_every: int, levels: list[int], expected: list[int]
) -> None:
    estimator = PoseEstimator(fakes(pack), detect_every=detect_every)
    assert counts(estimator.run(grey(levels), made_index(len(levels)))) == expected


def test_frames_in_a_batch_are_as_one_by_one(pack: Pack) -> None:
    estimator = PoseEstimator(fakes(pack))
    levels = [GONE, BRIGHT, DIM, BRIGHT, BRIGHT, GONE, BRIGHT]
    frames = grey(levels)
    together = estimator.run(frames, made_index(len(levels)))
    alone = [estimator.poses(frame.rgb) for frame in frames]
    assert counts(together) == [len(one.score) for one in alone] == [0, 1, 0, 1, 1, 0, 1]
    assert np.array_equal(together.roi, np.concatenate([one.roi for one in alone]))
    assert np.array_equal(together.appearance, np.concatenate([one.appearance for one in alone]))


def test_a_person_is_tracked_back_through_ten_frames(pack: Pack) -> None:
    estimator = PoseEstimator(fakes(pack), detect_every=20)
    found = counts(estimator.run(grey([DIM] * 20 + [BRIGHT]), made_index(21)))
    assert found == [0] * 10 + [1] * 11


def test_people_are_forgotten_after_300_frames(pack: Pack) -> None:
    """So that chunks can begin there; until then, one whom the detector misses is tracked."""
    estimator = PoseEstimator(fakes(pack), detect_every=50)
    found = counts(estimator.run(grey([BRIGHT] + [DIM] * 304), made_index(305)))
    assert found == [1] * 300 + [0] * 5


def test_a_tracked_person_is_expected_where_they_were_last_seen(pack: Pack) -> None:
    estimator = PoseEstimator(fakes(pack), detect_every=10)
    poses = estimator.run(grey([BRIGHT, DIM, DIM]), made_index(3))
    side = poses.roi[0, 2]
    assert poses.roi[:, 2] == pytest.approx(side)
    assert np.diff(poses.roi[:, 0]) == pytest.approx(side / 256, rel=1e-3)
    assert poses.detection_score == pytest.approx(poses.detection_score[0])


def test_tracked_people_are_the_same_however_the_video_is_cut(pack: Pack) -> None:
    restart = restart_every(7, SETTINGS.remembered_frames)
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


def test_a_chunk_that_begins_between_restarts_is_refused(pack: Pack) -> None:
    estimator = PoseEstimator(fakes(pack), detect_every=5)
    with pytest.raises(ValueError, match="frame 5"):
        estimator.run(grey([BRIGHT], start=5), made_index(10))


def test_the_detector_runs_only_on_its_frames(pack: Pack) -> None:
    models = fakes(pack)
    PoseEstimator(models, detect_every=5).run(grey([BRIGHT] * 12), made_index(12))
    assert cast(FakeDetector, models.detector).runs == 3


def test_a_pack_without_a_rule_for_the_next_roi_needs_the_detector_on_every_frame(
    pack: Pack,
) -> None:
    models = fakes(pack, tracks=False)
    with pytest.raises(UsageError) as raised:
        PoseEstimator(models, detect_every=2)
    assert "--detect-every 1" in raised.value.hint
    assert counts(PoseEstimator(models, people="all").run(grey([BRIGHT]), made_index(1))) == [1]


@pytest.mark.parametrize(
    ("detect_every", "shift", "looks"),
    [(1, 40, 1), (5, 40, 2), (5, 1, 1)],
    ids=["MediaPipe looks once", "the ROI moved", "the ROI stayed"],
)
def test_a_new_person_is_looked_at_again_where_the_roi_moved(
    pack: Pack, detect_every: int, shift: float, looks: int
) -> None:
    models = fakes(pack, shift=shift)
    poses = PoseEstimator(models, detect_every=detect_every).run(grey([BRIGHT]), made_index(1))
    assert cast(FakeLandmarks, models.landmark).runs == looks
    # The place of the fake detector's alignment point 0.
    detected = (14.5 / 28) * 64
    moved = (looks - 1) * shift / 256 * poses.roi[0, 2]
    assert poses.roi[0, 0] == pytest.approx(detected + moved, abs=1e-3)


@pytest.mark.parametrize(("logit", "tiles"), [(0.2, "whole"), (3.0, "every")])
def test_a_weak_detection_counts_in_the_whole_picture_only(
    pack: Pack, logit: float, tiles: str
) -> None:
    stage = DetectorStage(fakes(pack, logit=logit), "all", SETTINGS)
    picture = RgbPicture(np.full((1000, 1000, 3), BRIGHT, np.uint8))
    (found,) = stage.candidates([stage.views(picture)])
    every = len(tile_rois(1000, 1000, 224, SETTINGS))
    assert len(found) == (1 if tiles == "whole" else every)


def test_a_recipes_settings_reach_the_workers_pipeline(
    blazepose_pack: Path, pack: Pack, tmp_path: Path
) -> None:
    store = Store(LocalFiles(tmp_path))
    store.add_pack(blazepose_pack, pack.digest)
    dark = grey([GONE], start=5)
    alone = estimator_of(store, Recipe("blazepose-full", pack.digest))
    assert counts(alone.run(dark, made_index(10))) == [0]
    tracking = estimator_of(store, Recipe("blazepose-full", pack.digest, detect_every=5))
    with pytest.raises(ValueError, match="frame 5"):
        tracking.run(dark, made_index(10))
    assert estimator_of(store, Recipe("blazepose-full", pack.digest, detect_every=5)) is tracking


@dataclass
class Crowd:
    """A detector that sees as many people as there is room for, side by side."""

    people: int

    def run(self, _image: FloatArray) -> list[FloatArray]:
        boxes, scores = np.zeros((1, 2254, 12), np.float32), np.full((1, 2254, 1), -9, np.float32)
        for number in range(self.people):
            anchor = 2 * (14 * 28 + 1 + 3 * number)
            boxes[0, anchor, 2:4] = 8
            boxes[0, anchor, 7] = -8
            scores[0, anchor] = 3 - 0.1 * number
        return [boxes, scores]


@pytest.mark.parametrize("detect_every", [1, 2])
@pytest.mark.parametrize(("most", "crowded"), [(5, []), (4, [0, 1, 2, 3])])
def test_of_too_many_people_the_surest_are_annotated(
    pack: Pack, detect_every: int, most: int, crowded: list[int]
) -> None:
    models = replace(fakes(pack, shift=0.0), detector=cast(Model, Crowd(5)))
    settings = replace(SETTINGS, most_people=most)
    estimator = PoseEstimator(models, detect_every=detect_every, settings=settings)
    noted: list[int] = []
    poses = estimator.run(grey([BRIGHT] * 4), made_index(4), crowded=noted)
    assert counts(poses) == [most] * 4
    assert noted == crowded[::detect_every]
    surest = 1 / (1 + np.exp(-(3 - 0.1 * np.arange(most))))
    assert np.sort(poses.detection_score[:most])[::-1] == pytest.approx(surest, abs=1e-4)
    assert len(estimator.poses(grey([BRIGHT])[0].rgb).score) == most
