"""Models for tests that answer by the brightness of the picture."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.landmark_kinds import BlazePose
from annotate.domain.pack import Pack
from annotate.domain.poses import Poses
from annotate.domain.video import Frame
from annotate.inference import Models
from annotate.inference.session import Model
from annotate.numeric.rgb_picture import RgbPicture

# Grey levels: no person, one that only the landmark model sees, one that both models see.
GONE, DIM, BRIGHT = 0, 100, 200


@dataclass
class FakeDetector:
    """Sees a person in the middle of the picture if it is bright."""

    logit: float = 3.0
    runs: int = 0

    def run(self, image: FloatArray) -> list[FloatArray]:
        self.runs += 1
        boxes, scores = np.zeros((1, 2254, 12), np.float32), np.full((1, 2254, 1), -9, np.float32)
        middle = 2 * (14 * 28 + 14)
        boxes[0, middle, 2:4] = 40
        boxes[0, middle, 7] = -40  # alignment point 1, above alignment point 0
        scores[0, middle] = self.logit if image.max() > 0.3 else -9
        return [boxes, scores]


@dataclass
class FakeLandmarks:
    """Sees a person unless it is dark, `shift` pixels to the right of the crop's centre."""

    shift: float = 1.0
    runs: int = 0

    def run(self, image: FloatArray) -> list[FloatArray]:
        self.runs += 1
        raw = np.zeros((39, 5), np.float32)
        raw[:, :2] = np.random.default_rng(3).uniform(60, 200, (39, 2))
        x = 128 + self.shift
        raw[33, :2], raw[34, :2] = (x, 128), (x, 128 - 128 / 1.25)
        return [raw[None], np.array([[float(image.max() > 0.2)]], np.float32)]


def fakes(pack: Pack, *, tracks: bool = True, logit: float = 3.0, shift: float = 1.0) -> Models:
    """Both models in place of those of a BlazePose pack.

    Args:
        tracks: the pack has a rule for the next frame's ROI.
        logit: of the detector's score.
        shift: of the landmarks, in pixels of the crop.
    """
    decoder = pack.landmark.decoder
    assert isinstance(decoder, BlazePose)
    landmark = replace(
        pack.landmark,
        decoder=replace(decoder, heatmap=None, world=None),
        next_roi=pack.landmark.next_roi if tracks else None,
    )
    return Models(
        replace(pack, landmark=landmark),
        cast(Model, FakeDetector(logit)),
        cast(Model, FakeLandmarks(shift)),
        provider="cpu",
        placement={},
    )


def grey(levels: Sequence[int], start: int = 0) -> list[Frame]:
    """Frames of these grey levels, from frame `start` on."""
    return [
        Frame(start + i, 0, RgbPicture(np.full((64, 64, 3), level, np.uint8)))
        for i, level in enumerate(levels)
    ]


def counts(poses: Poses) -> list[int]:
    """How many people each frame has."""
    return [int(count) for count in np.diff(poses.offsets)]
