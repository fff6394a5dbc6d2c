"""`annotate clean`."""

from typing import Annotated

import typer

from annotate.cli.options import StoreOption, job_ids, store_of


def clean(
    jobs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="JOB",
            help="Jobs to delete too, with what only they need.",
            show_default="",
            autocompletion=job_ids,
        ),
    ] = None,
    *,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Delete; without it, only list.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """List what no job of the store needs any more; delete it with --yes.

    These are results, videos and packs that no job refers to, and what
    killed writers left. Edits of reviewers go with the results that they
    change: export them first. Anything of the last hour stays. Nothing is
    deleted while a job is being submitted, or a worker works on one of JOB.

    Examples:

      annotate clean

      annotate clean 20260102-030405-1a2b3c --yes
    """
    from annotate.cli.text import count, number
    from annotate.use_cases.clean import EDITS, check_idle, garbage, remove

    the_store, settings = store_of(store)
    found = garbage(the_store, tuple(jobs or ()))
    for one in found:
        typer.echo(f"{one.kind:10} {number(len(one.entries)):>8} files {one.size / 1e6:10,.1f} MB")
    edits = sum(len(one.entries) for one in found if one.kind == EDITS)
    if edits:
        typer.echo(
            f"{count(edits, 'edit')} of reviewers would be lost: "
            "`annotate edits JOB VIDEO --export FILE` keeps those of a video."
        )
    if not found:
        typer.echo("Nothing to clean: everything in the store belongs to a job.")
    elif yes:
        check_idle(the_store, settings, jobs or ())
        remove(the_store, found)
        typer.echo("Deleted.")
    else:
        typer.echo("Nothing was deleted. Run the same command with --yes to delete it.")
