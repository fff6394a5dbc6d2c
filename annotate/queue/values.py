"""Values of the queue's server, which anyone with its password can change."""

from contextlib import suppress
from typing import Any


def number_in(value: Any, other: int = 0) -> int:
    """The whole number that a value of the server is, or `other` where it is none."""
    with suppress(ValueError, TypeError):
        return int(value)
    return other
