"""Claims: which command works on a job whose queue lives in that command.

Without a server, two commands would do the same work twice. A claim is an object of the store that
its command writes again every few seconds, so no clocks of two hosts are compared.
"""

import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

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
        machine: tells hosts of one name apart.
    """

    host: str
    pid: int
    started_s: float
    renewed: int = 0
    machine: str = ""


@contextmanager
def claimed(store: Store, job: Job) -> Iterator[Callable[[], None]]:
    """The job belongs to this command while the block runs; yields what renews the claim, if it is
    time to.

    Raises:
        BusyJobError: another command works on the job.
    """
    check_unclaimed(store, job.id)
    key = _key(job.id)
    own = Claim(socket.gethostname(), os.getpid(), psutil.Process().create_time(), 0, _machine())
    written, count = -RENEW_S, 0

    def renew() -> None:
        nonlocal written, count
        if time.monotonic() - written >= RENEW_S:
            written, count = time.monotonic(), count + 1
            content = {**asdict(own), "renewed": count}
            store.files.write(key, json.dumps(content).encode(), durable=False)

    renew()
    try:
        yield renew
    finally:
        with suppress(StoreError):
            store.files.delete(key)


def check_unclaimed(store: Store, job_id: str) -> None:
    """Checks that no command without a queue works on a job. It takes a while where one of another
    host has left its claim.

    Raises:
        BusyJobError: one does.
    """
    key = _key(job_id)
    other = _read(store, key)
    if other is not None and _is_alive(store, key, other):
        raise BusyJobError(
            f"job {job_id} is being worked on by process {other.pid} of {other.host}",
            "Follow it with `annotate status --watch`. Commands share a job through a queue: see "
            "ANNOTATE_BROKER in the documentation.",
        )


def _key(job_id: str) -> str:
    return f"working/{job_id}.json"


def _read(store: Store, key: str) -> Claim | None:
    """The claim; None where there is none that can be read, as it may be lost."""
    data = store.files.read(key)
    with suppress(ValueError, TypeError, AttributeError):
        known = {field.name for field in fields(Claim)}
        return Claim(
            **{name: value for name, value in parsed(data or b"").items() if name in known}
        )
    return None


def _is_alive(store: Store, key: str, claim: Claim) -> bool:
    """Whether the command that wrote a claim still runs: one of another host renews it."""
    if (claim.host, claim.machine) == (socket.gethostname(), _machine()):
        try:
            process = psutil.Process(claim.pid)
            if process.create_time() == claim.started_s:
                return process.is_running()
        except psutil.Error:
            return False
        # Another process has its number, or the clock was set meanwhile.
    until = time.monotonic() + LEFT_S
    while time.monotonic() < until:
        time.sleep(_LOOK_S)
        now = _read(store, key)
        if now != claim:
            return now is not None
    return False


@cache
def _machine() -> str:
    """Tells this host from others of its name, and containers of one host from each other."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return f"{uuid.getnode():x}"
