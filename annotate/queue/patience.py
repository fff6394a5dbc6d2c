"""Waits while the host is in trouble, as where a folder is away for a moment or a disk fails."""

import errno
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from annotate.domain.errors import DamagedError, HostError, ManifestError, StoreError
from annotate.domain.settings import Settings

# Seconds for which trouble is waited for that may end by itself.
PATIENCE_S = 120.0
# Seconds for which trouble is waited for that a person has to end, or where a queue sends the work
# again.
SHORT_PATIENCE_S = 10.0
# The longest pause in seconds between two tries.
LONGEST_PAUSE_S = 5.0
_FIRST_PAUSE_S = 0.1
# Trouble is worth a line once the pauses are longer than so many seconds.
SAID_PAUSE_S = 0.3
_NOT_BY_ITSELF = frozenset(
    [
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.EISDIR,
    ]
)

T = TypeVar("T")

logger = logging.getLogger(__name__)


def _silent(_error: HostError | StoreError) -> None:
    """Says nothing."""


def with_patience(
    action: Callable[[], T],
    settings: Settings,
    waiting: Callable[[HostError | StoreError], None] = _silent,
) -> T:
    """The result of `action`, which is tried again, with growing pauses, while the system refuses
    to read or write.

    Args:
        settings: of this host.
        waiting: called before each pause with what is waited for. The log says it once, and when
            it is over.

    Raises:
        HostError, StoreError: the trouble lasts, or is not the system's.
    """
    began, pause, waited = time.monotonic(), _FIRST_PAUSE_S, False
    while True:
        try:
            result = action()
        except (DamagedError, ManifestError):
            raise
        except (HostError, StoreError) as error:
            patience_s = _patience_s(error.__cause__, settings)
            if time.monotonic() - began > patience_s:
                raise
            if pause > SAID_PAUSE_S and not waited:
                logger.warning("waiting, up to %.0f s: %s", patience_s, error.message)
                waited = True
            waiting(error)
        else:
            if waited:
                logger.warning(
                    "it is back after %.0f s, and the work goes on", time.monotonic() - began
                )
            return result
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_S)


def _patience_s(cause: BaseException | None, settings: Settings) -> float:
    """Seconds for which an error with that cause is waited for."""
    # Without a number of the system the trouble is another one: a share that this host does not
    # know, or a bucket's server, which was waited for already.
    if not isinstance(cause, OSError) or cause.errno is None:
        return 0.0
    short = cause.errno in _NOT_BY_ITSELF or not settings.embedded
    return SHORT_PATIENCE_S if short else PATIENCE_S
