"""Tries cheaper arithmetic on frames of the user's videos, against float."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from annotate.domain.progress import Progress
from annotate.domain.trial import Trial
from annotate.domain.video import VideoIndex
from annotate.inference import Models
from annotate.pipeline.bursts import jitter, take_bursts
from annotate.pipeline.calibration_crops import Crops
from annotate.pipeline.fidelity import Fidelity, Outputs, fidelity_of

# Bursts of frames that it is tried on, over all videos together.
BURSTS = 12
# The greatest median error of landmarks against float, as a fraction of the crop's side.
MAX_LANDMARK_ERROR = 0.005
# The least agreement of an output of the landmark model, in dB: world landmarks that were 91 mm off
# agreed to 24 dB, beside good landmarks.
MIN_DB = 27.0
# The greatest jitter of landmarks from frame to frame, divided by that in float. In 8 bits, MoveNet
# has 2.7 to 4.2 times as much, beside a median error of 0.4%.
MAX_JITTER = 2.0
# Jitter below it, as a fraction of the crop's side, cannot be seen: an eighth of a pixel of 256.
STEADY = 0.0005
# A landmark model that is not so many times as fast is not worth other results.
MIN_FASTER = 1.1


def try_precision(
    videos: Sequence[tuple[Path, VideoIndex]], models: Models, reference: Models, progress: Progress
) -> Trial:
    """Compares models with those in float, on frames of videos.

    Raises:
        PackError: the frames show no person.
        ProviderError: a model fails.
        VideoError: a video cannot be read.
    """
    return compare(models, reference, take_bursts(videos, reference, BURSTS, progress))


def compare(models: Models, reference: Models, crops: Crops) -> Trial:
    """Compares models with those in float on the crops of `take_bursts`.

    Raises:
        PackError: no crop shows a person.
        ProviderError: a model fails.
    """
    found = {}
    for stage, spec in models.pack.stages.items():
        if stage != "landmark" and models.precision != "bf16":  # else they are the same
            found[stage] = fidelity_of(spec, *_in_turn(models, reference, stage, crops)[0])
    outputs, ms = _in_turn(models, reference, "landmark", crops)
    landmark = fidelity_of(models.pack.landmark, *outputs)
    before, after = (max(jitter(models.pack.landmark, one), STEADY) for one in outputs)
    trial = Trial(ms[0] / ms[1], landmark.median_error, landmark.people, after / before)
    return replace(trial, refused=_refused(trial, {**found, "landmark": landmark}))


def _in_turn(
    models: Models, reference: Models, stage: str, crops: Crops
) -> tuple[tuple[list[Outputs], list[Outputs]], list[float]]:
    """The outputs of the reference's and of the other model, which run in turn, so that other load
    on the machine slows both; and the median core-milliseconds of a run.
    """
    outputs: tuple[list[Outputs], list[Outputs]] = ([], [])
    spent: tuple[list[float], list[float]] = ([], [])
    for picture in crops.of(stage):
        for one, answers, ms in zip((reference, models), outputs, spent, strict=True):
            began = time.process_time()
            answers.append(one.stage(stage).run(picture))
            ms.append((time.process_time() - began) * 1000)
    return outputs, [statistics.median(ms) for ms in spent] if spent[0] else [1.0, 1.0]


def _refused(trial: Trial, found: Mapping[str, Fidelity]) -> str:
    """Why the arithmetic is not used, or empty."""
    for stage, fidelity in found.items():
        if not fidelity.finds_the_people:
            return (
                f"of {fidelity.people} people the {stage} model loses {fidelity.lost} and adds "
                f"{fidelity.added}"
            )
    for output, decibel in found["landmark"].agreement_db.items():
        if decibel < MIN_DB:
            return f"the output {output} agrees with float to only {decibel:.0f} dB"
    if trial.median_error > MAX_LANDMARK_ERROR:
        return (
            f"landmarks move by {trial.median_error:.2%} of the crop in the median, more than "
            f"{MAX_LANDMARK_ERROR:.1%}"
        )
    if trial.jitter > MAX_JITTER:
        return f"landmarks jitter {trial.jitter:.2f} times as much from one frame to the next"
    if trial.faster < MIN_FASTER:
        return f"the landmark model is {trial.faster:.2f} times as fast here: nothing is gained"
    return ""
