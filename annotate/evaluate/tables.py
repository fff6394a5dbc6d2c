"""An evaluation as tables of text."""

from dataclasses import dataclass

from annotate.evaluate.accuracy import DetectionCounts
from annotate.evaluate.evaluation import Evaluation


@dataclass(frozen=True)
class Table:
    """A table to print: a title, a head, and rows of as many cells."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(evaluation: Evaluation) -> tuple[Table, ...]:
    """The tables that `annotate evaluate` prints, in order; none for figures that are missing."""
    made = (
        _detections(evaluation),
        _visibility(evaluation),
        _keypoints(evaluation),
        _each_keypoint(evaluation),
        _intervals(evaluation),
        _identity(evaluation),
        _motion(evaluation),
    )
    return tuple(table for table in made if table.rows)


def _detections(evaluation: Evaluation) -> Table:
    rows = [
        (
            f"{band.low} px and more" if band.high is None else f"{band.low} to {band.high} px",
            *_counts(band),
        )
        for band in evaluation.by_height
        if band.people or band.false_positives
    ]
    return Table(
        "People found (OKS 0.5), by height",
        ("height", "people", "found", "false positives", "recall", "precision"),
        (*rows, ("all", *_counts(evaluation.detections))),
    )


def _counts(counts: DetectionCounts) -> tuple[str, ...]:
    numbers = (f"{n:,}" for n in (counts.people, counts.found, counts.false_positives))
    return (*numbers, _fraction(counts.recall), _fraction(counts.precision))


def _keypoints(evaluation: Evaluation) -> Table:
    one = evaluation.average_precision
    rows = (
        ("AP", one.ap, one.ap50, one.ap75, one.ap_medium, one.ap_large),
        ("AR", one.ar, one.ar50, one.ar75, one.ar_medium, one.ar_large),
    )
    head = ("", "OKS 0.50:0.95", "OKS 0.50", "OKS 0.75", "medium", "large")
    cells = [(str(name), *(_fraction(value) for value in values)) for name, *values in rows]
    pck = ("PCK@0.2 of people found", _fraction(evaluation.pck.overall), *("",) * 4)
    return Table("Keypoints", head, (*cells, pck))


def _visibility(evaluation: Evaluation) -> Table:
    rows = tuple(
        (
            f"{one.low:.0%} to {one.high:.0%}",
            *(f"{n:,}" for n in (one.people, one.found)),
            _fraction(one.recall),
        )
        for one in evaluation.by_visibility
        if one.people
    )
    title = "People found, by the share of their keypoints that is visible"
    return Table(title, ("visible", "people", "found", "recall"), rows)


def _each_keypoint(evaluation: Evaluation) -> Table:
    rows = tuple(
        (
            one.name.replace("_", " "),
            f"{one.labelled:,}",
            _fraction(one.similarity),
            _fraction(one.pck),
        )
        for one in evaluation.by_keypoint
        if one.labelled
    )
    head = ("keypoint", "labelled", "similarity", "PCK@0.2")
    return Table("Each keypoint of people found", head, rows)


def _intervals(evaluation: Evaluation) -> Table:
    one = evaluation.intervals
    named = (
        ("AP", one.ap),
        ("AR", one.ar),
        ("recall", one.recall),
        ("precision", one.precision),
        ("PCK@0.2", one.pck),
    )
    rows = tuple((name, f"{pair[0]:.3f} to {pair[1]:.3f}") for name, pair in named if pair)
    title = f"90% intervals, by drawing from {one.groups:,} {one.over}"
    return Table(title, ("figure", "interval"), rows)


def _identity(evaluation: Evaluation) -> Table:
    one = evaluation.tracking
    rows = (
        ()
        if one is None
        else (
            ("MOTA", _fraction(one.mota)),
            ("IDF1", _fraction(one.idf1)),
            ("HOTA", _fraction(one.hota)),
            ("identity switches", f"{one.identity_switches:,}"),
            ("tracks of people", f"{one.tracks:,} of {one.people:,}"),
        )
    )
    return Table("Identity (OKS as similarity)", ("figure", "value"), rows)


def _motion(evaluation: Evaluation) -> Table:
    one = evaluation.motion
    rows = (
        ()
        if one is None
        else (
            ("jitter, heights/s^2", _number(one.jitter)),
            ("jitter of the truth, heights/s^2", _number(one.true_jitter)),
            ("lag, frames", _number(one.lag)),
        )
    )
    return Table("Motion", ("figure", "value"), rows)


def _fraction(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
