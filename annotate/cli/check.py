"""`annotate check`."""

from typing import Annotated

import typer

from annotate.cli.options import StoreOption, job_ids, store_of
from annotate.domain.errors import ExitCode


def check(
    jobs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="JOB",
            help="Jobs to check.",
            show_default="all jobs",
            autocompletion=job_ids,
        ),
    ] = None,
    *,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every page of every file, and compare digests.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Set damaged files aside, so that they are made again.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Verify the files of the store: their form, owner, references and digests.

    Exits with 6 where something is damaged or missing, and with 3 once all
    of it is set aside: the same submit then makes it again.

    Examples:

      annotate check

      annotate check --deep --repair
    """
    from annotate.cli.progress import phases
    from annotate.cli.text import count
    from annotate.use_cases.check import check_store

    the_store, _ = store_of(store)
    with phases() as phase:
        report = check_store(the_store, jobs or (), deep=deep, repair=repair, progress=phase)
    for finding in report.findings:
        typer.echo(finding.problem)
        if finding.aside:
            typer.echo(f"  It is kept as {finding.aside}.")
    head = f"{count(report.files, 'file')} of {count(report.jobs, 'job')} checked"
    if not report.findings:
        typer.echo(f"{head}: sound.")
        return
    typer.echo(f"{head}: {count(len(report.findings), 'problem')}.", err=True)
    if repair:
        typer.echo("Submit the same videos again: what is missing is made again.")
    else:
        typer.echo("Run `annotate check --repair`, then submit the same videos again.")
    raise typer.Exit(ExitCode.PARTIAL if repair and report.is_mended else ExitCode.STORE)
