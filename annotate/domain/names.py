"""Names of files as they are shown and exported: printable, UTF-8, and no two alike.

A file's name can hold any bytes. Python keeps those that are not UTF-8 as surrogates, which no
UTF-8 file can hold; a control character can move a terminal's cursor, or begin a line of its own.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

# Control characters, those that turn the direction of text, those that end lines, and surrogates.
_UNPRINTABLE = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_IN_A_NAME = re.compile(f"[{_UNPRINTABLE}]")
_IN_LINES = re.compile(f"(?!\n)[{_UNPRINTABLE}]")


def printable(name: str) -> str:
    r"""The name with `%` and two hex digits for each byte of what cannot be printed.

    >>> printable("latin\udce9 \x1b[31m.mp4")
    'latin%E9 %1B[31m.mp4'
    """
    return _IN_A_NAME.sub(_escaped, name)


def printable_lines(text: str) -> str:
    """The same for text of several lines, whose ends are kept."""
    return _IN_LINES.sub(_escaped, text)


def _escaped(found: "re.Match[str]") -> str:
    try:
        data = found[0].encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = found[0].encode("utf-8", "surrogatepass")
    return "".join(f"%{byte:02X}" for byte in data)


def file_key(name: str) -> str:
    """Equal for two names that are one file on Windows or macOS: they ignore case, or how a letter
    and its accent are written.

    >>> file_key("A.mp4") == file_key("a.mp4")
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def unique_names(paths: Sequence[Sequence[str]]) -> list[str]:
    """Names for paths: the last part, with as many folders before it as it takes to tell them
    apart, or a number where that is not enough.

    Args:
        paths: the parts of each absolute path, without `.` and `..`.

    Returns:
        A printable name for each, no two the same file on any system, with `/` between its parts.

    >>> unique_names([["x", "a.mp4"], ["y", "a.mp4"], ["y", "b.mp4"], ["y", "B.mp4"]])
    ['x/a.mp4', 'y/a.mp4', 'b.mp4', 'B~2.mp4']
    """
    # Backslashes, and what is left of a root such as `/`, would lead elsewhere in other programs.
    parts = [[printable(part).replace("\\", "%5C").strip("/") for part in path] for path in paths]
    whole = [[part for part in path if part] or ["video"] for path in parts]
    longest = max(map(len, whole), default=0)
    tails = [Counter(_tail(path, length) for path in whole) for length in range(1, longest + 1)]
    taken: set[str] = set()
    return [_unused(_shortest(path, tails), taken) for path in whole]


def _tail(path: Sequence[str], length: int) -> str:
    return file_key("/".join(path[-length:]))


def _shortest(path: Sequence[str], tails: Sequence["Counter[str]"]) -> str:
    lengths = range(1, len(path) + 1)
    alone = (length for length in lengths if tails[length - 1][_tail(path, length)] == 1)
    # Where no folder tells it apart, only case does.
    return "/".join(path[-next(alone, 1) :])


def _unused(name: str, taken: set[str]) -> str:
    """The name, or one with a number that is not taken; it is taken from then on."""
    folder, slash, last = name.rpartition("/")
    stem, dot, ending = last.rpartition(".")
    number, unused = 1, name
    while file_key(unused) in taken:
        number += 1
        numbered = f"{stem}~{number}.{ending}" if dot and stem else f"{last}~{number}"
        unused = f"{folder}{slash}{numbered}"
    taken.add(file_key(unused))
    return unused
