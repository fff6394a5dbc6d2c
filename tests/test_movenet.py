"""MoveNet: its decoder on made heads whose answer is known, and the real models on labels."""

from pathlib import Path

import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.packs.movenet import convert_movenet
from annotate.pipeline.decoders import landmark_decoder
from tests.cpu_session import cpu_session
from tests.movenet_crops import labelled_crops, movenet_spec

LOW, HIGH = -10.0, 4.0
"""Logits of cells without and with a keypoint; the second is a probability of 0.98."""


class Heads:
    """Outputs of the model for a crop of 24 x 32 cells, empty at first."""

    def __init__(self, keypoints: int = 1) -> None:
        self.heatmap = np.full((1, keypoints, 32, 24), LOW, np.float32)
        self.centre = np.full((1, 1, 32, 24), LOW, np.float32)
        self.regression = np.zeros((1, 2 * keypoints, 32, 24), np.float32)
        self.offset = np.zeros((1, 2 * keypoints, 32, 24), np.float32)

    def person(self, row: int, column: int, down: float, right: float, logit: float = HIGH) -> None:
        """A centre, from which the first keypoint is so many cells away."""
        self.centre[0, 0, row, column] = logit
        self.regression[0, :2, row, column] = down, right

    def decoded(self) -> tuple[FloatArray, float]:
        """Landmarks (k, 5) in pixels of the 96 x 128 crop, and the score of the pose."""
        outputs = [self.heatmap, self.centre, self.regression, self.offset]
        landmarks, _, score = landmark_decoder(movenet_spec(96, 128)).decode(outputs)
        return landmarks, score


def test_keypoint_is_the_cell_and_its_offset() -> None:
    heads = Heads()
    heads.person(16, 12, -6, 3)
    heads.heatmap[0, 0, 10, 15] = HIGH
    heads.offset[0, :, 10, 15] = 0.25, 0.75
    (landmark,), score = heads.decoded()
    # A cell is 4 pixels, and the index of a pixel is that of its middle.
    x, y = 4 * 15.75 - 0.5, 4 * 10.25 - 0.5
    assert landmark.tolist() == pytest.approx([x, y, 0, 0.982014, 1])
    assert score == pytest.approx(0.982014)


def test_other_persons_keypoint_is_farther_from_where_it_is_expected() -> None:
    heads = Heads()
    heads.person(16, 12, -6, 0)
    heads.heatmap[0, 0, 10, 13] = 0.0
    heads.heatmap[0, 0, 10, 2] = HIGH
    (landmark,), _ = heads.decoded()
    assert landmark[:2].tolist() == [4 * 13 - 0.5, 4 * 10 - 0.5]


def test_person_in_the_middle_of_the_crop_is_preferred() -> None:
    heads = Heads()
    heads.person(2, 2, 3, 0)
    heads.person(15, 12, 5, 0, logit=1.0)
    heads.heatmap[0, 0, 5, 2] = heads.heatmap[0, 0, 20, 12] = HIGH
    (landmark,), score = heads.decoded()
    assert landmark[:2].tolist() == [4 * 12 - 0.5, 4 * 20 - 0.5]
    assert score == pytest.approx(1 / (1 + np.exp(-1)))


def test_regression_that_leads_outside_the_crop() -> None:
    heads = Heads()
    heads.person(30, 12, 9, 0)
    heads.heatmap[0, 0, 31, 12] = HIGH
    (landmark,), _ = heads.decoded()
    assert landmark[:2].tolist() == [4 * 12 - 0.5, 4 * 31 - 0.5]


def test_extreme_logits_do_not_overflow() -> None:
    heads = Heads()
    heads.heatmap[:] = -1e4
    heads.centre[:] = -1e4
    heads.heatmap[0, 0, 16, 12] = 1e4
    (landmark,), score = heads.decoded()
    assert landmark[:2].tolist() == [4 * 12 - 0.5, 4 * 16 - 0.5]
    assert landmark[3] == 1
    assert score == pytest.approx(0)


@pytest.mark.parametrize(
    ("name", "size", "least"),
    [
        ("thunder", (256, 256), 0.82),
        ("thunder", (192, 256), 0.80),
        ("lightning", (192, 192), 0.75),
    ],
)
def test_real_people_are_where_the_labels_are(
    shared_data: Path, name: str, size: tuple[int, int], least: float
) -> None:
    model, weights = (
        (shared_data / "models" / f"movenet-{name}.{ending}").read_bytes()
        for ending in ("json", "bin")
    )
    converted = convert_movenet(model, weights, size)
    session = cpu_session(converted)
    decoder = landmark_decoder(movenet_spec(*size))
    found = []
    for crop in labelled_crops(shared_data, size):
        scaled = crop.pixels * np.float32(2 / 255) - 1
        outputs = session.run(
            ["heatmap", "centre", "regression", "offset"], {"image": scaled[None]}
        )
        landmarks, *_ = decoder.decode([np.asarray(output) for output in outputs])
        found.append(crop.oks(landmarks[:, :2]))
    assert np.mean(found) >= least
