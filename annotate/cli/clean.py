"""`annotate clean`."""

from typing import Annotated

import typer

from annotate.cli.options import StoreOption, store_of


def clean(
    jobs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="JOB",
            help="Jobs that may go too, with all that only they need.",
            show_default="",
        ),
    ] = None,
    *,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Delete it; without it, it is only listed.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """List what no job of the store needs any more, and with --yes delete it.

    Results, videos and packs that no job refers to, and what killed writers left. Anything of the
    last hour stays: somebody may be submitting it.

    Examples:

      annotate clean

      annotate clean 20260102-030405-1a2b3c --yes
    """
    from annotate.cli.text import number
    from annotate.use_cases.clean import garbage, remove

    the_store, _ = store_of(store)
    found = garbage(the_store, tuple(jobs or ()))
    for one in found:
        typer.echo(f"{one.kind:10} {number(len(one.entries)):>8} files {one.size / 1e6:10,.1f} MB")
    if not found:
        typer.echo("Nothing to clean: all that the store holds belongs to a job.")
    elif yes:
        remove(the_store, found)
        typer.echo("Deleted.")
    else:
        typer.echo("Nothing was deleted. To delete it: the same command with --yes.")
