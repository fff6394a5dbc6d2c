"""Claims: which command works on a job whose queue lives in that command.

Without a server, two commands would do the same work twice. A claim is an object of the store that
its command writes again every few seconds, so no clocks of two hosts are compared.
"""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

import psutil

from annotate.domain.errors import BusyJobError, StoreError
from annotate.domain.job import Job
from annotate.domain.json_text import parsed
from annotate.store import Store

# Seconds between two renewals of a claim, and seconds without one after which a claim of another
# host was left by a command that was killed.
RENEW_S = 5.0
LEFT_S = 20.0
_LOOK_S = 0.5


@dataclass(frozen=True)
class Claim:
    """What a command says of itself.

    Attributes:
        host, pid: of its process.
        started_s: when the process started, by its host's clock: another may have the same pid.
        renewed: how often the claim was written again.
    """

    host: str
    pid: int
    started_s: float
    renewed: int = 0


@contextmanager
def claimed(store: Store, job: Job) -> Iterator[Callable[[], None]]:
    """The job belongs to this command while the block runs; yields what renews the claim, if it is
    time to.

    Raises:
        BusyJobError: another command works on the job.
    """
    key = f"working/{job.id}.json"
    other = _read(store, key)
    if other is not None and _is_alive(store, key, other):
        raise BusyJobError(
            f"job {job.id} is being worked on by process {other.pid} of {other.host}",
            "Follow it with `annotate status --watch`. Commands share a job through a queue: see "
            "ANNOTATE_BROKER in the documentation.",
        )
    own = Claim(socket.gethostname(), os.getpid(), psutil.Process().create_time())
    written, count = -RENEW_S, 0

    def renew() -> None:
        nonlocal written, count
        if time.monotonic() - written >= RENEW_S:
            written, count = time.monotonic(), count + 1
            fields = {**asdict(own), "renewed": count}
            store.files.write(key, json.dumps(fields).encode(), durable=False)

    renew()
    try:
        yield renew
    finally:
        with suppress(StoreError):
            store.files.delete(key)


def _read(store: Store, key: str) -> Claim | None:
    """The claim; None where there is none that can be read, as it may be lost."""
    data = store.files.read(key)
    with suppress(ValueError, TypeError):
        return Claim(**parsed(data or b""))
    return None


def _is_alive(store: Store, key: str, claim: Claim) -> bool:
    """Whether the command that wrote a claim still runs: one of another host renews it."""
    if claim.host == socket.gethostname():
        with suppress(psutil.Error):
            process = psutil.Process(claim.pid)
            return process.create_time() == claim.started_s and process.is_running()
        return False
    until = time.monotonic() + LEFT_S
    while time.monotonic() < until:
        time.sleep(_LOOK_S)
        now = _read(store, key)
        if now != claim:
            return now is not None
    return False
