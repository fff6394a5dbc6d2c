"""`annotate export`."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import (
    JobArgument,
    StoreOption,
    job_ids,
    noting_damage,
    store_of,
    the_job,
    with_options,
)
from annotate.cli.text import count, say
from annotate.domain.choices import one_of
from annotate.domain.errors import ExitCode, UsageError
from annotate.domain.export_options import ExportOptions
from annotate.formats.registry import format_names

if TYPE_CHECKING:
    from annotate.use_cases.export import Summary

RESULTS = "coco-results"

JobOption = Annotated[
    str | None,
    typer.Option(
        "--job",
        metavar="JOB",
        help="The same as JOB.",
        show_default="the newest job",
        autocompletion=job_ids,
    ),
]
ResultsOption = Annotated[bool, typer.Option("--results", help=f"Same as --format {RESULTS}.")]


@with_options(ExportOptions, choices={"format": format_names})
def export(
    job: JobArgument = None,
    *,
    options: ExportOptions,
    results: ResultsOption = False,
    job_option: JobOption = None,
    store: StoreOption = None,
) -> None:
    """Write the dataset: every pose of every frame, tracked and smoothed.

    Exits with 3 when frames are missing; without --partial, nothing is
    written then. With it, missing frames are left out: an image without
    people would say that there are none.

    Examples:

      annotate export --out people.json

      annotate export --format coco-results --out results.json

      annotate export --video match.mp4 --tracks 1,3 --every 5 --out some.json.gz

      annotate export --per-video datasets --partial

      annotate export --every 10 --out people.json --images images
    """
    from annotate.cli.progress import phases
    from annotate.use_cases.export import export as write

    if results and options.format not in ("coco", RESULTS):
        raise UsageError(f"--results is not for --format {options.format}", "Give one of them.")
    if job and job_option and job != job_option:
        raise UsageError(f"two jobs are named: {job} and {job_option}", "Give one of them.")
    name = one_of(format_names(), RESULTS if results else options.format, "--format")
    the_store, settings = store_of(store)
    chosen = the_job(the_store, job or job_option)
    with noting_damage(the_store), phases() as phase:
        summary = write(the_store, chosen, replace(options, format=name), phase, settings)
    _print(summary)
    if summary.missing:
        raise typer.Exit(ExitCode.PARTIAL)


def _print(summary: "Summary") -> None:
    from annotate.use_cases.output import is_stdout

    # Standard output may be the dataset itself.
    to_stderr = any(map(is_stdout, summary.written))
    where = ", ".join(map(str, summary.written)) if len(summary.written) == 1 else None
    say(
        f"{where or count(len(summary.written), 'dataset')}: {count(summary.poses, 'pose')} in "
        f"{count(summary.frames, 'frame')} of {count(summary.videos, 'video')}",
        err=to_stderr,
    )
    if summary.frames and not summary.poses:
        say("No person was found in these frames; --people all also finds small ones.", err=True)
    if len(summary.providers) > 1:
        made = ", ".join(f"{name} ({frames:,})" for name, frames in summary.providers.items())
        say(f"Models ran on {made} frames: their poses differ a little.", err=True)
    if summary.rejected:
        say("Rejected:\n" + "\n".join(f"  {line}" for line in summary.rejected), err=True)
    if summary.missing:
        say("Missing:\n" + "\n".join(f"  {line}" for line in summary.missing), err=True)
