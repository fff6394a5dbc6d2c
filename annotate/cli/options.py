"""Options that several commands share, and the store that they name."""

from typing import TYPE_CHECKING, Annotated

import typer

from annotate.domain.settings import Settings, settings_from

if TYPE_CHECKING:
    from annotate.domain.job import Job
    from annotate.store import Store

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="FOLDER",
        help="Folder, or s3://bucket/prefix, that holds jobs and results. Also ANNOTATE_STORE.",
        show_default="your data folder",
    ),
]
JobArgument = Annotated[
    str | None, typer.Argument(metavar="JOB", help="The job's id.", show_default="the newest job")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def store_of(location: str | None) -> tuple["Store", Settings]:
    """The store that the command line or the environment names."""
    from annotate.store import open_store

    settings = settings_from(store=location)
    return open_store(settings.store), settings


def the_job(store: "Store", job: str | None) -> "Job":
    """The job of that id, or the newest."""
    return store.read_job(job) if job else store.newest_job()
