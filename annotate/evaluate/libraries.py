"""The libraries of the extra `evaluate`."""

from importlib import import_module
from typing import Any

from annotate.domain.distribution import install_command
from annotate.domain.errors import UsageError


def library(name: str) -> Any:
    """The module `name`, imported now.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise UsageError(
            f"evaluating needs {name.split('.')[0]}: {error}",
            f"Install what `annotate evaluate` needs: {install_command('evaluate')}",
        ) from error
