"""Values of which a user picks one by name."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TypeVar

from annotate.domain.errors import UsageError

T = TypeVar("T", bound=str)


def one_of(values: Sequence[T], given: str, what: str) -> T:
    """The value of that name.

    Args:
        values: all that there are.
        given: what the user wrote.
        what: the option or variable, for the message.

    Raises:
        UsageError: there is no such value.

    >>> one_of(["near", "all"], "near", "--people")
    'near'
    """
    for value in values:
        if value == given:
            return value
    near = get_close_matches(given, values, n=1)
    raise UsageError(
        f"{what}: {given!r} is not one of: {', '.join(values)}",
        f"Did you mean {near[0]}?" if near else "",
    )
