"""What a trial of cheaper arithmetic finds, and what it refuses."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.domain.pack import Pack, read_pack
from annotate.domain.progress import silent
from annotate.domain.trial import Trial
from annotate.domain.video import Chunk, Frame, VideoIndex
from annotate.inference import load_models
from annotate.pipeline import bursts
from annotate.pipeline.bursts import BURST, jitter
from annotate.pipeline.calibration_crops import Crops
from annotate.pipeline.fidelity import Fidelity
from annotate.use_cases import try_precision
from annotate.video import decode, probe

GOOD = Trial(faster=1.6, median_error=0.001, people=20, jitter=1.0)
LIKE = Fidelity({"landmarks": 40.0, "world": 45.0}, 20, 0.001, 0.01, 0)


@pytest.mark.parametrize(
    ("trial", "fidelity", "why"),
    [
        (GOOD, LIKE, ""),
        (replace(GOOD, median_error=0.0049), LIKE, ""),
        (replace(GOOD, median_error=0.0051), LIKE, "landmarks move by 0.51%"),
        (replace(GOOD, jitter=1.9), LIKE, ""),
        (replace(GOOD, jitter=2.1), LIKE, "jitter 2.10 times as much"),
        (replace(GOOD, faster=1.11), LIKE, ""),
        (replace(GOOD, faster=1.09), LIKE, "1.09 times as fast here: nothing is gained"),
        (GOOD, replace(LIKE, lost=1), ""),
        (GOOD, replace(LIKE, lost=2), "the landmark model loses 2 and adds 0"),
        (GOOD, replace(LIKE, added=2), "the landmark model loses 0 and adds 2"),
        (GOOD, replace(LIKE, agreement_db={"world": 28.0}), ""),
        (GOOD, replace(LIKE, agreement_db={"world": 24.0}), "output world agrees"),
    ],
)
def test_what_is_worse_than_float_is_refused(trial: Trial, fidelity: Fidelity, why: str) -> None:
    refused = try_precision._refused(trial, {"landmark": fidelity})
    assert why in refused
    assert bool(why) == bool(refused)


def outputs(x: float, score: float = 1.0) -> list[FloatArray]:
    """Of the landmark model: all landmarks at one place, in pixels."""
    landmarks = np.zeros((1, 39, 5), np.float32)
    landmarks[:, :, 0] = 100 + x
    return [
        landmarks.reshape(1, -1),
        np.full((1, 1), score, np.float32),
        np.full((1, 64, 64, 39), -20, np.float32),
        np.zeros((1, 117), np.float32),
    ]


def test_jitter_is_the_second_difference_of_landmarks(blazepose_pack: Path) -> None:
    spec = read_pack(blazepose_pack).landmark
    steady = [outputs(x) for x in (0, 2, 4)]
    shaking = [outputs(x) for x in (0, 2, 0)]
    assert len(steady) == BURST
    assert jitter(spec, steady) == 0
    assert jitter(spec, shaking) == pytest.approx(4 / 256)
    assert jitter(spec, steady + 2 * shaking) == pytest.approx(4 / 256)
    gone = [outputs(0), outputs(2, score=0.1), outputs(0)]
    assert jitter(spec, steady + 2 * gone) == 0
    assert np.isnan(jitter(spec, gone))


class Clock:
    """The core time that `try_precision` sees."""

    now_s = 0.0

    def process_time(self) -> float:
        return self.now_s


class Answers:
    """Models whose landmark model gives these answers, each after so much core time."""

    precision = "bf16"

    def __init__(
        self, pack: Pack, answers: Sequence[list[FloatArray]], clock: Clock, busy_s: float
    ) -> None:
        self.pack = pack
        self._answers = iter(answers)
        self._clock, self._busy_s = clock, busy_s

    def stage(self, name: str) -> "Answers":
        assert name == "landmark"
        return self

    def run(self, _image: FloatArray) -> list[FloatArray]:
        self._clock.now_s += self._busy_s
        return next(self._answers)


@pytest.mark.parametrize(
    ("float_places", "places", "expected"),
    [
        ((0, 2, 0), (0, 4, 0), 2.0),
        ((0, 2, 0), (0, 1, 0), 0.5),
        # A still scene: what cannot be seen does not count.
        ((0, 0, 0), (0, 0.02, 0), 1.0),
        ((0, 0, 0), (0, 0.128, 0), 2.0),
    ],
)
def test_a_trial_compares_jitter_errors_and_core_time(
    blazepose_pack: Path,
    float_places: Sequence[float],
    places: Sequence[float],
    expected: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pack, clock = read_pack(blazepose_pack), Clock()
    monkeypatch.setattr(try_precision, "time", clock)
    reference: Any = Answers(pack, list(map(outputs, float_places)), clock, 0.008)
    models: Any = Answers(pack, list(map(outputs, places)), clock, 0.002)
    crops = Crops(landmark=[np.zeros((256, 256, 3), np.float32)] * BURST)
    found = try_precision.compare(models, reference, crops)
    assert found.jitter == pytest.approx(expected, rel=1e-3)
    apart = np.median(np.abs(np.subtract(float_places, places))) / 256
    assert found.people == BURST
    assert found.median_error == pytest.approx(apart, abs=1e-6)
    assert found.faster == pytest.approx(4)


def test_bursts_are_of_the_last_third_and_of_consecutive_frames(
    blazepose_pack: Path, stroll: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Chunk] = []

    def noting(path: Path, index: VideoIndex, chunk: Chunk) -> Iterator[Frame]:
        taken.append(chunk)
        return decode(path, index, chunk)

    monkeypatch.setattr(bursts, "decode", noting)
    models, index = load_models(read_pack(blazepose_pack), blazepose_pack), probe(stroll)
    crops = bursts.take_bursts([(stroll, index)], models, 4, silent)
    last = len(index) - BURST
    assert [len(chunk) for chunk in taken] == [BURST] * 4
    assert (taken[0].start, taken[-1].start) == (last * 2 // 3, last)
    assert len(crops.detector) == 4 * BURST
    assert len(crops.landmark) >= 4 * BURST
    assert len(crops.landmark) % BURST == 0
    # Those of one person differ little: one ROI.
    one, other = crops.landmark[:2]
    assert 0 < np.abs(one - other).mean() < 0.05
    few = replace(index, pts=index.pts[:2], keyframes=index.keyframes[:1])
    assert not bursts.take_bursts([(stroll, few)], models, 4, silent).landmark
