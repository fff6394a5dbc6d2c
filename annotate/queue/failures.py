"""Records in the store why a work unit cannot be done.

Only an error that the same bytes of the video would raise again is a lasting failure. Trouble of
the host is no failure at all. The rest, a worker process that dies and a defect, is recorded so
that it does not hold up the job, and the same `annotate submit` tries it again.
"""

import socket
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from annotate.domain.errors import AnnotateError, ChangedError, HostError, VideoError
from annotate.domain.work import Failure, WorkUnit
from annotate.queue.app import ATTEMPTS
from annotate.store import Store


@contextmanager
def recorded_failure(store: Store, unit: WorkUnit) -> Iterator[None]:
    """Records a failure of the unit when the block raises because of its video, or of a defect.

    Raises:
        HostError: the system refused something that no one foresaw.
        AnnotateError: any trouble that says nothing about the unit, such as that of the store.
    """
    try:
        yield
    except VideoError as error:
        lasting = not isinstance(error, ChangedError)
        failure = Failure(unit.name, error.message, 1, hint=error.hint, lasting=lasting)
    except AnnotateError:
        raise
    except OSError as error:
        raise HostError(
            f"{unit.video.name}: trouble on the host {socket.gethostname()}: {error}",
            "Check its disks, mounts and limits, and run the same command again: it goes on.",
        ) from error
    # A defect in our own code or in a library must not stop the job either.
    except Exception as error:  # noqa: BLE001
        reason = f"unexpected {type(error).__name__}: {error}"
        failure = Failure(unit.name, reason, 1, traceback=traceback.format_exc())
    else:
        return
    store.results(unit.job.recipe, unit.video).write_failure(failure)


@dataclass(frozen=True)
class DeathCause:
    """Why a worker process died.

    Attributes:
        text: in a few words.
        hint: what to do, or empty.
    """

    text: str
    hint: str = ""


def record_dead_worker(store: Store, unit: WorkUnit, cause: DeathCause) -> None:
    """Records the failure of a unit whose worker process died at every attempt."""
    reason = f"the worker process died {ATTEMPTS} times in it ({cause.text})"
    failure = Failure(unit.name, reason, ATTEMPTS, hint=cause.hint)
    store.results(unit.job.recipe, unit.video).write_failure(failure)
