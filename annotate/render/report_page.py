"""Writes reports as HTML pages that need nothing else: no script, no font, no request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray

from annotate.domain.moments import Moment
from annotate.domain.skeleton import COCO_KEYPOINTS
from annotate.numeric.angles import ANGLES, TrackAngles
from annotate.numeric.timeline import RAW, SMOOTHED, Timeline
from annotate.render import charts

# How a report begins: what may be replaced by another one.
SIGNATURE = b"<!doctype html>\n<!-- annotate report -->"
# From these severities on, a moment is of high or medium severity.
_HIGH, _MEDIUM = 0.6, 0.35
# Rows of each joint's angles, left and right; the trunk has one.
_JOINTS = [
    (joint, [row for row, name in enumerate(ANGLES) if name.rpartition("_")[2] == joint])
    for joint in ("knee", "hip", "ankle", "shoulder", "elbow", "trunk")
]


@dataclass(frozen=True)
class Bar:
    """A stretch of a track.

    Attributes:
        start_s, stop_s: seconds from the video's first frame.
        filled: the poses in it are filled in.
    """

    start_s: float
    stop_s: float
    filled: bool


@dataclass(frozen=True)
class ShownMoment:
    """A suspicious moment as the page shows it.

    Attributes:
        moment: what it is.
        time_s: of its frame, as players show it.
        picture: data URI of the frame with the people drawn, or empty.
    """

    moment: Moment
    time_s: float
    picture: str = ""


@dataclass(frozen=True, eq=False)
class VideoReport:
    """What a page tells of a video.

    Attributes:
        name: of the video.
        state: how far it is, as `annotate status` says it.
        facts: names and values.
        notes: what is missing, damaged or odd, a line each.
        summary: numbers of the table of videos.
        timeline: None where the video has no tracks.
        tracks: ids and bars of the tracks that are shown, in order.
        hidden_tracks: how many others there are.
        angles: of the longest tracks, in the bins of the timeline.
        moments: those that are shown, the most severe first.
        all_moments: how many there are.
        no_pictures: why moments have no pictures, or empty.
        page: name of its own page's file, or empty where it is on the job's page.
    """

    name: str
    state: str
    facts: Sequence[tuple[str, str]]
    notes: Sequence[str]
    summary: "Summary | None" = None
    timeline: Timeline | None = None
    tracks: Sequence[tuple[int, Sequence[Bar]]] = ()
    hidden_tracks: int = 0
    angles: TrackAngles | None = None
    moments: Sequence[ShownMoment] = ()
    all_moments: int = 0
    no_pictures: str = ""
    page: str = ""


@dataclass(frozen=True)
class Summary:
    """A row of the table of videos.

    Attributes:
        frames: that were annotated.
        seconds: from the first one to the last.
        median, most: people at once.
        empty: share of those frames without people, in [0, 1].
        tracks: how many.
        moments: how many suspicious ones.
        worst: the highest severity of them.
    """

    frames: int
    seconds: float
    median: float
    most: int
    empty: float
    tracks: int
    moments: int
    worst: float


@dataclass(frozen=True)
class JobReport:
    """What a report tells of the job.

    Attributes:
        id: of the job.
        headline: how far it is.
        facts: settings, versions and digests: names and values.
        models: file, purpose and SHA-256 of each model.
        workers: name or provider, and what it did.
        missing: what is missing, damaged or rejected, a line each.
        total: of all videos.
    """

    id: str
    headline: str
    facts: Sequence[tuple[str, str]]
    models: Sequence[tuple[str, str, str]]
    workers: Sequence[tuple[str, str, str]]
    missing: Sequence[str]
    total: Sequence[tuple[str, str]]


def job_page(job: JobReport, videos: Sequence[VideoReport]) -> Iterator[bytes]:
    """The page of the job, with all videos that have no page of their own."""
    template = _environment().get_template("job.html.j2")
    return _encoded(template.stream(job=job, videos=videos, title=f"Job {job.id}"))


def video_page(job: JobReport, video: VideoReport) -> Iterator[bytes]:
    """The page of a video."""
    template = _environment().get_template("video_page.html.j2")
    return _encoded(template.stream(job=job, video=video, title=video.name))


def _encoded(stream: Any) -> Iterator[bytes]:
    stream.enable_buffering(64)
    return (str(piece).encode("utf-8", "replace") for piece in stream)


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("annotate.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(clock=clock, severity=severity_word, percent=_percent, any_known=_any_known)
    made.globals.update(
        area_path=charts.area_path,
        line_path=charts.line_path,
        heat_map=charts.heat_map,
        round_top=charts.round_top,
        colour=charts.css_colour,
        means=_means,
        keypoints=[name.replace("_", " ") for name in COCO_KEYPOINTS],
        joints=_JOINTS,
        RAW=RAW,
        SMOOTHED=SMOOTHED,
    )
    return made


def clock(seconds: float) -> str:
    """Minutes and seconds as players show them; with hours where there are some.

    >>> clock(75.25), clock(3725)
    ('1:15.2', '1:02:05.0')
    """
    tenths = int(round(seconds, 3) * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    end = f"{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{minutes:02d}:{end}" if hours else f"{minutes}:{end}"


def severity_word(severity: float) -> str:
    """High, medium or low."""
    return "high" if severity >= _HIGH else "medium" if severity >= _MEDIUM else "low"


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _any_known(values: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(values).any())


def _means(values: NDArray[np.float64]) -> list[str]:
    """Of each row the mean of what is known, as a percentage."""
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis=1)
    count = known.sum(axis=1)
    return [f"{t / n:.0%}" if n else "-" for t, n in zip(total, count, strict=True)]
