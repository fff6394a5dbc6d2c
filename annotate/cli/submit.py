"""`annotate submit` and `annotate retry`."""

import os
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import (
    JobArgument,
    ProcessesOption,
    StoreOption,
    store_of,
    the_job,
    with_submit_options,
)
from annotate.cli.text import duplicate_video, video_notes
from annotate.domain.errors import ExitCode, with_hint
from annotate.domain.options import SubmitOptions

if TYPE_CHECKING:
    from annotate.domain.job import Job
    from annotate.domain.settings import Settings
    from annotate.queue.job_status import JobStatus
    from annotate.store import Store


@with_submit_options
def submit(
    videos: Annotated[
        list[Path], typer.Argument(metavar="VIDEO", help="Video files, or folders of them.")
    ],
    options: SubmitOptions,
    *,
    detach: Annotated[
        bool, typer.Option("--detach", help="Do not wait for the workers of the queue.")
    ] = False,
    processes: ProcessesOption = None,
    store: StoreOption = None,
) -> None:
    """Annotate videos: find, track and smooth every person in every frame.

    Works in the foreground, on all cores. Stop it whenever you like: the
    same command continues where it stopped.

    Examples:

      annotate submit videos/*.mp4

      annotate submit recordings/ --smooth 10

      annotate submit match.mp4 --start 1:30 --end 2:00 --fps 10
    """
    from annotate.cli.progress import phases
    from annotate.use_cases.submit import submit as submit_videos

    the_store, settings = store_of(store)
    settings = options.on_host(settings)
    if options.hwaccel == "auto":
        _print_decoder(videos)
    count = processes or os.cpu_count() or 1
    with phases() as phase:
        job = submit_videos(the_store, videos, options, settings, workers=count, progress=phase)
    _print_notes(the_store, job)
    _print_result(_work(the_store, job, settings, count, detach=detach), store)
    if job.rejected:
        raise typer.Exit(ExitCode.PARTIAL)


def retry(
    job: JobArgument = None, *, processes: ProcessesOption = None, store: StoreOption = None
) -> None:
    """Retry what failed in a job, and continue with what is missing."""
    from annotate.use_cases.retry import forget_failures

    the_store, settings = store_of(store)
    manifest = the_job(the_store, job)
    forgotten = forget_failures(the_store, manifest)
    typer.echo(f"Job {manifest.id}: retrying {forgotten} failures.", err=True)
    count = processes or os.cpu_count() or 1
    _print_result(_work(the_store, manifest, settings, count), store, job)


def _print_decoder(videos: list[Path]) -> None:
    """Prints what decodes the first video that can be read."""
    from annotate.cli.progress import console
    from annotate.domain.errors import VideoError
    from annotate.use_cases.submit import expand
    from annotate.video import hardware_device

    line = "Decoding on the CPU."
    for file in expand(videos):
        with suppress(VideoError):
            device = hardware_device(file)
            line = f"Decoding on {device}."
            if not device:
                line = f"No hardware decoder of this host takes {file.name}: decoding on the CPU."
            break
    console.print(line, markup=False, highlight=False)


def _print_notes(store: "Store", job: "Job") -> None:
    """Prints which files are rejected, truncated or duplicates."""
    from annotate.cli.progress import console

    def note(line: str, style: str) -> None:
        console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)

    for one in job.rejected:
        note(with_hint(f"rejected   {one.reason}", one.hint), "yellow")
    for video in job.videos:
        index = store.read_index(video.fingerprint, job.recipe.selection)
        for line in video_notes(video.name, index):
            note(line, "yellow")
    for name, first in job.copies:
        note(duplicate_video(name, first), "dim")


def _work(
    store: "Store", job: "Job", settings: "Settings", processes: int, *, detach: bool = False
) -> "JobStatus":
    """Works on the job here, or has the workers of the queue do it, until it is finished."""
    from annotate.cli.progress import job_reporter
    from annotate.queue.run_job import hand_over, run_job

    if detach and not settings.embedded:
        hand_over(store, job, settings)
        typer.echo(f"Job {job.id} is queued.\nNext: annotate status --watch")
        raise typer.Exit(ExitCode.PARTIAL if job.rejected else ExitCode.DONE)
    try:
        with job_reporter() as report:
            return run_job(store, job, settings, processes, report)
    except KeyboardInterrupt:
        line = "Stopped. Run the same command to continue: finished chunks are kept."
        if not settings.embedded:
            line = (
                f"The workers continue with job {job.id}. `annotate status --watch` follows it, "
                f"`annotate cancel {job.id}` stops it."
            )
        typer.echo(line, err=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _print_result(status: "JobStatus", store: str | None, job_id: str | None = None) -> None:
    """Prints the result and the next step; exits with 3 where something is missing.

    Args:
        store, job_id: as the user gave them: the next step needs them too.
    """
    from annotate.cli.text import number

    job = status.job
    finished = {video.video.fingerprint for video in status.videos if video.state == "done"}
    done = sum(video.fingerprint in finished for video in job.videos)
    rejected = f", {len(job.rejected)} rejected" if job.rejected else ""
    typer.echo(
        f"Job {job.id}: {done} of {len(job.videos)} videos done{rejected}, "
        f"{number(status.frames_done)} frames."
    )
    for video in status.unplanned:
        typer.echo(f"{video.video.name} is not planned.", err=True)
    typer.echo(f"Next: {_next_step(status, store, job_id)}")
    if not status.complete:
        raise typer.Exit(ExitCode.PARTIAL)


def _next_step(status: "JobStatus", store: str | None, job_id: str | None) -> str:
    where = f" --store {shlex.quote(store)}" if store else ""
    if status.complete:
        job = f" --job {job_id}" if job_id else ""
        return f"annotate export --format coco --out people.json{job}{where}"
    if status.unplanned:
        return "submit the same videos again with the same options, which plans the rest"
    return f"annotate retry {status.job.id}{where}"
