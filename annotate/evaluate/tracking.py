"""How well people keep their identity: CLEAR MOT, identity and HOTA figures.

The similarity of a person and a pose is OKS, in place of the IoU of boxes: two people who pass
each other share a box but no pose.

CLEAR MOT and identity figures come from motmetrics, which has no HOTA; that comes from motrics.
(TrackEval has them all, but installs opencv-python, whose files replace those of the headless
build that makes the models' input. The CLEAR figures of motrics 0.3 can match a person with the
worse of two poses.)
"""

from dataclasses import dataclass

import numpy as np

from annotate.domain.errors import UsageError
from annotate.evaluate.annotations import MISSING, Annotations, GroundTruth, track_numbers
from annotate.evaluate.matching import MIN_OKS, ImageMatch, Matches
from annotate.extras import library


@dataclass(frozen=True)
class Tracking:
    """All videos as one; `mota` and `idf1` at OKS 0.5.

    Attributes:
        people: tracks of the truth.
        tracks: of the predictions.
        mota: 1 - (missed people + false positives + identity switches) / people in all frames;
            it can be below 0.
        idf1: F1 score of poses that carry the one track id that fits a person best.
        identity_switches: how often a person's track id changes, with gaps or without.
        hota: mean over the OKS thresholds 0.05, 0.10 .. 0.95 of sqrt(deta * assa).
        deta, assa: accuracy of detection and of association, likewise.
        hota_curve: (threshold, hota, deta, assa) of every threshold.
    """

    people: int
    tracks: int
    mota: float
    idf1: float
    identity_switches: int
    hota: float
    deta: float
    assa: float
    hota_curve: tuple[tuple[float, float, float, float], ...]


def measure_tracking(truth: GroundTruth, poses: Annotations, matches: Matches) -> Tracking | None:
    """The figures over all videos, or None where one of the sides has no tracks.

    Raises:
        UsageError: a track is twice in one frame, or a library is not installed.
    """
    person_of = track_numbers(truth.people, truth.images)
    pose_of = track_numbers(poses, truth.images)
    frames = [
        image
        for image, video in zip(matches.images, truth.images.video.tolist(), strict=True)
        if video != MISSING
    ]
    ids = [(person_of[m.people].tolist(), pose_of[m.poses].tolist()) for m in frames]
    people = {number for mine, _ in ids for number in mine}
    tracks = {number for _, theirs in ids for number in theirs}
    if not people or MISSING in people | tracks:
        return None
    if any(len(set(side)) < len(side) for both in ids for side in both):
        raise UsageError(
            "a track is twice in one frame",
            "Every track id may occur once in a frame; correct the file.",
        )
    clear = _clear(ids, frames)
    hota = library("motrics", "evaluate").compute_hota_from_similarity(
        [mine for mine, _ in ids], [theirs for _, theirs in ids], [m.oks.tolist() for m in frames]
    )
    return Tracking(
        people=len(people),
        tracks=len(tracks),
        mota=float(clear["mota"]),
        idf1=float(clear["idf1"]),
        identity_switches=int(clear["num_switches"]),
        hota=hota.hota,
        deta=hota.deta,
        assa=hota.assa,
        hota_curve=tuple(
            zip(hota.alphas, hota.hota_alphas, hota.deta_alphas, hota.assa_alphas, strict=True)
        ),
    )


def _clear(ids: list[tuple[list[int], list[int]]], frames: list[ImageMatch]) -> dict[str, float]:
    motmetrics = library("motmetrics", "evaluate")
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for (people, tracks), image in zip(ids, frames, strict=True):
        distance = np.where(image.oks >= MIN_OKS, 1 - image.oks, np.nan)
        accumulator.update(people, tracks, distance)
    figures: dict[str, float] = motmetrics.metrics.create().compute(
        accumulator, metrics=["mota", "idf1", "num_switches"], return_dataframe=False
    )
    return figures
