"""The libraries of the extras, which are imported when they are needed."""

from importlib import import_module
from typing import Any

from annotate.domain.distribution import install_command
from annotate.domain.errors import UsageError


def library(name: str, extra: str) -> Any:
    """The module `name` of a library of the extra, imported now.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise UsageError(
            f"this needs {name.split('.')[0]}: {error}", f"Install it: {install_command(extra)}"
        ) from error
