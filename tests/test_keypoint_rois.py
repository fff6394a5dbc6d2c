"""A pack without auxiliary landmarks: masks, the next ROI from keypoints, tracking by it."""

from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.domain.landmark_kinds import BlazePose
from annotate.domain.model_spec import LandmarkSpec
from annotate.domain.pack import Pack
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.roi_rules import RoiFromKeypoints
from annotate.domain.video import Frame
from annotate.inference import Models
from annotate.inference.session import Model
from annotate.numeric.chunking import restart_every
from annotate.numeric.rgb_picture import RgbPicture
from annotate.packs.person_detectors import yolox_nano_spec
from annotate.pipeline import PoseEstimator
from annotate.pipeline.crops import mask_outside, model_crop
from annotate.pipeline.roi_rules import next_roi
from tests.made_models import counts
from tests.made_poses import made_index

SIZE = 128
SPEC = LandmarkSpec(
    file="landmarks.onnx",
    sha256="",
    input="image",
    layout="NHWC",
    size=(SIZE, SIZE),
    value_range=(0.0, 255.0),
    decoder=BlazePose("landmarks", ("x", "y", "visibility"), 1.0, logits=False, flag="flag"),
    count=17,
    min_score=0.0,
    mask=1.25,
    next_roi=RoiFromKeypoints(),
    second_look=False,
)
PACK = Pack("made", "coco-17", "a test", yolox_nano_spec("boxes.onnx", "", 1.25), SPEC)


def pose(confidence: list[float]) -> FloatArray:
    """17 keypoints on a diagonal from (0, 0) to (32, 64)."""
    landmarks = np.ones((17, 5), np.float32)
    landmarks[:, 0], landmarks[:, 1] = np.arange(17) * 2, np.arange(17) * 4
    landmarks[:, 3] = confidence
    return landmarks


def test_the_next_roi_holds_the_confident_keypoints() -> None:
    roi = next_roi(pose([0.1] * 4 + [0.9] * 13), SPEC)
    assert roi is not None
    assert roi.tolist() == [20, 40, 1.25 * 48, 0]


@pytest.mark.parametrize(
    ("confidence", "goes_on"),
    [
        ([0.9] * 5 + [0.1] * 12, True),
        ([0.9] * 4 + [0.1] * 13, False),
        ([0.26] * 17, True),
        ([0.24] * 17, False),
    ],
    ids=["five sure ones", "four sure ones", "a mean above the least", "a mean below it"],
)
def test_tracking_goes_on_only_with_enough_confident_keypoints(
    confidence: list[float], goes_on: bool
) -> None:
    assert (next_roi(pose(confidence), SPEC) is not None) == goes_on


def test_a_masked_crop_is_black_outside_the_box() -> None:
    rgb = np.full((200, 200, 3), 200, np.uint8)
    roi = np.array([100, 100, 64, 0], np.float32)
    box = np.array([84, 68, 116, 148], np.float32)
    crop = model_crop(RgbPicture(rgb), roi, SPEC, partial(mask_outside, roi=roi, box=box))
    inside = np.zeros((SIZE, SIZE), bool)
    inside[:, 32:96] = True
    assert ((crop[:, :, 0] == 200) == inside).all()
    assert (crop[:, :, 0][~inside] == 0).all()


@dataclass
class WhiteBox:
    """In place of a detector: a person is where the picture is white."""

    def run(self, image: FloatArray) -> list[FloatArray]:
        raw = np.zeros((1, 3549, 85), np.float32)
        rows, columns = np.nonzero(image[:, :, 0] > 230)
        if len(rows):
            low, high = np.array([columns.min(), rows.min()]), np.array([columns.max(), rows.max()])
            raw[0, 0, :2], raw[0, 0, 2:4] = (low + high) / 16, np.log((high - low + 1) / 8)
            raw[0, 0, 4:6] = 1
        return [raw]


@dataclass
class BrightBody:
    """In place of a landmark model: keypoints on the diagonal of what is not dark in the crop."""

    def run(self, image: FloatArray) -> list[FloatArray]:
        raw = np.zeros((17, 3), np.float32)
        rows, columns = np.nonzero(image[:, :, 0] > 150)
        if len(rows):
            for axis, places in enumerate((columns, rows)):
                raw[:, axis] = np.linspace(places.min(), places.max() + 1, 17)
            raw[:, 2] = 0.9
        return [raw[None], np.ones((1, 1), np.float32)]


def walk(levels: list[int], start: int = 0) -> list[Frame]:
    """A body 40 px wide and 80 px high that moves by 2 px a frame; its grey level in each frame."""
    frames = []
    for n, level in enumerate(levels, start):
        rgb = np.zeros((208, 416, 3), np.uint8)
        x = 40 + 2 * n % 300
        rgb[60:140, x : x + 40] = level
        frames.append(Frame(n, 0, RgbPicture(rgb)))
    return frames


SEEN, UNDETECTED, GONE = 255, 200, 0


def estimator(detect_every: int) -> PoseEstimator:
    models = Models(
        PACK, cast(Model, WhiteBox()), cast(Model, BrightBody()), provider="cpu", placement={}
    )
    return PoseEstimator(models, people="all", detect_every=detect_every)


@pytest.mark.parametrize(
    ("every", "levels", "expected"),
    [
        (1, [SEEN, UNDETECTED, SEEN], [1, 0, 1]),
        (2, [SEEN, UNDETECTED, UNDETECTED, UNDETECTED], [1, 1, 1, 1]),
        (2, [UNDETECTED, UNDETECTED, SEEN, SEEN], [1, 1, 1, 1]),
        (2, [SEEN, GONE, UNDETECTED, UNDETECTED], [1, 0, 0, 0]),
    ],
    ids=["alone", "tracked on", "tracked back", "lost"],
)
def test_people_are_tracked_by_their_keypoints(
    every: int, levels: list[int], expected: list[int]
) -> None:
    poses = estimator(every).run(walk(levels), made_index(len(levels)))
    assert counts(poses) == expected


def test_people_tracked_by_keypoints_are_the_same_however_the_video_is_cut() -> None:
    restart = restart_every(7, PipelineSettings().remembered_frames)
    chosen = np.random.default_rng(0).choice(
        [GONE, UNDETECTED, SEEN], 2 * restart, p=[0.05, 0.8, 0.15]
    )
    levels = [int(level) for level in chosen]
    index = made_index(len(levels))
    whole = estimator(7).run(walk(levels), index)
    parts = [
        estimator(7).run(walk(levels[start : start + restart], start), index)
        for start in (0, restart)
    ]
    assert {0, 1} <= set(counts(whole))
    for column in ("roi", "landmarks", "score"):
        joined = np.concatenate([getattr(part, column) for part in parts])
        assert np.array_equal(getattr(whole, column), joined)


def test_a_pack_with_a_person_detector_beside_its_own_is_read_as_written() -> None:
    pack = replace(PACK, person_detector=yolox_nano_spec("more.onnx", "", 1.5))
    assert Pack.from_json(pack.to_json()) == pack
    assert list(pack.stages) == ["detector", "landmark", "person_detector"]
