"""Compares a model's outputs with expected ones: those of another model or another device."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.errors import PackError
from annotate.domain.model_spec import DetectorSpec, LandmarkSpec
from annotate.inference.agreement import agreement_db
from annotate.numeric.geometry import box_iou
from annotate.pipeline.decoders import detector_decoder, landmark_decoder
from annotate.pipeline.roi_rules import detection_rois, roi_points

# The greatest accepted median distance of landmarks, as a fraction of the crop's side; for a
# detector that of the ROI's two points, as a fraction of the ROI's side.
MAX_MEDIAN_ERROR = 0.01
# The greatest accepted fraction of people who are lost, and of people who are found where the
# expected outputs have none. Scores near the threshold may go either way.
MAX_LOST = MAX_ADDED = 0.05
# The least accepted agreement of an output of the landmark model, as `agreement_db` defines it: the
# error of landmarks says nothing about world landmarks, which agreed to 23 dB only beside landmarks
# with an error of 0.4%. Of a detector's outputs only a few of 2,254 anchors count, and they are
# judged as people: AI Hub's own 8-bit detector agrees to 29 dB, with an error of 0.46%.
MIN_FIDELITY_DB = 30.0

Outputs = Sequence[FloatArray]
# The relative errors of each person's points; and the numbers of people who are lost and added.
PointErrors = tuple[list[NDArray[np.floating]], int, int]


@dataclass(frozen=True)
class Fidelity:
    """How close a model's outputs on real crops are to the expected ones.

    Attributes:
        agreement_db: agreement of each output, as the median over the crops: where two people
            overlap, a model may rightly answer for the other person.
        people: number of people in the crops, according to the expected outputs.
        median_error: median distance of landmarks, as a fraction of the crop's side; for a detector
            that of the ROI's two points, as a fraction of the ROI's side.
        p95_error: 95th percentile of these distances.
        lost: number of those people that the model does not find.
        added: number of people that it finds where the expected outputs have none.
    """

    agreement_db: Mapping[str, float]
    people: int
    median_error: float
    p95_error: float
    lost: int
    added: int = 0

    @property
    def finds_the_people(self) -> bool:
        """Whether no more people are lost or added than `MAX_LOST` and `MAX_ADDED` allow."""
        return self.lost <= MAX_LOST * self.people and self.added <= MAX_ADDED * self.people

    def to_fields(self) -> dict[str, object]:
        """The attributes for JSON, which has no infinity: equal outputs give None."""
        agreement = {
            name: db if np.isfinite(db) else None for name, db in self.agreement_db.items()
        }
        return {**asdict(self), "agreement_db": agreement}


def fidelity_of(
    spec: DetectorSpec | LandmarkSpec, expected: Sequence[Outputs], found: Sequence[Outputs]
) -> Fidelity:
    """Compares the outputs of a model with the expected ones.

    Args:
        spec: the model's description.
        expected, found: the outputs for each crop, in the order of `spec.outputs`.

    Raises:
        PackError: no crop shows a person.
    """
    if isinstance(spec, DetectorSpec):
        errors, lost, added = _detector_errors(spec, expected, found)
    else:
        errors, lost, added = _landmark_errors(spec, expected, found)
    if not errors and not lost:
        raise PackError(
            "the crops for judging the model show no person",
            "Name videos that show people.",
        )
    agreement = {
        name: float(np.median([agreement_db(*pair) for pair in zip(right, other, strict=True)]))
        for name, right, other in zip(
            spec.outputs, zip(*expected, strict=True), zip(*found, strict=True), strict=True
        )
    }
    apart = np.concatenate(errors) if errors else np.array([np.inf])
    return Fidelity(
        agreement,
        len(errors) + lost,
        float(np.median(apart)),
        float(np.percentile(apart, 95)),
        lost,
        added,
    )


def check_fidelity(stage: str, fidelity: Fidelity) -> None:
    """Checks against `MAX_MEDIAN_ERROR`, `MAX_LOST`, `MAX_ADDED` and, for the landmark model,
    `MIN_FIDELITY_DB`.

    Raises:
        PackError: the model is not accurate enough.
    """
    if fidelity.median_error > MAX_MEDIAN_ERROR:
        raise _inaccurate(
            stage,
            f"the median error is {fidelity.median_error:.2%} of the crop, "
            f"more than {MAX_MEDIAN_ERROR:.0%}",
        )
    if not fidelity.finds_the_people:
        raise _inaccurate(
            stage, f"of {fidelity.people} people it loses {fidelity.lost} and adds {fidelity.added}"
        )
    for output, decibel in judged_outputs(stage, fidelity).items():
        if decibel < MIN_FIDELITY_DB:
            raise _inaccurate(
                stage,
                f"its output {output} agrees to {decibel:.1f} dB, less than {MIN_FIDELITY_DB:.0f}",
            )


def judged_outputs(stage: str, fidelity: Fidelity) -> Mapping[str, float]:
    """The agreement of those outputs of a stage that `MIN_FIDELITY_DB` applies to."""
    return fidelity.agreement_db if stage == "landmark" else {}


def _landmark_errors(
    spec: LandmarkSpec, expected: Sequence[Outputs], found: Sequence[Outputs]
) -> PointErrors:
    decoder = landmark_decoder(spec)
    errors, lost, added = [], 0, 0
    for right, other in zip(map(decoder.decode, expected), map(decoder.decode, found), strict=True):
        if right.score < spec.min_score:
            added += int(other.score >= spec.min_score)
            continue
        if other.score < spec.min_score:
            lost += 1
            continue
        apart = other.landmarks[: spec.count, :2] - right.landmarks[: spec.count, :2]
        errors.append(np.linalg.norm(apart, axis=1) / max(spec.size))
    return errors, lost, added


def _detector_errors(
    spec: DetectorSpec, expected: Sequence[Outputs], found: Sequence[Outputs]
) -> PointErrors:
    decoder = detector_decoder(spec)
    errors, lost, added = [], 0, 0
    for right, other in zip(map(decoder.decode, expected), map(decoder.decode, found), strict=True):
        sides = detection_rois(right, spec, (1, 1))[:, 2]
        points, again = roi_points(right, spec), roi_points(other, spec)
        added += sum(not box_iou(box, right.box).any() for box in other.box)
        for box, side, ends in zip(right.box, sides, points, strict=True):
            overlap = box_iou(box, other.box)
            if not overlap.any():
                lost += 1
                continue
            errors.append(np.linalg.norm(again[overlap.argmax()] - ends, axis=1) / side)
    return errors, lost, added


def _inaccurate(name: str, why: str) -> PackError:
    return PackError(
        f"the {name} model is not accurate enough: {why}",
        "Use the float model, or calibrate with more and more varied videos.",
    )
