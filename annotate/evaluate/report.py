"""What an evaluation says: figures, as data and as tables."""

from dataclasses import asdict, dataclass
from typing import Any

from annotate.evaluate.accuracy import Correct, Found
from annotate.evaluate.motion import Motion
from annotate.evaluate.precision import AveragePrecision
from annotate.evaluate.tracking import Tracking


@dataclass(frozen=True)
class Report:
    """Poses against the truth.

    Attributes:
        images: of the truth.
        found: all people, whatever their height.
        heights: the same by bands of height.
        elsewhere: poses that were left out because their image is not in the truth.
        average: AP and AR by OKS.
        correct: PCK@0.2.
        tracking: None where one of the sides has no tracks.
        motion: None where the truth has no tracks.
    """

    images: int
    found: Found
    heights: tuple[Found, ...]
    elsewhere: int
    average: AveragePrecision
    correct: Correct
    tracking: Tracking | None
    motion: Motion | None


@dataclass(frozen=True)
class Table:
    """A table for people: a title, a head and rows of as many cells."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def as_json(report: Report) -> dict[str, Any]:
    """The figures as JSON knows them, with None for what cannot be told."""
    content = asdict(report)
    for found, fields in zip(
        (report.found, *report.heights), (content["found"], *content["heights"]), strict=True
    ):
        fields["recall"], fields["precision"] = found.recall, found.precision
    return content


def tables(report: Report) -> tuple[Table, ...]:
    """What a user reads, in this order."""
    return tuple(
        table
        for table in (_people(report), _keypoints(report), _tracks(report), _motion(report))
        if table.rows
    )


def _people(report: Report) -> Table:
    rows = [
        (
            f"{band.low} px and more" if band.high is None else f"{band.low} to {band.high} px",
            *_counts(band),
        )
        for band in report.heights
        if band.people or band.invented
    ]
    return Table(
        "People found (OKS 0.5), by height",
        ("height", "people", "found", "invented", "recall", "precision"),
        (*rows, ("all", *_counts(report.found))),
    )


def _counts(found: Found) -> tuple[str, ...]:
    counts = (f"{n:,}" for n in (found.people, found.found, found.invented))
    return (*counts, _share(found.recall), _share(found.precision))


def _keypoints(report: Report) -> Table:
    average = report.average
    rows = (
        ("AP", average.ap, average.ap50, average.ap75, average.ap_medium, average.ap_large),
        ("AR", average.ar, average.ar50, average.ar75, average.ar_medium, average.ar_large),
    )
    head = ("", "OKS 0.50:0.95", "OKS 0.50", "OKS 0.75", "medium", "large")
    cells = [(str(name), *(_share(value) for value in values)) for name, *values in rows]
    blank = ("",) * 4
    return Table(
        "Keypoints", head, (*cells, ("PCK@0.2 of those found", _share(report.correct.all), *blank))
    )


def _tracks(report: Report) -> Table:
    one = report.tracking
    rows = (
        ()
        if one is None
        else (
            ("MOTA", _share(one.mota)),
            ("IDF1", _share(one.idf1)),
            ("HOTA", _share(one.hota)),
            ("switches of track id", f"{one.switches:,}"),
            ("tracks, for so many people", f"{one.tracks:,} for {one.people:,}"),
        )
    )
    return Table("Identity (OKS as similarity)", ("figure", "value"), rows)


def _motion(report: Report) -> Table:
    one = report.motion
    rows = (
        ()
        if one is None
        else (
            ("jitter, heights/s^2", _number(one.jitter)),
            ("the truth's own, heights/s^2", _number(one.true_jitter)),
            ("lag, frames", _number(one.lag)),
        )
    )
    return Table("Motion", ("figure", "value"), rows)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
