"""Reports: a page, or a folder of pages, that shows what a job found and what to look at."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from annotate import __version__
from annotate.domain.errors import StoreError, UsageError, with_hint
from annotate.domain.job import Job
from annotate.domain.names import printable
from annotate.domain.progress import Progress, silent
from annotate.domain.settings import Settings
from annotate.queue.job_status import JobStatus, VideoStatus
from annotate.render.report_page import (
    SIGNATURE,
    JobReport,
    VideoReport,
    job_page,
    severity_word,
    video_page,
)
from annotate.store import Store
from annotate.use_cases.job_snapshot import take_snapshot
from annotate.use_cases.output import output_file, output_folder
from annotate.use_cases.report_video import VideoReporter

# Jobs of more videos get a page for each.
ONE_PAGE_VIDEOS = 12
# Pictures of suspicious moments on a page, about 25 kB each: a page stays under 5 MB.
_PICTURES, _LEAST_PICTURES = 90, 6
_MOST_PICTURES = 36
_PURPOSES = {
    "detector": "finds people",
    "landmark": "finds their keypoints",
    "person_detector": "finds small people",
}


def report(
    store: Store,
    settings: Settings,
    job: Job,
    out: Path | None = None,
    *,
    force: bool = False,
    progress: Progress = silent,
) -> Path:
    """Writes the report of a job.

    Args:
        out: a file whose name ends in `.html`, or a folder; by default `report.html`, or the
            folder `report` where the job has many videos.
        force: replace what is not a report.
        progress: called while tracks are read and pictures drawn.

    Returns:
        The page to open first.

    Raises:
        UsageError: the job has too many videos for one page, or `out` cannot be written.
        StoreError: the store cannot be read.
        OutputError: the report cannot be written.
    """
    status = take_snapshot(store, job, settings).status
    count = len(status.videos)
    target = out or Path("report" if count > ONE_PAGE_VIDEOS else "report.html")
    one_page = target.suffix.lower() in (".html", ".htm")
    if one_page and count > ONE_PAGE_VIDEOS:
        raise UsageError(
            f"{count} videos are too many for one page",
            f"Name a folder with --out; one page holds {ONE_PAGE_VIDEOS} videos.",
        )
    pictures = max(_PICTURES // count, _LEAST_PICTURES) if one_page else _MOST_PICTURES
    pictures = min(pictures, _MOST_PICTURES)
    reporter = VideoReporter(store, settings, job, pictures, progress)
    if one_page:
        with output_file(target, (SIGNATURE,), force=force) as file:
            videos = [*_videos(reporter, status)]
            _write(file, job_page(_job_report(store, status, videos), videos))
        return target
    with output_folder(target, force=force) as folder:
        _write_folder(store, status, reporter, folder)
    return target / "index.html"


def _write_folder(store: Store, status: JobStatus, reporter: VideoReporter, folder: Path) -> None:
    """A page a video, each written before the next is made, then the job's page."""
    rows = []
    bare = _job_report(store, status, [])
    for number, video in enumerate(_videos(reporter, status), start=1):
        page = f"video-{number:04d}.html"
        with (folder / page).open("wb") as file:
            _write(file, video_page(bare, video))
        rows.append(replace(video, page=page, timeline=None, tracks=(), moments=()))
    with (folder / "index.html").open("wb") as file:
        _write(file, job_page(_job_report(store, status, rows), rows))


def _videos(reporter: VideoReporter, status: JobStatus) -> Iterator[VideoReport]:
    for video in status.videos:
        notes = [*_missing_of(video)]
        try:
            yield reporter.report(video, notes)
        except StoreError as error:
            line = with_hint(error.message, error.hint)
            yield VideoReport(printable(video.video.name), "unreadable", (), [*notes, line])


def _write(file: BinaryIO, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        file.write(piece)


def _job_report(store: Store, status: JobStatus, videos: list[VideoReport]) -> JobReport:
    job, found = status.job, [one.summary for one in videos if one.summary]
    done = sum(video.state == "done" for video in status.videos)
    accounts = [video.account for video in status.videos]
    worst = max((one.worst for one in found if one.moments), default=0.0)
    moments = sum(one.moments for one in found)
    return JobReport(
        id=job.id,
        headline=(
            f"{done} of {len(status.videos)} videos done, "
            f"{status.frames_done:,} of {status.frames:,} frames."
        ),
        facts=_facts(job),
        models=_models(store, job),
        workers=_workers(store, status),
        missing=[*_missing(status)],
        total=[
            ("Videos", f"{len(status.videos):,}"),
            ("Frames annotated", f"{sum(one.decoded for one in accounts):,}"),
            ("Frames damaged", f"{sum(one.damaged for one in accounts):,}"),
            ("Frames missing", f"{sum(one.missing for one in accounts):,}"),
            ("Tracks", f"{sum(one.tracks for one in found):,}"),
            ("Most people at once", f"{max((one.most for one in found), default=0):,}"),
            ("Moments to look at", f"{moments:,}" if moments else "none"),
            ("The worst", severity_word(worst) if moments else "-"),
        ],
    )


def _facts(job: Job) -> list[tuple[str, str]]:
    recipe, selection, every = job.recipe, job.recipe.selection, job.recipe.detect_every
    end = "the end" if selection.end_s is None else f"{selection.end_s:g} s"
    frames = f"from {selection.start_s:g} s to {end}"
    if selection.fps:
        frames += f", {selection.fps:g} a second"
    elif selection.every > 1:
        frames += f", every {selection.every}th"
    return [
        ("Program", f"annotate {__version__}"),
        ("People", recipe.people),
        ("Detector", "on every frame" if every == 1 else f"on every {every}th frame"),
        *([("Pictures", f"turned in {recipe.rotations} ways")] if recipe.rotations > 1 else []),
        ("Frames", frames),
        ("Smoothing", "off" if job.smooth_hz is None else f"{job.smooth_hz:g} Hz"),
        ("Model pack", f"{recipe.pack_name}, digest {recipe.pack[:16]}"),
        ("Recipe", recipe.digest),
        ("Merge", job.merge_digest),
    ]


def _models(store: Store, job: Job) -> list[tuple[str, str, str]]:
    try:
        pack = store.read_pack(job.recipe.pack)
    except StoreError:
        return []
    used = [*pack.detectors(job.recipe.people), "landmark"]
    return [(pack.stages[one].file, _PURPOSES[one], pack.stages[one].sha256) for one in used]


def _workers(store: Store, status: JobStatus) -> list[tuple[str, str, str]]:
    """What made the parts, by execution provider, and who works on the job now."""
    frames: Counter[str] = Counter()
    for video in status.videos:
        results = store.results(status.job.recipe, video.video)
        for chunk in video.chunks or ():
            if chunk.name in video.done:
                frames[results.part_outline(chunk).provider] += len(chunk)
    made = [("all so far", name, f"{count:,} frames") for name, count in sorted(frames.items())]
    now = [
        (beat.worker, beat.provider, f"{beat.frames_per_s:.1f} frames/s now")
        for video in status.videos
        for beat in video.running
    ]
    return [*made, *now]


def _missing(status: JobStatus) -> Iterator[str]:
    for one in status.job.rejected:
        yield with_hint(f"Rejected: {one.reason}", one.hint)
    for video in status.videos:
        for line in _missing_of(video):
            yield f"{printable(video.video.name)}: {line}"
    for name, first in status.job.copies:
        yield f"{printable(name)}: a duplicate of {printable(first)}, annotated once"


def _missing_of(video: VideoStatus) -> Iterator[str]:
    if not video.planned:
        yield "not planned: run the same `annotate submit` again"
    for failure in video.failures.values():
        yield with_hint(f"{failure.unit} failed: {failure.reason}", failure.hint)
    if video.missing:
        yield f"{sum(map(len, video.missing)):,} frames are not annotated yet"
    account = video.account
    if account.damaged:
        yield f"{account.damaged:,} frames cannot be decoded"
    if video.video.missing_frames:
        yield f"{video.video.missing_frames:,} frames that the file claims are not in it"
