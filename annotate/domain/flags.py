"""How fields of options classes show on the command line, and what their texts mean."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from annotate.domain.errors import UsageError

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?)")


@dataclass(frozen=True)
class Flag:
    """How the command line shows a field of an options class; the option has the field's name.

    Attributes:
        help: a sentence.
        metavar: what stands for the value in the help, or None for its type.
        minimum: smallest number that is allowed, or None.
        default: how the help names the default, or None for its value.
        parse: makes the value from the user's text, or None for the field's own type.
        short: another name of the option, of one letter, or None.
    """

    help: str
    metavar: str | None = None
    minimum: float | None = None
    default: str | None = None
    parse: Callable[[str], object] | None = None
    short: str | None = None

    def check(self, name: str, value: object) -> None:
        """Checks a field's value against the minimum.

        Raises:
            UsageError: it is smaller, or not a number.
        """
        if self.minimum is None or not isinstance(value, int | float):
            return
        if not self.minimum <= value < inf:
            flag = "--" + name.replace("_", "-")
            raise UsageError(f"{flag} cannot be {value}", f"Give a number from {self.minimum} on.")


def seconds_of(time: str) -> float:
    """Seconds of `90`, `1:30.5` or `0:01:30`.

    Raises:
        UsageError: the text is not a time.

    >>> seconds_of("1:30.5")
    90.5
    """
    found = _TIME.fullmatch(time)
    if not found:
        raise UsageError(f"{time!r} is not a time", "Give seconds, e.g. 90, or 1:30, or 0:01:30.5.")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def cutoff_of(text: str) -> float | None:
    """The smoother's cut-off of `6`, in Hz, or None of `off`.

    Raises:
        UsageError: the text is neither.

    >>> cutoff_of("7.5")
    7.5
    """
    if text == "off":
        return None
    try:
        return float(text)
    except ValueError:
        raise UsageError(
            f"--smooth {text!r} is not a cut-off", "Give a number of Hz, e.g. 6, or off."
        ) from None
