"""How well people keep their identity: CLEAR MOT, identity and HOTA figures.

The similarity of a person and a pose is OKS, in place of the IoU of boxes: two people who pass
each other share a box but no pose.

CLEAR MOT and identity figures come from motmetrics, which has no HOTA; that comes from motrics.
(TrackEval has them all, but brings opencv-python, whose files replace those of the headless build
that the models' pictures are made with. The CLEAR figures of motrics 0.3 can pair a person with
the worse of two poses.)
"""

from dataclasses import dataclass

import numpy as np

from annotate.domain.errors import UsageError
from annotate.evaluate.dataset import NONE, People, Truth, track_numbers
from annotate.evaluate.libraries import library
from annotate.evaluate.pairs import LEAST_OKS, Meeting, Pairs


@dataclass(frozen=True)
class Tracking:
    """All videos as one; `mota` and `idf1` at OKS 0.5.

    Attributes:
        people: tracks of the truth.
        tracks: of the predictions.
        mota: 1 - (missed + invented + switches) / people in all frames; below 0 if need be.
        idf1: share of the poses that carry the one track id that fits a person best.
        switches: how often a person's track id changes, gaps or not.
        hota: mean over the OKS thresholds 0.05, 0.10 .. 0.95 of sqrt(deta * assa).
        deta, assa: accuracy of detection and of association, likewise.
        hota_curve: (threshold, hota, deta, assa) of every threshold.
    """

    people: int
    tracks: int
    mota: float
    idf1: float
    switches: int
    hota: float
    deta: float
    assa: float
    hota_curve: tuple[tuple[float, float, float, float], ...]


def measure_tracking(truth: Truth, poses: People, pairs: Pairs) -> Tracking | None:
    """The figures over all videos, or None where one of the sides has no tracks.

    Raises:
        UsageError: a track is twice in one frame, or a library is not installed.
    """
    person_of = track_numbers(truth.people, truth.images)
    pose_of = track_numbers(poses, truth.images)
    frames = [
        meeting
        for meeting, video in zip(pairs.meetings, truth.images.video.tolist(), strict=True)
        if video != NONE
    ]
    ids = [(person_of[m.people].tolist(), pose_of[m.poses].tolist()) for m in frames]
    people = {number for mine, _ in ids for number in mine}
    tracks = {number for _, theirs in ids for number in theirs}
    if not people or NONE in people | tracks:
        return None
    if any(len(set(side)) < len(side) for both in ids for side in both):
        raise UsageError(
            "a track is twice in one frame", "Every track id may be once in a frame; mend the file."
        )
    clear = _clear(ids, frames)
    hota = library("motrics").compute_hota_from_similarity(
        [mine for mine, _ in ids], [theirs for _, theirs in ids], [m.oks.tolist() for m in frames]
    )
    return Tracking(
        people=len(people),
        tracks=len(tracks),
        mota=float(clear["mota"]),
        idf1=float(clear["idf1"]),
        switches=int(clear["num_switches"]),
        hota=hota.hota,
        deta=hota.deta,
        assa=hota.assa,
        hota_curve=tuple(
            zip(hota.alphas, hota.hota_alphas, hota.deta_alphas, hota.assa_alphas, strict=True)
        ),
    )


def _clear(ids: list[tuple[list[int], list[int]]], frames: list[Meeting]) -> dict[str, float]:
    motmetrics = library("motmetrics")
    account = motmetrics.MOTAccumulator(auto_id=True)
    for (people, tracks), meeting in zip(ids, frames, strict=True):
        apart = np.where(meeting.oks >= LEAST_OKS, 1 - meeting.oks, np.nan)
        account.update(people, tracks, apart)
    figures: dict[str, float] = motmetrics.metrics.create().compute(
        account, metrics=["mota", "idf1", "num_switches"], return_dataframe=False
    )
    return figures
