"""`annotate config`."""

import json
import os
from typing import Any

import typer

from annotate.cli.config_file import PREFIX, ConfigFile, Options, variables
from annotate.domain.broker import broker_address
from annotate.domain.settings import settings_from

# Values stand so wide, in characters, before the place that they are from.
_WIDTH = 56


def config(context: typer.Context) -> None:
    """Print the settings in force, and where each is from.

    Settings are from `annotate.toml` in the working folder, or from the file
    that `--config` before the command names; variables and the command line
    go before it. A password of the queue is not printed.

    Examples:

      annotate config

      annotate --config lab.toml config
    """
    file = context.obj if isinstance(context.obj, ConfigFile) else ConfigFile()
    typer.echo(f"# {file.path.absolute()}" if file.path else "# no annotate.toml")
    values = settings_from().to_environ()
    for name in variables():
        if name in file.settings and os.environ.get(name) == file.settings[name]:
            source = str(file.path)
        else:
            source = name if os.environ.get(name) else "default"
        value = values[name]
        if name == "ANNOTATE_BROKER" and "@" in value:
            value, source = broker_address(value), f"{source}, with a password"
        _print(name.removeprefix(PREFIX).lower(), value, source)
    _print_options(file.options, str(file.path), "")


def _print_options(options: Options, source: str, above: str) -> None:
    for name, table in options.items():
        if any(isinstance(value, dict) for value in table.values()):
            _print_options(table, source, f"{above}{name}.")
            continue
        typer.echo(f"\n[{above}{name}]")
        for option, value in table.items():
            _print(option.replace("_", "-"), value, source)


def _print(name: str, value: Any, source: str) -> None:
    typer.echo(f"{f'{name} = {json.dumps(value)}':<{_WIDTH}}  # {source}")
