"""`annotate submit` and `annotate retry`."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from annotate.cli.options import (
    JobArgument,
    ProcessesOption,
    StoreOption,
    VideosArgument,
    noting_damage,
    store_of,
    the_job,
    with_list,
    with_options,
)
from annotate.cli.text import accounts, duplicate_video, number, say, video_notes
from annotate.domain.errors import ExitCode, StoreError, with_hint
from annotate.domain.names import printable
from annotate.domain.options import SubmitOptions
from annotate.domain.settings import settings_from
from annotate.loading import loading

if TYPE_CHECKING:
    from annotate.domain.job import Job
    from annotate.domain.settings import Settings
    from annotate.queue.early_process import EarlyProcess
    from annotate.queue.job_status import JobStatus
    from annotate.store import Store
    from annotate.use_cases.find_videos import FoundVideos

STOPPED = "Stopped. Run the same command to continue"


@with_options(SubmitOptions)
def submit(
    videos: VideosArgument,
    options: SubmitOptions,
    *,
    detach: Annotated[
        bool, typer.Option("--detach", help="Do not wait for the workers of the queue.")
    ] = False,
    processes: ProcessesOption = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Name the files of folders that are left out.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Only show what is in them, and what they would cost, as `annotate probe` does.",
        ),
    ] = False,
    store: StoreOption = None,
) -> None:
    """Annotate videos: find, track and smooth every person in every frame.

    Works in the foreground, on all cores. Stop it whenever you like: the
    same command continues where it stopped.

    Examples:

      annotate submit videos/*.mp4

      annotate submit recordings/ --smooth 10

      annotate submit match.mp4 --start 1:30 --end 2:00 --fps 10

      annotate submit s3://bucket/recordings
    """
    settings = options.on_host(settings_from(store=store))
    if dry_run:
        _dry_run(videos, options, settings, processes, verbose=verbose)
    with loading():
        from annotate.queue.early_process import started_early
        from annotate.use_cases.worker_pool import processes_for

    with started_early(settings) as early:
        the_store, found, workers = _found(videos, options, settings, processes, verbose=verbose)
        options = replace(options, pack=pack_of(options, settings))
        with noting_damage(the_store):
            job = _submitted(the_store, found, options, settings, workers)
            print_notes(the_store, job)
            workers = processes_for(job.recipe.runs_on, settings, processes)
            status = work(the_store, job, settings, workers, detach=detach, early=early)
    print_result(status, the_store, store)
    _exit_if(job.rejected or not status.complete)


def _found(
    videos: list[str],
    options: SubmitOptions,
    settings: "Settings",
    processes: int | None,
    *,
    verbose: bool,
) -> "tuple[Store, FoundVideos, int]":
    """The store, the videos, and how many processes work on them; prints what is left out."""
    with loading():
        from annotate.cli.progress import print_left_out
        from annotate.store import open_store
        from annotate.use_cases.find_videos import find_patiently
        from annotate.use_cases.worker_pool import processes_here

    store = open_store(settings.store)
    found = find_patiently(with_list(videos), settings, store=store)
    print_left_out(found, verbose=verbose)
    _print_decoder(found, options, settings)
    return store, found, processes_here(settings, processes)


def _dry_run(
    videos: list[str],
    options: SubmitOptions,
    settings: "Settings",
    processes: int | None,
    *,
    verbose: bool,
) -> NoReturn:
    """Says what is in the videos and what they would cost, and ends the command."""
    from annotate.cli.probe import exit_code, print_facts
    from annotate.cli.progress import phases
    from annotate.use_cases.probe_videos import probe_videos

    store, found, workers = _found(videos, options, settings, processes, verbose=verbose)
    with phases() as phase:
        probed = probe_videos(store, found, options, settings, phase, workers)
    print_facts(probed)
    say("Nothing was submitted.\nNext: the same command without --dry-run")
    raise typer.Exit(exit_code(probed.videos))


def _submitted(
    store: "Store",
    found: "FoundVideos",
    options: SubmitOptions,
    settings: "Settings",
    workers: int,
) -> "Job":
    """The job that is made of the videos."""
    with loading():
        from annotate.cli.progress import phases, print_line
        from annotate.use_cases.submit import submit as submit_all

    with _saying(f"{STOPPED}: what was read is kept."), phases() as phase:
        return submit_all(
            store, found, options, settings, workers=workers, progress=phase, tell=print_line
        )


def retry(
    job: JobArgument = None, *, processes: ProcessesOption = None, store: StoreOption = None
) -> None:
    """Retry what failed in a job, and continue with what is missing."""
    from annotate.use_cases.retry import forget_failures
    from annotate.use_cases.worker_pool import processes_for

    the_store, settings = store_of(store)
    manifest = the_job(the_store, job, announce=False)
    workers = processes_for(manifest.recipe.runs_on, settings, processes)
    with noting_damage(the_store):
        forgotten = forget_failures(the_store, manifest)
        say(f"Job {manifest.id}: retrying {forgotten} failures.", err=True)
        status = work(the_store, manifest, settings, workers)
    print_result(status, the_store, store, job)
    _exit_if(not status.complete)


def _exit_if(partial: object) -> None:
    if partial:
        raise typer.Exit(ExitCode.PARTIAL)


def pack_of(options: SubmitOptions, settings: "Settings") -> str:
    """Name of the pack that the options mean; it is fetched where none is installed."""
    from annotate.cli.progress import phases, print_line
    from annotate.use_cases.find_pack import find_pack

    with phases() as phase:
        return find_pack(settings.packs, options.pack, phase, print_line).name


def _print_decoder(found: "FoundVideos", options: SubmitOptions, settings: "Settings") -> None:
    """Prints what decodes the first video that can be read, where hardware may."""
    if options.hwaccel != "auto":
        return
    from annotate.cli.progress import print_line
    from annotate.domain.errors import VideoError
    from annotate.video import hardware_device

    line = "Decoding on the CPU."
    for file in (video for video in found.videos if isinstance(video, Path)):
        with suppress(VideoError):
            device = hardware_device(file, limits=settings.limits)
            line = f"Decoding on {device}."
            if not device:
                line = f"No hardware decoder takes {printable(file.name)}: decoding on the CPU."
            break
    print_line(line)


def print_notes(store: "Store", job: "Job") -> None:
    """Prints which files are rejected, truncated or duplicates."""
    from annotate.cli.progress import print_line

    for one in job.rejected:
        print_line(with_hint(f"rejected   {one.reason}", one.hint), "yellow")
    for video in job.videos:
        index = store.read_index(video.fingerprint, job.recipe.selection)
        for line in video_notes(video.name, index):
            print_line(line, "yellow")
    for name, first in job.copies:
        print_line(duplicate_video(name, first), "dim")


@contextmanager
def _saying(line: str) -> Iterator[None]:
    """Says this and ends the command where the block is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        say(line, err=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def work(
    store: "Store",
    job: "Job",
    settings: "Settings",
    processes: int,
    *,
    detach: bool = False,
    early: "EarlyProcess | None" = None,
) -> "JobStatus":
    """Works on the job here, or has the workers of the queue do it, until it is finished."""
    from annotate.cli.progress import job_reporter
    from annotate.queue.run_job import hand_over, run_job

    if detach and not settings.embedded:
        hand_over(store, job, settings)
        say(f"Job {job.id} is queued.\nNext: annotate status --watch")
        raise typer.Exit(ExitCode.PARTIAL if job.rejected else ExitCode.DONE)
    line = f"{STOPPED}: finished chunks are kept."
    if not settings.embedded:
        line = (
            f"The workers continue with job {job.id}. `annotate status --watch` follows it, "
            f"`annotate cancel {job.id}` stops it."
        )
    with _saying(line), job_reporter() as report:
        status = run_job(store, job, settings, processes, report, early)
    if store.is_cancelled(job.id):
        say(f"Job {job.id} was cancelled.", err=True)
    return status


def print_result(
    status: "JobStatus", store: "Store", location: str | None, job_id: str | None = None
) -> None:
    """Prints the result and the next step.

    Args:
        location, job_id: of the store and the job, as the user gave them: the next step needs
            them too.
    """
    from annotate.cli.found import found_lines

    job = status.job
    finished = {video.video.fingerprint for video in status.videos if video.state == "done"}
    done = sum(video.fingerprint in finished for video in job.videos)
    rejected = f", {len(job.rejected)} rejected" if job.rejected else ""
    say(
        f"Job {job.id}: {done} of {len(job.videos)} videos done{rejected}, "
        f"{number(status.frames_done)} frames."
    )
    for line in accounts(status):
        say(line)
    for video in status.unplanned:
        say(with_hint(f"{video.video.name} is not planned.", video.damage), err=True)
    # What cannot be read now is not worth failing a job that is done; `annotate check` names it.
    with suppress(StoreError):
        for line in found_lines(store, status.job):
            say(line)
    say(f"Next: {_next_step(status, location, job_id)}")


def _next_step(status: "JobStatus", store: str | None, job_id: str | None) -> str:
    where = f" --store {shlex.quote(store)}" if store else ""
    if status.complete:
        job = f" --job {job_id}" if job_id else ""
        return f"annotate export --format coco --out people.json{job}{where}"
    if status.unplanned:
        return "submit the same videos again with the same options, which plans the rest"
    return f"annotate retry {status.job.id}{where}"
