"""Leases: which worker does a work unit, so that no two workers do the same one.

lease:<unit>      the worker that does the unit; expires when the worker does not renew it
held:<worker>     keys of the units whose leases the worker holds
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, cast

import redis

from annotate.domain.work import WorkUnit

# Seconds after which a lease expires that is not renewed.
LEASE_S = 30
# Seconds between two renewals.
RENEW_S = 5.0
# Seconds of processor time that a working process is sure to spend between two renewals.
ALIVE_CPU_S = 0.02
# The most keys that one command asks for.
_BATCH = 5000

# Deletes the lease only where it is still held by that worker.
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end"


class Leases:
    """The leases of all work units."""

    def __init__(self, client: "redis.Redis", prefix: str) -> None:
        self._redis = client
        self._prefix = prefix

    @contextmanager
    def hold(self, unit: WorkUnit, worker: str) -> Iterator[bool]:
        """Tries to take the unit's lease; yields whether it was acquired.

        It is held while the block runs, and renewed as long as this process spends processor time:
        a process that hangs or is frozen loses it.
        """
        key = f"{self._prefix}lease:{unit.key}"
        # Without the server workers cannot agree, and doing a unit twice is harmless.
        with suppress(redis.RedisError):
            if not self._redis.set(key, worker, nx=True, ex=LEASE_S):
                yield False
                return
            self._redis.sadd(f"{self._prefix}held:{worker}", unit.key)
        stop = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(key, stop), daemon=True)
        renewing.start()
        try:
            yield True
        finally:
            stop.set()
            self.release(unit, worker)

    def release(self, unit: WorkUnit, worker: str) -> None:
        """Gives the lease of a unit back, if the worker holds it."""
        self._release(unit.key, worker)

    def release_all(self, worker: str) -> None:
        """Gives back all leases of a worker that has ended."""
        with suppress(redis.RedisError):
            for key in cast(set[bytes], self._redis.smembers(f"{self._prefix}held:{worker}")):
                self._release(key.decode("utf-8", "replace"), worker)

    def held_by(self, worker: str) -> int:
        """How many leases the worker holds.

        Raises:
            redis.RedisError: the queue's server does not answer.
        """
        return self._redis.scard(f"{self._prefix}held:{worker}")

    def ages_s(self, worker: str) -> list[float]:
        """Seconds since each lease that the worker holds was renewed.

        Raises:
            redis.RedisError: the queue's server does not answer.
        """
        units = cast(set[bytes], self._redis.smembers(f"{self._prefix}held:{worker}"))
        pipe = self._redis.pipeline(transaction=False)
        for unit in units:
            pipe.pttl(f"{self._prefix}lease:{unit.decode('utf-8', 'replace')}")
        # Those that have expired have a negative time.
        return [LEASE_S - max(left_ms, 0) / 1000 for left_ms in pipe.execute()]

    def are_held(self, units: Sequence[WorkUnit]) -> list[bool]:
        """Of each unit: whether a worker holds its lease.

        Raises:
            redis.RedisError: the queue's server does not answer.
        """
        found: list[bool] = []
        for start in range(0, len(units), _BATCH):
            keys = [f"{self._prefix}lease:{unit.key}" for unit in units[start : start + _BATCH]]
            found += [value is not None for value in cast(list[Any], self._redis.mget(keys))]
        return found

    def _renew(self, key: str, stop: threading.Event) -> None:
        spent = time.process_time()
        while not stop.wait(RENEW_S):
            now = time.process_time()
            if now - spent >= ALIVE_CPU_S:
                with suppress(redis.RedisError):
                    self._redis.expire(key, LEASE_S)
            spent = now

    def _release(self, key: str, worker: str) -> None:
        with suppress(redis.RedisError):
            self._redis.eval(_RELEASE, 1, f"{self._prefix}lease:{key}", worker)
            self._redis.srem(f"{self._prefix}held:{worker}", key)
