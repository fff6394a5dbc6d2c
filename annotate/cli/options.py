"""Options that several commands share, and the store that they name."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import Field, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from annotate.domain.options import Flag, SubmitOptions
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
ProcessesOption = Annotated[
    int | None,
    typer.Option("--processes", "-j", min=1, help="Worker processes.", show_default="all cores"),
]


def with_submit_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each field of `SubmitOptions` instead of `options`.

    Typer makes options from a function's signature, so this writes one: names, types, defaults and
    help are in one place, the dataclass.
    """
    flags = {one.name: _parameter(one) for one in fields(SubmitOptions)}
    own = inspect.signature(command, eval_str=True)
    kept = [one for one in own.parameters.values() if one.name != "options"]

    @functools.wraps(command)
    def flat(**given: Any) -> None:
        chosen = {name: given.pop(name) for name in flags}
        command(options=SubmitOptions(**chosen), **given)

    keyword_only = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in kept]
    parameters = [keyword_only[0], *flags.values(), *keyword_only[1:]]
    flat.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    return flat


def _parameter(one: "Field[Any]") -> inspect.Parameter:
    flag: Flag = one.metadata["flag"]
    default = one.default
    if flag.parse and default is not None:
        default = f"{default:g}"  # Typer gives the default to the parser too
    # A switch has no `--no-` twin.
    names = ["--" + one.name.replace("_", "-")] if one.type is bool else []
    option = typer.Option(
        *names,
        help=flag.help,
        metavar=flag.metavar,
        # A parser checks its own values.
        min=None if flag.parse else flag.minimum,
        show_default=flag.default if flag.default is not None else True,
        parser=flag.parse,
    )
    return inspect.Parameter(
        one.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[one.type, option],
    )


def store_of(location: str | None) -> tuple["Store", Settings]:
    """The store that the command line or the environment names."""
    from annotate.store import open_store

    settings = settings_from(store=location)
    return open_store(settings.store), settings


def the_job(store: "Store", job: str | None) -> "Job":
    """The job of that id, or the newest."""
    return store.read_job(job) if job else store.newest_job()
