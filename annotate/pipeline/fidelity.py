"""Compares the answers of a quantized or compiled model with those of the original."""

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

# The greatest median distance of landmarks, as a fraction of the crop's side; for a detector, of
# the points that an ROI is made of, as a fraction of the ROI's side.
MOST_MEDIAN_ERROR = 0.01
# The greatest fraction of people who may be lost: scores near the threshold fall on either side.
MOST_LOST = 0.05
# The least agreement of an output in dB, as in `agreement_db`. Correct 8-bit models reach 35 dB and
# more; faulty context binaries were at -5 to 8 dB.
LEAST_AGREEMENT_DB = 30.0

Outputs = Sequence[FloatArray]
# The errors of each person whom both models see, and the number of people who are lost.
Errors = tuple[list[NDArray[np.floating]], int]


@dataclass(frozen=True)
class Fidelity:
    """How near a model's answers on real crops are to the expected ones.

    Attributes:
        agreement_db: of each output, the median over the crops: where two people overlap, either
            of them is a right answer.
        people: number of people in the crops.
        median_error: median distance of landmarks, as a fraction of the crop's side; for a
            detector, of the two points of the ROI, as a fraction of the ROI's side.
        p95_error: the 95th percentile of the same.
        lost: people that only the expected answers show.
    """

    agreement_db: Mapping[str, float]
    people: int
    median_error: float
    p95_error: float
    lost: int

    @property
    def loses_people(self) -> bool:
        """Whether more people are lost than `MOST_LOST` allows."""
        return self.lost > MOST_LOST * self.people

    def to_fields(self) -> dict[str, object]:
        """The attributes for JSON, which has no infinity: None means equal answers."""
        agreement = {
            name: db if np.isfinite(db) else None for name, db in self.agreement_db.items()
        }
        return {**asdict(self), "agreement_db": agreement}


def fidelity_of(
    spec: DetectorSpec | LandmarkSpec, expected: Sequence[Outputs], found: Sequence[Outputs]
) -> Fidelity:
    """Compares the answers of a model with the expected ones.

    Args:
        spec: of the model.
        expected, found: for each crop the outputs, in the order in which the model gives them.

    Raises:
        PackError: no crop shows a person.
    """
    if isinstance(spec, DetectorSpec):
        errors, lost = _detector_errors(spec, expected, found)
    else:
        errors, lost = _landmark_errors(spec, expected, found)
    if not errors and not lost:
        raise PackError(
            "no person is seen in the crops that the model is tested on",
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
    )


def check_fidelity(name: str, fidelity: Fidelity) -> None:
    """Compares with `MOST_MEDIAN_ERROR` and `LEAST_AGREEMENT_DB`.

    Raises:
        PackError: the errors are too large, or the model loses people.
    """
    if fidelity.median_error > MOST_MEDIAN_ERROR:
        raise _unfit(
            name,
            f"the median error is {fidelity.median_error:.2%} of the crop, "
            f"more than {MOST_MEDIAN_ERROR:.0%}",
        )
    if fidelity.loses_people:
        raise _unfit(name, f"it loses {fidelity.lost} of {fidelity.people} people")
    for output, decibel in fidelity.agreement_db.items():
        if decibel < LEAST_AGREEMENT_DB:
            raise _unfit(
                name,
                f"its output {output} agrees to {decibel:.1f} dB, less than "
                f"{LEAST_AGREEMENT_DB:.0f}",
            )


def _landmark_errors(
    spec: LandmarkSpec, expected: Sequence[Outputs], found: Sequence[Outputs]
) -> Errors:
    decoder = landmark_decoder(spec)
    errors, lost = [], 0
    for right, other in zip(map(decoder.decode, expected), map(decoder.decode, found), strict=True):
        if right.score < spec.min_score:
            continue
        if other.score < spec.min_score:
            lost += 1
            continue
        apart = other.landmarks[: spec.count, :2] - right.landmarks[: spec.count, :2]
        errors.append(np.linalg.norm(apart, axis=1) / max(spec.size))
    return errors, lost


def _detector_errors(
    spec: DetectorSpec, expected: Sequence[Outputs], found: Sequence[Outputs]
) -> Errors:
    decoder = detector_decoder(spec)
    errors, lost = [], 0
    for right, other in zip(map(decoder.decode, expected), map(decoder.decode, found), strict=True):
        sides = detection_rois(right, spec)[:, 2]
        points, again = roi_points(right, spec), roi_points(other, spec)
        for box, side, ends in zip(right.box, sides, points, strict=True):
            overlap = box_iou(box, other.box)
            if not overlap.any():
                lost += 1
                continue
            errors.append(np.linalg.norm(again[overlap.argmax()] - ends, axis=1) / side)
    return errors, lost


def _unfit(name: str, why: str) -> PackError:
    return PackError(
        f"the {name} model is not good enough: {why}",
        "Use the float model, or calibrate with more and more varied videos.",
    )
