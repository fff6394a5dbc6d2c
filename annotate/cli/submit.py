"""`annotate submit`."""

import os
import shlex
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import JobArgument, StoreOption, store_of, the_job
from annotate.cli.text import cut_off, same_video, seconds_of
from annotate.domain.errors import ExitCode, UsageError
from annotate.domain.pack import read_pack

if TYPE_CHECKING:
    from annotate.domain.job import Job
    from annotate.domain.settings import Settings
    from annotate.domain.video import Selection
    from annotate.queue.job_status import JobStatus
    from annotate.store import Store

ProcessesOption = Annotated[
    int | None,
    typer.Option("--processes", "-j", min=1, help="Worker processes.", show_default="all cores"),
]


class Whom(StrEnum):
    """Who is looked for."""

    NEAR = "near"
    ALL = "all"


# The best recall for the cost, measured by `python -m tests.benchmarks.people`.
DETECT_EVERY = {Whom.NEAR: 5, Whom.ALL: 10}


class Smooth(StrEnum):
    """Cut-offs that the smoother offers."""

    HZ_4 = "4"
    HZ_6 = "6"
    HZ_10 = "10"
    OFF = "off"

    @property
    def hz(self) -> float | None:
        """In Hz, or None."""
        return None if self is Smooth.OFF else float(self.value)


class Urgency(StrEnum):
    """Priorities of a job."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Hwaccel(StrEnum):
    """Where videos are decoded."""

    OFF = "off"
    AUTO = "auto"


def submit(
    videos: Annotated[
        list[Path], typer.Argument(metavar="VIDEO", help="Video files, or folders of them.")
    ],
    *,
    store: StoreOption = None,
    people: Annotated[
        Whom,
        typer.Option(
            help="Whom to look for: `near` finds people larger than about a quarter of the "
            "picture's longer side, `all` small ones too, at several times the cost."
        ),
    ] = Whom.NEAR,
    detect_every: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Run the detector on every so many frames; people are followed between.",
            show_default="5, with --people all 10; 1 where the pack cannot follow",
        ),
    ] = None,
    start: Annotated[
        str,
        typer.Option(metavar="TIME", help="Begin at this time of every video, e.g. 90 or 1:30."),
    ] = "0",
    end: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="End before this time.", show_default="its end"),
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Annotate every so many frames only.")] = 1,
    fps: Annotated[
        float | None,
        typer.Option(min=0.001, help="Annotate so many frames a second only.", show_default="all"),
    ] = None,
    smooth: Annotated[
        Smooth, typer.Option(help="Cut-off of the smoother in Hz; lower is smoother.")
    ] = Smooth.HZ_6,
    pack: Annotated[
        str | None,
        typer.Option(
            help="Model pack, see `annotate models list`.", show_default="the default pack"
        ),
    ] = None,
    hwaccel: Annotated[
        Hwaccel, typer.Option(help="Decode in hardware, where this host can: auto or off.")
    ] = Hwaccel.OFF,
    priority: Annotated[
        Urgency, typer.Option(help="Whose chunks the workers of a queue take first.")
    ] = Urgency.NORMAL,
    detach: Annotated[
        bool, typer.Option("--detach", help="Do not wait for the workers of the queue.")
    ] = False,
    processes: ProcessesOption = None,
) -> None:
    """Annotate videos: find, track and smooth every person in every frame.

    Works in the foreground, on all cores. Stop it whenever you like: the same command goes on
    where it was, and finds at once what is done already.

    Examples:

      annotate submit videos/*.mp4

      annotate submit recordings/ --smooth 10

      annotate submit match.mp4 --start 1:30 --end 2:00 --fps 10
    """
    from annotate.cli.models import ensure_pack
    from annotate.cli.progress import console, phases
    from annotate.use_cases.submit import expand
    from annotate.use_cases.submit import submit as submit_videos

    the_store, settings = store_of(store)
    selection = selected(start, end, every, fps)
    files = expand(videos)
    if hwaccel is Hwaccel.AUTO:
        settings = replace(settings, hwaccel="auto")
        console.print(_decoder(files), markup=False, highlight=False)
    folder = ensure_pack(settings.packs, pack)
    detect = detect_every or (DETECT_EVERY[people] if read_pack(folder).carries_people else 1)
    count = processes or os.cpu_count() or 1
    with phases() as phase:
        job = submit_videos(
            the_store,
            files,
            folder,
            people=people.value,
            detect_every=detect,
            selection=selection,
            smooth_hz=smooth.hz,
            priority=priority.value,
            workers=count,
            settings=settings,
            progress=phase.file,
        )
    for one in job.rejected:
        console.print(f"skipped  {one.reason}", style="yellow", markup=False, highlight=False)
    for video in job.videos:
        index = the_store.read_index(video.fingerprint)
        if index.missing_s:
            line = cut_off(video.name, index.missing_s)
            console.print(line, style="yellow", markup=False, highlight=False)
    for name, first in job.copies:
        console.print(same_video(name, first), style="dim", markup=False, highlight=False)
    _conclude(_work(the_store, job, settings, count, detach=detach), store)


def _decoder(files: list[Path]) -> str:
    from annotate.domain.errors import VideoError
    from annotate.video import hardware_device

    for file in files:
        with suppress(VideoError):
            device = hardware_device(file)
            return (
                f"Decoding on {device}."
                if device
                else f"No hardware decoder of this host takes {file.name}: decoding on the CPU."
            )
    return "Decoding on the CPU."


def selected(start: str, end: str | None, every: int, fps: float | None) -> "Selection":
    """The frames that the options ask for.

    Raises:
        UsageError: the options contradict each other.
    """
    from annotate.domain.video import Selection

    if fps is not None and every != 1:
        raise UsageError("--every and --fps are two ways to say the same", "Give one of them.")
    selection = Selection(seconds_of(start), None if end is None else seconds_of(end), every, fps)
    if selection.end_s is not None and selection.end_s <= selection.start_s:
        raise UsageError(f"--end {end} is not after --start {start}", "Check the two times.")
    return selection


def retry(
    job: JobArgument = None, *, store: StoreOption = None, processes: ProcessesOption = None
) -> None:
    """Try again what failed in a job, and go on with what is missing."""
    from annotate.use_cases.retry import forget_failures

    the_store, settings = store_of(store)
    manifest = the_job(the_store, job)
    forgotten = forget_failures(the_store, manifest)
    typer.echo(f"Job {manifest.id}: {forgotten} failures are tried again.", err=True)
    count = processes or os.cpu_count() or 1
    _conclude(_work(the_store, manifest, settings, count), store)


def _work(
    store: "Store", job: "Job", settings: "Settings", processes: int, *, detach: bool = False
) -> "JobStatus":
    from annotate.cli.progress import job_reporter
    from annotate.queue.run_job import follow, hand_over, work_here

    if not settings.embedded:
        hand_over(store, job, settings)
        if detach:
            typer.echo(f"Job {job.id} is handed to the workers: annotate status --watch")
            raise typer.Exit
    try:
        with job_reporter() as report:
            if settings.embedded:
                return work_here(store, job, settings, processes, report)
            return follow(store, job, settings, report)
    except KeyboardInterrupt:
        said = "Stopped. The same command goes on: what is done stays, chunks under way begin anew."
        if not settings.embedded:
            said = (
                f"The workers go on with job {job.id}: `annotate status --watch` follows them, "
                f"`annotate cancel {job.id}` stops them."
            )
        typer.echo(said, err=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _conclude(status: "JobStatus", store: str | None) -> None:
    from annotate.cli.text import number

    job = status.job
    where = f" --store {shlex.quote(store)}" if store else ""
    finished = {video.video.fingerprint for video in status.videos if video.state == "done"}
    done = sum(video.fingerprint in finished for video in job.videos)
    typer.echo(
        f"Job {job.id}: {done} of {len(job.videos) + len(job.rejected)} videos done, "
        f"{number(status.frames_done)} frames."
    )
    if status.complete:
        typer.echo(f"Next: annotate export --format coco --out people.json{where}")
        return
    for video in status.unplanned:
        typer.echo(
            f"{video.video.name} is not planned: submit the same videos again with the same "
            "options to plan it and go on.",
            err=True,
        )
    if any(video.failures for video in status.videos):
        typer.echo(f"Some of it failed. Try that again with: annotate retry{where}", err=True)
    raise typer.Exit(ExitCode.PARTIAL)
