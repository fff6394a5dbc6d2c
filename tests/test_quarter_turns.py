"""ROIs, letterboxes and masks that are turned by quarter turns."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from annotate.domain.model_spec import Padding
from annotate.numeric.geometry import (
    apply_affine,
    crop_to_picture,
    letterbox_roi,
    quarter_turned,
    rois_from_boxes,
    turned_letterbox_roi,
)
from annotate.numeric.rgb_picture import RgbPicture
from annotate.pipeline.crops import mask_outside, model_crop
from annotate.pipeline.detector_pass import Candidate
from annotate.pipeline.roi_rules import next_roi
from annotate.pipeline.turns import turned_candidates
from tests.test_keypoint_rois import SPEC, pose

QUARTER = np.pi / 2


def test_an_roi_turned_in_a_narrow_crop_is_as_large_as_the_person_needs() -> None:
    size = (96, 128)
    lying = np.array([0, 0, 80, 40], np.float32)
    (upright,) = rois_from_boxes(lying[None], size, 1.25)
    assert upright[2] == pytest.approx(1.25 * 80 * 128 / 96)
    turned = quarter_turned(upright, lying[2:] - lying[:2], size, 1)
    assert turned.tolist() == pytest.approx([40, 20, 1.25 * 80, QUARTER])
    back = quarter_turned(turned, np.array([40, 80], np.float32), size, 3)
    assert back.tolist() == pytest.approx(upright.tolist())


def test_a_detection_that_is_turned_itself_is_turned_on() -> None:
    size, lying = (96, 128), np.array([0, 0, 80, 40], np.float32)
    (upright,) = rois_from_boxes(lying[None], size, 1.25)
    first = quarter_turned(upright, lying[2:] - lying[:2], size, 1)
    others = turned_candidates(Candidate(0.9, first, lying), size)
    assert [one.roi[2] for one in others] == pytest.approx([upright[2], first[2], upright[2]])
    assert [one.roi[3] for one in others] == pytest.approx([np.pi, -QUARTER, 0])


def test_the_next_roi_is_turned_as_the_last_one() -> None:
    narrow = replace(SPEC, size=(96, 128))
    landmarks = pose([0.9] * 17)  # 32 wide and 64 high
    roi = next_roi(landmarks, narrow, 1)
    assert roi is not None
    assert roi.tolist() == pytest.approx([16, 32, 1.25 * 64 * 128 / 96, QUARTER])


def test_all_of_a_tracked_persons_roi_is_kept_in_the_other_rotations() -> None:
    roi = np.array([50, 50, 100, 0], np.float32)
    turned = turned_candidates(Candidate(0.9, roi), (96, 128))
    assert [one.roi[2] for one in turned] == pytest.approx([100 * 128 / 96, 100, 100 * 128 / 96])
    boxed = turned_candidates(Candidate(0.9, roi, np.array([10, 10, 40, 90], np.float32)), (64, 64))
    assert [one.roi[2] for one in boxed] == [100, 100, 100]
    assert [one.roi[3] for one in boxed] == pytest.approx([QUARTER, np.pi, -QUARTER])


@pytest.mark.parametrize("padding", ["centred", "top-left"])
@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("size", [(64, 64), (96, 64)])
def test_a_turned_letterbox_holds_the_picture_as_an_upright_one_holds_the_turned_picture(
    padding: Padding, turns: int, size: tuple[int, int]
) -> None:
    width, height = 200, 100
    roi = turned_letterbox_roi(width, height, size, padding, turns)
    edges = (height, width) if turns % 2 else (width, height)
    upright = letterbox_roi(*edges, size, padding)
    # The picture's corner that is in the crop where the upper left one of the turned picture is.
    corner = np.array([[width, 0], [width, height], [0, height]][turns - 1], np.float32)
    where = np.linalg.inv(np.vstack([crop_to_picture(roi, size), [0, 0, 1]]))[:2]
    plain = np.linalg.inv(np.vstack([crop_to_picture(upright, size), [0, 0, 1]]))[:2]
    assert apply_affine(where, corner) == pytest.approx(
        apply_affine(plain, np.zeros(2, np.float32)), abs=1e-4
    )
    assert roi[2] == upright[2]


def test_a_turned_crop_is_black_outside_the_box() -> None:
    rgb = np.full((200, 200, 3), 200, np.uint8)
    box = np.array([90, 68, 116, 132], np.float32)
    for turns in (1, 2, 3):
        roi = np.array([100, 100, 64, turns * QUARTER], np.float32)
        masked = model_crop(RgbPicture(rgb), roi, SPEC, partial(mask_outside, roi=roi, box=box))
        upright = np.zeros((128, 128), bool)
        upright[:, 44:96] = True
        assert ((masked[:, :, 0] == 200) == np.rot90(upright, turns)).all(), turns
