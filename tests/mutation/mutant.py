"""A wrong version of a file."""

import difflib
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A wrong version of a file.

    Attributes:
        path: of the file, below the checkout.
        line: the line that is changed, from 1.
        source: the file's wrong text.
        diff: what differs.
    """

    path: str
    line: int
    source: str
    diff: str


def wrong_version(path: str, line: int, right: str, wrong: str) -> Mutant:
    """The mutant that has the text `wrong` instead of `right`."""
    lines = difflib.unified_diff(right.splitlines(), wrong.splitlines(), lineterm="", n=0)
    diff = "\n".join(one for one in lines if one[:2] not in ("--", "++", "@@"))
    return Mutant(path, line, wrong, diff)
