"""The command line: its commands, its global options, and the one place that catches errors.

Commands import use cases inside their bodies: `annotate --help` and `annotate status` must not wait
for libraries that they do not use.
"""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from annotate import __version__
from annotate.cli import models, models_hub
from annotate.cli.check import check
from annotate.cli.clean import clean
from annotate.cli.config import config
from annotate.cli.config_file import read_config
from annotate.cli.demo import demo
from annotate.cli.doctor import doctor
from annotate.cli.draw import draw
from annotate.cli.edits import edits
from annotate.cli.evaluate import evaluate
from annotate.cli.export import export
from annotate.cli.jobs import jobs
from annotate.cli.models_compile import compile_pack
from annotate.cli.models_quantize import quantize
from annotate.cli.probe import probe
from annotate.cli.report import report
from annotate.cli.review import review
from annotate.cli.signals import end_alike
from annotate.cli.status import status
from annotate.cli.streams import tolerate_streams
from annotate.cli.submit import retry, submit
from annotate.cli.text import PrintedWarnings, say
from annotate.cli.watch import watch
from annotate.cli.worker import cancel, worker
from annotate.domain.errors import AnnotateError, ExitCode

DEBUG = "--debug"

app = typer.Typer(
    name="annotate",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(submit)
app.command()(probe)
app.command()(watch)
app.command()(status)
app.command()(export)
app.command()(draw)
app.command()(report)
app.command()(review)
app.command()(edits)
app.command()(retry)
app.command()(jobs)
app.command()(cancel)
app.command()(check)
app.command()(clean)
app.command()(worker)
app.add_typer(models.app, name="models")
models.app.command("compile")(compile_pack)
models.app.command("quantize")(quantize)
models.app.add_typer(models_hub.app, name="hub")
app.command()(config)
app.command()(demo)
app.command()(evaluate)
app.command()(doctor)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"annotate {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    *,
    config_file: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Settings and options, see `annotate config`.",
            show_default="annotate.toml, where there is one",
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - the callback acts on it
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
    debug: Annotated[
        bool, typer.Option(DEBUG, help="Show tracebacks and the queue's log.")
    ] = False,
) -> None:
    """Body keypoints of every person in every frame of your videos, as COCO JSON.

    [bold]Start with[/bold]

      annotate demo                        try it on a made video

      annotate submit videos/*.mp4         annotate your videos

      annotate status                      watch it from any terminal

      annotate export --out people.json    write the dataset

    [dim]Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partial result,
    4 unreadable video, 5 model pack, 6 store, 130 interrupted.[/dim]
    """
    file = read_config(config_file, context)
    context.obj, context.default_map = file, dict(file.options)
    context.with_resource(file.in_force())
    handler = logging.StreamHandler() if debug else logging.NullHandler()
    printed: list[logging.Handler] = [] if debug else [PrintedWarnings(logging.WARNING)]
    logging.getLogger("annotate").handlers = printed
    logging.basicConfig(level=logging.INFO if debug else logging.WARNING, handlers=[handler])


def main() -> None:
    """Runs the command line and exits."""
    tolerate_streams()
    end_alike()
    try:
        app(prog_name="annotate")
    except AnnotateError as error:
        if DEBUG in sys.argv:
            raise
        _print_error(error.message, error.hint)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _print_error("interrupted", "")
        sys.exit(ExitCode.INTERRUPTED)
    except OSError as error:
        if DEBUG in sys.argv:
            raise
        what = f"{error.filename}: " if error.filename else ""
        _print_error(
            f"the system refuses: {what}{error.strerror or error}",
            "Check the disks, standard output's too, permissions and limits, and run the same "
            f"command again; `annotate {DEBUG} ...` shows where it was.",
        )
        sys.exit(ExitCode.STORE)
    except Exception as error:
        if DEBUG in sys.argv:
            raise
        _print_error(
            f"unexpected {type(error).__name__}: {error}",
            f"This is a bug. Run the command as `annotate {DEBUG} ...` and report the output.",
        )
        sys.exit(ExitCode.FAILED)


def _print_error(message: str, hint: str) -> None:
    typer.secho("error: ", fg="red", bold=True, err=True, nl=False)
    say(message, err=True)
    if hint:
        say(f"  {hint}", err=True)
