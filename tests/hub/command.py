"""Runs `annotate models hub` in the process of the tests."""

from pathlib import Path

from typer.testing import CliRunner, Result

from annotate.cli.app import app
from tests.hub.devices import X_ELITE
from tests.hub.service import TOKEN

ON_X_ELITE = ("--device", X_ELITE)
W8A8 = (*ON_X_ELITE, "--precision", "w8a8")


def run(*arguments: str | Path, code: int = 0) -> Result:
    """Runs `annotate models hub ARGUMENTS`; raises its errors."""
    result = CliRunner().invoke(app, ["models", "hub", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    assert TOKEN not in result.output
    return result
