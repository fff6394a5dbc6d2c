"""Detectors of person boxes: raw outputs whose answer is known, and the ROIs that boxes give."""

from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.domain.detector_kinds import FinalBoxes, NanoDet, Yolox
from annotate.domain.model_spec import DetectorSpec
from annotate.domain.roi_rules import RoiFromBox
from annotate.numeric.geometry import rois_from_boxes
from annotate.packs.person_detectors import nanodet_spec, yolox_nano_spec
from annotate.pipeline.decoders import detector_decoder
from annotate.pipeline.detections import Detections
from annotate.pipeline.detector_pass import Candidate
from annotate.pipeline.detector_stage import new_candidates
from annotate.pipeline.roi_rules import detection_rois, roi_points

SIZE = 416
PERSON, DOG = 0, 16
Box: TypeAlias = tuple[float, float, float, float]
# Boxes in pixels of the input: two of one person, one of another and one of a dog.
BEST, DOUBLE, OTHER = (100, 60, 180, 300), (104, 62, 182, 298), (250, 100, 330, 260)
FOUND: list[tuple[Box, float, int]] = [
    (DOUBLE, 0.5, PERSON),
    (OTHER, 0.6, PERSON),
    (BEST, 0.9, PERSON),
    (BEST, 0.8, DOG),
    ((10, 10, 50, 50), 0.05, PERSON),
]
YOLOX = yolox_nano_spec("yolox.onnx", "", 1.25)
NANODET = nanodet_spec("nanodet.onnx", "", 1.25)


def yolox_outputs() -> list[FloatArray]:
    """Raw output in which cell n of stride 32, in the order of rows, has box n."""
    raw = np.zeros((1, 3549, 85), np.float32)
    for n, ((x0, y0, x1, y1), score, label) in enumerate(FOUND):
        row = raw[0, 52 * 52 + 26 * 26 + n]
        row[:2] = (x0 + x1) / 64 - n, (y0 + y1) / 64
        row[2:4] = np.log((x1 - x0) / 32), np.log((y1 - y0) / 32)
        row[4], row[5 + label] = 1, score
    return [raw]


def nanodet_outputs() -> list[FloatArray]:
    """Maps in which a cell near its centre has each box; distances lie between two steps."""
    maps = [np.full((1, 124, n, n), -20, np.float32) for n in (52, 26, 13)]
    for place, ((x0, y0, x1, y1), score, label) in enumerate(FOUND):
        # Each box has its own cell near its centre.
        row = int((y0 + y1) / 64) - place // 2 % 2
        column = int((x0 + x1) / 64) - place % 2
        cell = maps[2][0, :, row, column]
        cell[label] = np.log(score / (1 - score))
        x, y = column * 32 + 16, row * 32 + 16
        for edge, distance in enumerate(np.array([x - x0, y - y0, x1 - x, y1 - y]) / 32):
            step, part = int(distance), distance % 1
            first = 80 + 11 * edge + step
            cell[first : first + 2] = np.log([1 - part + 1e-9, part + 1e-9])
    return maps


def final_outputs() -> list[FloatArray]:
    boxes = np.array([[*box, score] for box, score, _ in FOUND], np.float32)
    return [boxes[None], np.array([[label for *_, label in FOUND]], np.float32)]


FINAL = replace(YOLOX, decoder=FinalBoxes("dets", labels="labels", nms_iou=0.6))
APART = replace(YOLOX, decoder=FinalBoxes("boxes", scores="scores", labels="classes", nms_iou=0.6))


def apart_outputs() -> list[FloatArray]:
    boxes, labels = final_outputs()
    return [boxes[:, :, :4], boxes[:, :, 4], labels]


@pytest.mark.parametrize(
    ("spec", "outputs"),
    [
        (YOLOX, yolox_outputs()),
        (replace(NANODET, min_score=0.1), nanodet_outputs()),
        (FINAL, final_outputs()),
        (APART, apart_outputs()),
    ],
    ids=["yolox", "nanodet", "boxes with scores", "boxes and scores apart"],
)
def test_every_person_is_found_once(spec: DetectorSpec, outputs: list[FloatArray]) -> None:
    found = detector_decoder(spec).decode(outputs)
    assert found.score == pytest.approx([0.9, 0.6], abs=1e-3)
    assert found.box * SIZE == pytest.approx(np.array([BEST, OTHER]), abs=0.05)
    assert found.points.shape == (2, 0, 2)


@pytest.mark.parametrize(
    ("spec", "outputs"),
    [
        (YOLOX, [np.zeros((1, 3549, 85), np.float32)]),
        (NANODET, [np.full((1, 124, n, n), -20, np.float32) for n in (52, 26, 13)]),
        (FINAL, [np.zeros((1, 0, 5), np.float32), np.zeros((1, 0), np.float32)]),
    ],
    ids=["yolox", "nanodet", "boxes"],
)
def test_an_empty_picture_gives_no_detections(
    spec: DetectorSpec, outputs: list[FloatArray]
) -> None:
    assert len(detector_decoder(spec).decode(outputs)) == 0


def test_kinds_name_their_outputs_in_the_order_of_their_decoders() -> None:
    assert Yolox("output").outputs == ("output",)
    assert NanoDet(("a", "b")).outputs == ("a", "b")
    assert FinalBoxes("boxes", "scores").outputs == ("boxes", "scores")


def test_an_roi_holds_the_box_in_the_proportions_of_the_crop() -> None:
    boxes = np.array([[0, 0, 30, 60], [0, 0, 60, 30]], np.float32)
    assert rois_from_boxes(boxes, (256, 256), 1.0).tolist() == [[15, 30, 60, 0], [30, 15, 60, 0]]
    # The crop is 3/4 as wide as high: a box 60 wide needs an ROI 80 high.
    assert rois_from_boxes(boxes, (192, 256), 1.5).tolist() == [[15, 30, 90, 0], [30, 15, 120, 0]]


def test_boxes_give_the_rois_and_the_points_that_a_pack_is_tested_on() -> None:
    box = np.array([[0.1, 0.2, 0.3, 0.6]], np.float32)
    found = Detections(np.ones(1, np.float32), box, np.zeros((1, 0, 2), np.float32))
    spec = replace(YOLOX, roi=RoiFromBox(1.5))
    assert detection_rois(found, spec, (256, 256))[0] == pytest.approx([0.2, 0.4, 0.6, 0])
    assert roi_points(found, spec)[0] == pytest.approx(box.reshape(2, 2))


def test_boxes_that_a_detector_kept_are_not_suppressed_again_by_their_rois() -> None:
    boxes = np.array([[0, 0, 40, 100], [20, 0, 60, 100]], np.float32)
    rois = rois_from_boxes(boxes, (256, 256), 1.25)
    found = [Candidate(0.9, roi, box) for roi, box in zip(rois, boxes, strict=True)]
    assert len(new_candidates(found, (), 0.6)) == 2
    assert len(new_candidates(found, [Candidate(0.9, rois[0])], 0.6)) == 0
