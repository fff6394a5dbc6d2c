"""The numeric parts of the pipeline against arithmetic done another way."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from annotate.domain.detector_kinds import Ssd
from annotate.domain.landmark_kinds import BlazePose
from annotate.domain.pack import Pack, read_pack
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.numeric.geometry import (
    apply_affine,
    box_iou,
    crop_to_picture,
    letterbox_roi,
    rois_from_points,
    tile_rois,
)
from annotate.numeric.rgb_picture import RgbPicture
from annotate.pipeline.batching import BATCH, run_batched
from annotate.pipeline.crops import to_range, window_of
from annotate.pipeline.decoders.blazepose import refine
from annotate.pipeline.decoders.ssd import SsdDecoder, anchor_centres, suppress
from annotate.pipeline.detections import Detections
from annotate.pipeline.detector_pass import Tile
from annotate.pipeline.prefetch import prefetch


@pytest.fixture(scope="module")
def pack(blazepose_pack: Path) -> Pack:
    return read_pack(blazepose_pack)


@pytest.fixture(scope="module")
def ssd(pack: Pack) -> Ssd:
    assert isinstance(pack.detector.decoder, Ssd)
    return pack.detector.decoder


# Geometry


@pytest.mark.parametrize(
    ("tip", "degrees"),
    [((50, 10), 0), ((90, 50), 90), ((50, 90), 180), ((10, 50), -90)],
    ids=["upright", "lying with the head to the right", "upside down", "head to the left"],
)
def test_an_roi_turns_the_tip_to_the_top_of_the_crop(tip: tuple[int, int], degrees: int) -> None:
    centre = np.array([[50, 50]], np.float32)
    roi = rois_from_points(centre, np.array([tip], np.float32), 1.25)[0]
    assert roi[2] == pytest.approx(2 * 40 * 1.25)
    assert np.degrees(roi[3]) % 360 == pytest.approx(degrees % 360)
    seen = apply_affine(
        crop_to_picture(roi, (256, 256)), np.array([[128, 128 - 128 / 1.25]], np.float32)
    )
    assert seen[0] == pytest.approx(tip, abs=1e-3)


def test_the_corners_of_an_roi_are_the_corners_of_the_crop() -> None:
    roi = np.array([30, 40, 20, 0], np.float32)
    corners = apply_affine(
        crop_to_picture(roi, (256, 256)), np.array([[0, 0], [256, 256]], np.float32)
    )
    assert corners.tolist() == [[20, 30], [40, 50]]


def test_a_letterbox_holds_the_whole_picture_in_its_middle() -> None:
    assert letterbox_roi(1920, 1080).tolist() == [960, 540, 1920, 0]


def test_overlap_of_boxes() -> None:
    box = np.array([0, 0, 2, 2], np.float32)
    others = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6], [1, 1, 1, 1]], np.float32)
    assert box_iou(box, others) == pytest.approx([1, 2 / 6, 0, 0])


# Crops


def test_an_upright_crop_at_scale_one_is_the_picture_itself() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    window = window_of(letterbox_roi(64, 64), (64, 64))
    assert (RgbPicture(picture).crop(window, "constant") == picture).all()


def test_a_turned_crop_is_near_that_of_opencvs_own_warp() -> None:
    smooth = np.random.default_rng(2).integers(0, 256, (12, 16, 3), np.uint8)
    picture = cv2.resize(smooth, (320, 240), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    roi = np.array([170.3, 121.7, 190.2, 0.7], np.float32)
    ours = RgbPicture(picture).crop(window_of(roi, (128, 128)), "replicate")
    theirs = cv2.warpAffine(
        picture,
        crop_to_picture(roi, (128, 128)),
        (128, 128),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    # Positions differ by up to 1/64 px, on slopes of some 10 grey values a pixel.
    assert np.abs(ours.astype(int) - theirs).max() <= 2


def test_an_roi_far_outside_the_picture_gives_its_border() -> None:
    picture = RgbPicture(np.full((10, 10, 3), 7, np.uint8))
    window = window_of(np.array([1e6, -1e6, 50, 0.3], np.float32), (16, 16))
    assert (picture.crop(window, "constant") == 0).all()
    assert (picture.crop(window, "replicate") == 7).all()


def test_values_fill_the_models_range(pack: Pack) -> None:
    picture = np.array([[[0, 51, 255]]], np.uint8)
    assert to_range(picture, pack.landmark).ravel() == pytest.approx([0, 0.2, 1])
    assert to_range(picture, pack.detector).ravel() == pytest.approx([-1, -0.6, 1])
    spec = replace(pack.landmark, value_range=(0, 255), mean=(1, 2, 3), std=(1, 7, 4))
    assert to_range(picture, spec).ravel() == pytest.approx([-1, 7, 63])


@pytest.mark.parametrize(
    ("width", "height"), [(1080, 1920), (640, 360), (225, 223), (7, 300)], ids=str
)
def test_a_tile_is_the_crop_of_its_place_and_grey_outside_the_picture(
    pack: Pack, width: int, height: int
) -> None:
    spec = replace(pack.detector, grey=114)
    noise = np.random.default_rng(1).integers(1, 256, (height, width, 3), dtype=np.uint8)
    picture = RgbPicture(noise)
    for roi in tile_rois(width, height, 224, PipelineSettings()):
        expected = picture.crop(window_of(roi, (224, 224)), "constant", 114)
        np.testing.assert_array_equal(Tile.at(roi, spec, width, height).pixels(picture), expected)


# Detector


def test_blazepose_has_2254_anchors_in_its_order(ssd: Ssd) -> None:
    anchors = anchor_centres(224, ssd)
    assert anchors.shape == (28 * 28 * 2 + 14 * 14 * 2 + 7 * 7 * 6, 2)
    assert anchors[0] == pytest.approx([0.5 / 28, 0.5 / 28])
    assert anchors[2] == pytest.approx([1.5 / 28, 0.5 / 28])
    assert anchors[28 * 2] == pytest.approx([0.5 / 28, 1.5 / 28])
    assert anchors[-1] == pytest.approx([6.5 / 7, 6.5 / 7])


@pytest.fixture
def small(pack: Pack, ssd: Ssd) -> SsdDecoder:
    """A decoder with 8 anchors, in pairs at a quarter and three quarters of the input's sides."""
    kind = replace(ssd, strides=(16,))
    return SsdDecoder(replace(pack.detector, size=(32, 32)), kind)


def test_only_scores_from_the_threshold_on_become_detections(small: SsdDecoder) -> None:
    boxes = np.zeros((8, 12), np.float32)
    boxes[:, 2:4] = 22.4
    logits = np.full(8, -9, np.float32)
    logits[[0, 4, 7]] = 0.0, 500.0, -0.01
    found = small.raw_detections(boxes, logits)
    assert found.score == pytest.approx([1.0, 0.5])
    assert found.box[0] == pytest.approx([0.2, 0.7, 0.3, 0.8])
    assert found.points[1].tolist() == [[0.25, 0.25]] * 4


def test_nothing_is_found_in_noise_below_the_threshold(small: SsdDecoder) -> None:
    outputs = [np.zeros((1, 8, 12), np.float32), np.full((1, 8, 1), -9, np.float32)]
    assert len(small.decode(outputs)) == 0


def test_overlapping_detections_become_their_weighted_mean(ssd: Ssd) -> None:
    found = Detections(
        score=np.array([0.9, 0.8, 0.6], np.float32),
        box=np.array([[0, 0, 1, 1], [5, 5, 6, 6], [0, 0.2, 1, 1.2]], np.float32),
        points=np.array([[[0.0, 0.0]], [[5.0, 5.0]], [[1.0, 1.0]]], np.float32),
    )
    merged = suppress(found, ssd)
    assert merged.score == pytest.approx([0.9, 0.8])
    assert merged.box[0] == pytest.approx([0, 0.08, 1, 1.08])
    assert merged.points[0, 0] == pytest.approx([0.4, 0.4])
    hard = suppress(found, replace(ssd, nms="hard"))
    assert hard.box[0].tolist() == [0, 0, 1, 1]


# Landmarks


def refined_one_by_one(landmarks: np.ndarray, heatmap: np.ndarray, window: int) -> np.ndarray:
    """The calculator's loop, written out."""
    out = landmarks.copy()
    rows, columns, count = heatmap.shape
    for i in range(count):
        column, row = int(landmarks[i, 0] / 256 * columns), int(landmarks[i, 1] / 256 * rows)
        if not (0 <= column < columns and 0 <= row < rows):
            continue
        total = greatest = x = y = 0.0
        for r in range(max(0, row - window // 2), min(rows, row + window // 2 + 1)):
            for c in range(max(0, column - window // 2), min(columns, column + window // 2 + 1)):
                weight = 1 / (1 + np.exp(-heatmap[r, c, i]))
                total, greatest = total + weight, max(greatest, weight)
                x, y = x + weight * c, y + weight * r
        if greatest >= 0.5:
            out[i, 0], out[i, 1] = x / total / columns * 256, y / total / rows * 256
    return out


def test_refinement_is_the_weighted_mean_of_the_window(pack: Pack) -> None:
    random = np.random.default_rng(3)
    heatmap = random.normal(-4, 2, (64, 64, 39)).astype(np.float32)
    landmarks = random.uniform(-20, 276, (39, 5)).astype(np.float32)
    for i in range(0, 39, 2):
        column, row = (landmarks[i, :2].clip(0, 255) / 4).astype(int)
        heatmap[row, column, i] = 3.0
    kind = pack.landmark.decoder
    assert isinstance(kind, BlazePose)
    expected = refined_one_by_one(landmarks, heatmap, kind.heatmap_window)
    actual = refine(landmarks, heatmap, pack.landmark.size, kind)
    assert actual == pytest.approx(expected, abs=1e-3)
    moved = (actual != landmarks).any(axis=1)
    assert 0 < moved.sum() < 39


# Batches


def test_every_run_of_a_batch_answers_its_own_item() -> None:
    log: list[str] = []

    def prepare(item: int) -> np.ndarray:
        log.append(f"prepare {item}")
        return np.array([item], np.float32)

    def run(image: np.ndarray) -> list[np.ndarray]:
        log.append(f"run {image[0]:.0f}")
        return [image * 10]

    items = list(range(BATCH + 1))
    found = run_batched(items, prepare, run, lambda item, outputs: (item, outputs[0].item()))
    assert list(found) == [(item, 10 * item) for item in items]
    first = items[:BATCH]
    assert log[: 2 * BATCH] == [f"{what} {item}" for what in ("prepare", "run") for item in first]


# Prefetch


def test_prefetch_keeps_order_and_raises_the_error_behind_the_items() -> None:
    def items() -> Iterator[int]:
        yield from range(10)
        raise RuntimeError("broken frame")

    seen: list[int] = []
    with pytest.raises(RuntimeError, match="broken frame"):
        seen.extend(prefetch(items()))
    # `extend` adds what came before the error.
    assert seen == list(range(10))


def test_prefetch_ends_its_thread_when_it_is_left_early() -> None:
    before = threading.active_count()
    endless = prefetch(iter(range(1_000_000)))
    assert next(endless) == 0
    endless.close()  # type: ignore[attr-defined]  # a generator behind an iterator's type
    assert threading.active_count() == before
