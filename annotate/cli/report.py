"""`annotate report`."""

from pathlib import Path
from typing import Annotated

import typer

from annotate.cli.options import JobArgument, StoreOption, noting_damage, store_of, the_job


def report(
    job: JobArgument = None,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help="A .html file, or a folder with a page for each video.",
            show_default="report.html, or the folder report for more than 12 videos",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that is not a report.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Write a page that shows what was found, and what to look at.

    People, tracks, confidence and motion over time, suspicious moments with
    pictures, settings, and what is missing. The page needs no network.

    Examples:

      annotate report

      annotate report 20260102-030405-1a2b3c --out reports
    """
    from annotate.cli.progress import phases
    from annotate.use_cases.report import report as write

    the_store, settings = store_of(store)
    chosen = the_job(the_store, job)
    with noting_damage(the_store), phases() as phase:
        page = write(the_store, settings, chosen, out, force=force, progress=phase)
    typer.echo(str(page))
