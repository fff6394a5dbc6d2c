"""The libraries of the extra `formats`: those of formats that few users write."""

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
            f"this format needs {name}: {error}", f"Install it: {install_command('formats')}"
        ) from error
