"""Numbers and times for people, and from them."""

import re

from annotate.domain.errors import UsageError

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?)")


def number(value: float) -> str:
    """With thousands apart: 1,234; one decimal below 10."""
    return f"{value:,.1f}" if 0 < abs(value) < 10 and value % 1 else f"{value:,.0f}"


def duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def same_video(name: str, first: str) -> str:
    """A line about a file with the content of another one."""
    return f"same     {name} is {first} again: done once, exported as both"


def cut_off(name: str, missing_s: float) -> str:
    """A line about a file that holds less than it should."""
    return (
        f"cut off  {name}: the last {missing_s:.1f} s that it should hold are not there; "
        "what is there is annotated"
    )


def seconds_of(time: str) -> float:
    """Inverse of a clock's `90`, `1:30.5` or `0:01:30`.

    Raises:
        UsageError: it is no such time.
    """
    found = _TIME.fullmatch(time)
    if not found:
        raise UsageError(f"{time!r} is no time", "Give seconds, e.g. 90, or 1:30, or 0:01:30.5.")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
