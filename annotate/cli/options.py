"""Options that several commands share, and the store that they name."""

import codecs
import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import MISSING, Field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from annotate.domain.errors import AnnotateError, StoreError, UsageError
from annotate.domain.export_options import ExportOptions
from annotate.domain.flags import Flag
from annotate.domain.hub_options import HubOptions
from annotate.domain.look import Look
from annotate.domain.options import SubmitOptions
from annotate.domain.settings import Settings, settings_from

if TYPE_CHECKING:
    from annotate.domain.job import Job
    from annotate.store import Store


def job_ids(context: typer.Context) -> list[str]:
    """The ids of the store's jobs, for the shell to complete; none where they cannot be read."""
    with suppress(AnnotateError):
        store, _ = store_of(context.params.get("store"))
        return store.job_ids()
    return []


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
    str | None,
    typer.Argument(
        metavar="JOB",
        help="The job's id.",
        show_default="the newest job",
        autocompletion=job_ids,
    ),
]
VideosArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="VIDEO",
        help="Video files, folders of them, or s3://bucket/prefix; - reads a list from standard "
        "input, a path a line.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
ProcessesOption = Annotated[
    int | None,
    typer.Option("--processes", "-j", min=1, help="Worker processes.", show_default="all cores"),
]


def with_options(
    options: type[SubmitOptions] | type[ExportOptions] | type[Look] | type[HubOptions],
    choices: Mapping[str, Callable[[], list[str]]] = MappingProxyType({}),
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command with an option for each field of a dataclass instead of its parameter `options`.

    Typer makes options from a function's signature, so this writes one: names, types, defaults and
    help are in one place, the dataclass.

    Args:
        choices: what lists the values of a field, by its name, for help and completion.
    """
    flags = {one.name: _parameter(one, choices.get(one.name)) for one in fields(options)}

    def flattened(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True)
        kept = [one for one in own.parameters.values() if one.name != "options"]

        @functools.wraps(command)
        def flat(**given: Any) -> None:
            chosen = {name: _frozen(given.pop(name)) for name in flags}
            command(options=options(**chosen), **given)

        keyword_only = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in kept]
        parameters = [keyword_only[0], *flags.values(), *keyword_only[1:]]
        flat.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        return flat

    return flattened


def _frozen(value: Any) -> Any:
    """The value of an option that may be given several times is a tuple."""
    return tuple(value) if isinstance(value, list) else value


def _parameter(one: "Field[Any]", choices: Callable[[], list[str]] | None) -> inspect.Parameter:
    flag: Flag = one.metadata["flag"]
    default = one.default
    if flag.parse and default is not None:
        default = f"{default:g}"  # Typer gives the default to the parser too
    names = ["--" + one.name.replace("_", "-"), *([flag.short] if flag.short else [])]
    option = typer.Option(
        *names,
        help=f"{flag.help} One of: {', '.join(choices())}." if choices else flag.help,
        autocompletion=choices,
        metavar=flag.metavar,
        # A parser checks its own values.
        min=None if flag.parse else flag.minimum,
        show_default=flag.default if flag.default is not None else True,
        parser=flag.parse,
    )
    several = default == ()
    # Typer would take the type of what a parser makes as the number of its values.
    kind = list[str] if several else str | None if flag.parse and default is None else one.type
    return inspect.Parameter(
        one.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if default is MISSING else [] if several else default,
        annotation=Annotated[kind, option],
    )


def with_list(videos: list[str]) -> list[str]:
    """The named videos, with the lines of standard input in the place of `-`.

    Paths may also be apart by zero bytes, as `find -print0` writes them.
    """
    from annotate.use_cases.find_videos import Listed

    named: list[str] = []
    for one in videos:
        if one != "-":
            named.append(one)
            continue
        data = sys.stdin.buffer.read().removeprefix(codecs.BOM_UTF8)
        lines = data.split(b"\0") if b"\0" in data else data.splitlines()
        named += [Listed(os.fsdecode(line)) for line in lines if line.strip()]
    if not named:
        raise UsageError("the list on standard input is empty", "Write a path on each line.")
    return named


def store_of(location: str | None, patience_s: float | None = None) -> tuple["Store", Settings]:
    """The store that the command line or the environment names; `patience_s` as in `open_store`."""
    from annotate.store import open_store

    settings = settings_from(store=location)
    return open_store(settings.store, patience_s), settings


def the_job(store: "Store", job: str | None, *, announce: bool = True) -> "Job":
    """The job of that id, or the newest.

    Args:
        announce: print which one is the newest; for commands that do not print it themselves.
    """
    if job:
        return store.read_job(job)
    newest = store.newest_job()
    if announce:
        typer.echo(f"Job {newest.id}, the newest.", err=True)
    return newest


@contextmanager
def noting_damage(store: "Store") -> Iterator[None]:
    """Says, after the block, which damaged files of the store were set aside in it."""
    from annotate.store.damage import ASIDE

    before = {entry.key for entry in store.files.walk(ASIDE)}
    try:
        yield
    finally:
        with suppress(StoreError):
            for key in sorted({entry.key for entry in store.files.walk(ASIDE)} - before):
                name = key.removeprefix(f"{ASIDE}/")
                typer.echo(
                    f"{name} in the store was damaged: it is kept as {key}, and what was lost "
                    "with it is made again.",
                    err=True,
                )
