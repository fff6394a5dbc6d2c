"""`annotate draw`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import StoreOption, store_of, with_options
from annotate.domain.errors import AnnotateError, ExitCode, UsageError, with_hint
from annotate.domain.look import Look

if TYPE_CHECKING:
    from annotate.domain.job import Job, JobVideo
    from annotate.store import Store

WhatArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[JOB|VIDEO]...",
        help="A job's id, or names of videos of a job.",
        show_default="all videos of the newest job",
    ),
]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="Folder for the drawings.")]
FrameOption = Annotated[
    int | None, typer.Option("--frame", min=0, help="Draw this frame only, as PNG.")
]


@with_options(Look)
def draw(
    what: WhatArgument = None,
    *,
    options: Look,
    out: OutOption = Path("drawn"),
    frame: FrameOption = None,
    store: StoreOption = None,
) -> None:
    """Draw the people into a copy of each video, with the times of its frames.

    Each track has a colour; its label is the track's id and the pose's score.
    Doubtful points, and poses that were filled in, are hollow.

    Examples:

      annotate draw walk.mp4 --trail 2 --audio

      annotate draw walk.mp4 --frame 123
    """
    from annotate.cli.progress import phases
    from annotate.use_cases.draw import Drawing

    if frame is not None and (options.crop is not None or options.audio or options.trail):
        raise UsageError("--frame is a still", "Leave --crop, --trail and --audio away.")
    the_store, settings = store_of(store)
    job, videos = _chosen(the_store, what or [])
    failed = 0
    for video in videos:
        try:
            drawing = Drawing(the_store, settings, job, video)
            with phases() as phase:
                if frame is None:
                    target = drawing.write_video(out, options, phase)
                else:
                    target = drawing.write_still(out, frame, options, phase)
        except AnnotateError as error:
            if len(videos) == 1:
                raise
            failed += 1
            typer.echo(with_hint(f"not drawn  {error.message}", error.hint), err=True)
        else:
            typer.echo(str(target))
    if failed:
        raise typer.Exit(ExitCode.PARTIAL)


def _chosen(store: "Store", what: list[str]) -> tuple["Job", list["JobVideo"]]:
    """The job, and those of its videos that the arguments name."""
    ids = set(store.job_ids())
    jobs = [one for one in what if one in ids]
    if len(jobs) > 1:
        raise UsageError("more than one job is named", "Draw one job at a time.")
    job = store.read_job(jobs[0]) if jobs else store.newest_job()
    names = [one for one in what if one not in ids]
    videos = [video for name in names for video in _named(job, name)]
    first = {video.fingerprint: video for video in reversed(videos or job.videos)}
    return job, [video for video in videos or job.videos if first[video.fingerprint] is video]


def _named(job: "Job", name: str) -> list["JobVideo"]:
    found = [video for video in job.videos if video.name == name]
    found = found or [video for video in job.videos if Path(video.name).name == Path(name).name]
    if not found:
        raise UsageError(
            f"job {job.id} has no video {name}",
            "`annotate status JOB` lists its videos; name another job before the video.",
        )
    return found
