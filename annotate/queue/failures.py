"""Records in the store why a work unit cannot be done."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from annotate.domain.errors import (
    AnnotateError,
    CancelledJobError,
    PackError,
    ProviderError,
    StoreError,
    VersionError,
)
from annotate.domain.work import Failure, WorkUnit
from annotate.queue.app import ATTEMPTS
from annotate.store import Store


@contextmanager
def recorded_failure(store: Store, unit: WorkUnit) -> Iterator[None]:
    """Records a failure of the unit when the block raises: the same input would raise again.

    Trouble with the store, the models, the provider or the program's version is passed on: it says
    nothing about the unit.
    """
    try:
        yield
    except (StoreError, PackError, ProviderError, VersionError, CancelledJobError):
        raise
    except AnnotateError as error:
        failure = Failure(unit.name, error.message, attempts=1, hint=error.hint)
    # A defect in our own code or in a library must not stop the job either.
    except Exception as error:  # noqa: BLE001
        reason = f"unexpected {type(error).__name__}: {error}"
        failure = Failure(unit.name, reason, attempts=1, traceback=traceback.format_exc())
    else:
        return
    store.results(unit.job.recipe, unit.video).write_failure(failure)


def record_dead_worker(store: Store, unit: WorkUnit, cause: str) -> None:
    """Records the failure of a unit whose worker process died at every attempt."""
    reason = f"the worker process died {ATTEMPTS} times in it ({cause})"
    failure = Failure(unit.name, reason, ATTEMPTS)
    store.results(unit.job.recipe, unit.video).write_failure(failure)
