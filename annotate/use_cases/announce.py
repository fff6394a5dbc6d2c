"""Announces a submission, so that what its job will need is not deleted."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from annotate.domain.errors import StoreError
from annotate.domain.progress import Progress
from annotate.store import Store

_FOLDER = "submitting"
# Seconds between two announcements, and seconds after the last one when a submission was killed.
ANNOUNCE_S = 60.0
LEFT_S = 3600.0


@contextmanager
def announced(store: Store, progress: Progress) -> Iterator[Progress]:
    """The submission is announced while the block runs, and again whenever the progress that is
    yielded is called; it passes the news on.
    """
    key = f"{_FOLDER}/{uuid.uuid4().hex}"
    written = -ANNOUNCE_S

    def announcing(step: str, fraction: float, /) -> None:
        nonlocal written
        if time.monotonic() - written >= ANNOUNCE_S:
            written = time.monotonic()
            store.files.write(key, b"", durable=False)
        progress(step, fraction)

    store.files.write(key, b"", durable=False)
    try:
        yield announcing
    finally:
        with suppress(StoreError):
            store.files.delete(key)


def is_submitting(store: Store) -> bool:
    """Whether a job is being submitted to the store."""
    now = store.clock()
    entries = [entry for entry in store.files.walk(_FOLDER) if not entry.left]
    return any(now - entry.modified_s < LEFT_S for entry in entries)
