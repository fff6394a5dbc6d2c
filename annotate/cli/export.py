"""`annotate export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import StoreOption, store_of, the_job
from annotate.cli.text import count, say
from annotate.domain.choices import one_of
from annotate.domain.errors import ExitCode, UsageError
from annotate.formats.registry import format_names

if TYPE_CHECKING:
    from annotate.use_cases.export import Summary

RESULTS = "coco-results"

JobOption = Annotated[
    str | None, typer.Option("--job", help="The job's id.", show_default="the newest job")
]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="The file to write.")]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        metavar="NAME",
        help=f"One of: {', '.join(format_names())}.",
        autocompletion=format_names,
        show_default="coco",
    ),
]
ResultsOption = Annotated[bool, typer.Option("--results", help=f"Same as --format {RESULTS}.")]
PartialOption = Annotated[
    bool, typer.Option("--partial", help="Write what there is of an unfinished job.")
]
KeepMissingOption = Annotated[
    bool,
    typer.Option(
        "--keep-missing", help="With --partial: keep the images of missing frames, marked."
    ),
]


def export(
    job: JobOption = None,
    *,
    out: OutOption,
    file_format: FormatOption = None,
    results: ResultsOption = False,
    partial: PartialOption = False,
    keep_missing: KeepMissingOption = False,
    store: StoreOption = None,
) -> None:
    """Write the dataset: every pose of every frame, tracked and smoothed.

    Exits with 3 when frames are missing; without --partial, nothing is
    written then. With it, missing frames are left out: an image without
    people would say that there are none.

    Examples:

      annotate export --format coco --out people.json

      annotate export --format coco-results --out results.json
    """
    from annotate.cli.progress import phases
    from annotate.use_cases.export import export as write

    if results and file_format not in (None, "coco", RESULTS):
        raise UsageError(f"--results is not for --format {file_format}", "Give one of them.")
    if keep_missing and not partial:
        raise UsageError("--keep-missing is only for --partial", "Give both.")
    name = one_of(format_names(), RESULTS if results else file_format or "coco", "--format")
    the_store, _ = store_of(store)
    with phases() as phase:
        summary = write(
            the_store,
            the_job(the_store, job),
            out,
            name,
            allow_partial=partial,
            keep_missing=keep_missing,
            progress=phase,
        )
    _print(out, summary)
    if summary.missing:
        raise typer.Exit(ExitCode.PARTIAL)


def _print(out: Path, summary: "Summary") -> None:
    say(
        f"{out}: {count(summary.poses, 'pose')} in {count(summary.frames, 'frame')} of "
        f"{count(summary.videos, 'video')}"
    )
    if summary.frames and not summary.poses:
        say("No person was found in these frames; --people all also finds small ones.", err=True)
    if summary.rejected:
        say("Rejected:\n" + "\n".join(f"  {line}" for line in summary.rejected), err=True)
    if summary.missing:
        say("Missing:\n" + "\n".join(f"  {line}" for line in summary.missing), err=True)
