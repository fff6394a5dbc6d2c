"""`annotate export`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from annotate.cli.options import StoreOption, store_of, the_job
from annotate.domain.errors import ExitCode


class Format(StrEnum):
    """What can be written."""

    COCO = "coco"


def export(
    job: Annotated[
        str | None, typer.Option("--job", help="The job's id.", show_default="the newest job")
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")],
    format_: Annotated[Format, typer.Option("--format", "-f", help="Its format.")] = Format.COCO,
    results: Annotated[
        bool, typer.Option("--results", help="Write a COCO results file: a list with scores.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Write what there is of an unfinished job.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Write the dataset: every pose of every frame, tracked and smoothed.

    Exits with 3 when frames are missing; without --partial nothing is written then.

    Examples:

      annotate export --format coco --out people.json

      annotate export --format coco --results --out results.json
    """
    from annotate.cli.progress import phases
    from annotate.cli.text import number
    from annotate.use_cases.export import export_coco

    del format_  # only one so far
    the_store, _ = store_of(store)
    manifest = the_job(the_store, job)
    with phases() as phase:
        summary = export_coco(
            the_store, manifest, out, results=results, allow_partial=partial, progress=phase
        )
    typer.echo(
        f"{out}: {number(summary.poses)} poses in {number(summary.frames)} frames of "
        f"{summary.videos} videos"
    )
    if summary.missing:
        typer.echo("Missing:\n" + "\n".join(f"  {line}" for line in summary.missing), err=True)
        raise typer.Exit(ExitCode.PARTIAL)
