"""How code reports how far it has come, whatever shows it."""

from collections.abc import Callable
from typing import Protocol, TypeAlias


class Progress(Protocol):
    """Called again and again during a long step."""

    def __call__(self, step: str, fraction: float, /) -> None:
        """Takes news.

        Args:
            step: what is being done, as a label of a few words, e.g. `Reading match.mp4`.
            fraction: how much of that step is done, in [0, 1].
        """


def silent(_step: str, _fraction: float, /) -> None:
    """A `Progress` that shows nothing."""


# Called with the bytes read or copied so far, and the bytes in all.
ByteProgress: TypeAlias = Callable[[int, int], None]


def silent_bytes(_done: int, _total: int, /) -> None:
    """A `ByteProgress` that shows nothing."""
