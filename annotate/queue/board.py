"""What workers tell each other through Redis. All of it may be lost: the store alone is the truth.

lease:<unit>      who has a unit in hand; gone when it is not renewed
held:<worker>     the units that a worker has in hand
begun:<job>       its units that were begun and not brought to an end, and how often
again:<unit>      it was sent once more a moment ago
slot:<job>        which of the queues for chunks the job has
jobs              the jobs that are under way
beats             heartbeat of each process that has a unit in hand
workers           what each worker says of itself
done              how many units each worker brought to an end
turn:<what>       somebody does this just now

Every key begins with `annotate:`. Times are those of the server's clock, so that a worker whose own
clock is wrong misleads nobody.
"""

import json
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, cast

import redis
from kombu.exceptions import OperationalError
from kombu.utils.url import maybe_sanitize_url

from annotate.domain.errors import QueueError
from annotate.domain.job import Job
from annotate.domain.settings import PREFIX
from annotate.domain.work import Heartbeat, WorkUnit

LEASE_S = 30
RENEW_S = 5.0
# Processor time that a process at work surely spends between two renewals.
ALIVE_CPU_S = 0.02
BEGUN_S = 7 * 86400
AGAIN_S = 60
SILENCE_S = 30.0
_SOME = 5000

# Deletes the lease only where it is still ours.
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end"


def open_board(broker: str) -> "Board":
    """The board of the queue's server; it waits a bounded time for every answer."""
    return Board(
        redis.Redis.from_url(
            broker, socket_timeout=10, socket_connect_timeout=5, health_check_interval=25
        )
    )


@contextmanager
def queue_errors(broker: str) -> Iterator[None]:
    """Turns what the server's clients raise in the block into a message.

    Raises:
        QueueError: the server does not answer, or refuses.
    """
    try:
        yield
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        raise QueueError(
            f"the queue {maybe_sanitize_url(broker)} refuses this user: {error}",
            "Check user and password in ANNOTATE_BROKER, and the server's ACL.",
        ) from None
    except (redis.RedisError, OSError, OperationalError) as error:
        raise QueueError(
            f"the queue {maybe_sanitize_url(broker)} does not answer: {error}",
            "Check that the server runs and ANNOTATE_BROKER; what is done stands in the store.",
        ) from None


class Board:
    """The board of one Redis server."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client
        self._offset_s: float | None = None

    # Work units

    @contextmanager
    def lease(self, unit: WorkUnit, worker: str) -> Iterator[bool]:
        """Tries to take the unit's lease; yields whether it was acquired.

        It is held while the block runs, and renewed as long as this process spends processor time:
        a process that hangs or is frozen loses it.
        """
        key = f"{PREFIX}lease:{unit.key}"
        # Without the server workers cannot agree, and doing a unit twice is harmless.
        with suppress(redis.RedisError):
            if not self._redis.set(key, worker, nx=True, ex=LEASE_S):
                yield False
                return
            self._redis.sadd(f"{PREFIX}held:{worker}", unit.key)
        stop = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(key, stop), daemon=True)
        renewing.start()
        try:
            yield True
        finally:
            stop.set()
            self.release(unit, worker)

    def _renew(self, key: str, stop: threading.Event) -> None:
        spent = time.process_time()
        while not stop.wait(RENEW_S):
            now = time.process_time()
            if now - spent >= ALIVE_CPU_S:
                with suppress(redis.RedisError):
                    self._redis.expire(key, LEASE_S)
            spent = now

    def release(self, unit: WorkUnit, worker: str) -> None:
        """Gives the lease of a unit back, if the worker has it."""
        self._release(unit.key, worker)

    def release_all(self, worker: str) -> None:
        """Gives back all leases of a worker that has ended."""
        with suppress(redis.RedisError):
            for key in cast(set[bytes], self._redis.smembers(f"{PREFIX}held:{worker}")):
                self._release(key.decode(), worker)
            self._redis.hdel(f"{PREFIX}workers", worker)
            self._redis.hdel(f"{PREFIX}done", worker)

    def _release(self, key: str, worker: str) -> None:
        with suppress(redis.RedisError):
            self._redis.eval(_RELEASE, 1, f"{PREFIX}lease:{key}", worker)
            self._redis.srem(f"{PREFIX}held:{worker}", key)

    def begin(self, unit: WorkUnit) -> int:
        """Counts an attempt at the unit; how many there were, this one included."""
        key, count = f"{PREFIX}begun:{unit.job.id}", 1
        with suppress(redis.RedisError):
            count = self._redis.hincrby(key, unit.key, 1)
            self._redis.expire(key, BEGUN_S)
        return count

    def reset(self, unit: WorkUnit) -> None:
        """Sets the attempts at the unit to zero; it still counts as begun, so it is sent again."""
        with suppress(redis.RedisError):
            self._redis.hset(f"{PREFIX}begun:{unit.job.id}", unit.key, 0)

    def finish(self, unit: WorkUnit, worker: str) -> None:
        """Counts the unit as finished by the worker, whether it is done or failed."""
        with suppress(redis.RedisError):
            self._redis.hdel(f"{PREFIX}begun:{unit.job.id}", unit.key)
            self._redis.hincrby(f"{PREFIX}done", worker, 1)

    def lost(self, job: Job) -> list[WorkUnit]:
        """Units of a job that were begun and not finished, and whose lease has ended."""
        keys = cast(list[bytes], self._redis.hkeys(f"{PREFIX}begun:{job.id}"))
        begun = [WorkUnit.from_key(job, key.decode()) for key in keys]
        return [unit for unit, held in zip(begun, self.leased(begun), strict=True) if not held]

    def done(self, worker: str) -> int:
        """How many units the worker has finished."""
        with suppress(redis.RedisError):
            return int(cast(Any, self._redis.hget(f"{PREFIX}done", worker)) or 0)
        return 0

    def leased(self, units: Sequence[WorkUnit]) -> list[bool]:
        """Of each unit: whether a worker holds its lease."""
        found: list[bool] = []
        for start in range(0, len(units), _SOME):
            keys = [f"{PREFIX}lease:{unit.key}" for unit in units[start : start + _SOME]]
            found += [value is not None for value in cast(list[Any], self._redis.mget(keys))]
        return found

    def may_send_again(self, unit: WorkUnit) -> bool:
        """Whether the unit was not sent again within the last minute; counts it as sent now."""
        return bool(self._redis.set(f"{PREFIX}again:{unit.key}", 1, nx=True, ex=AGAIN_S))

    # Jobs

    def add_job(self, job: str) -> None:
        """The job is under way."""
        self._redis.sadd(f"{PREFIX}jobs", job)

    def remove_job(self, job: str) -> None:
        """The job is finished or cancelled."""
        self._redis.srem(f"{PREFIX}jobs", job)
        self._redis.delete(f"{PREFIX}slot:{job}", f"{PREFIX}begun:{job}")

    def jobs(self) -> list[str]:
        """The jobs that are under way, oldest first."""
        return sorted(
            one.decode() for one in cast(set[bytes], self._redis.smembers(f"{PREFIX}jobs"))
        )

    def slot(self, job: str) -> int | None:
        """Which of the queues for chunks the job has; None where nothing of it was ever sent, as
        far as the server remembers.
        """
        slot = cast(bytes | None, self._redis.get(f"{PREFIX}slot:{job}"))
        return None if slot is None else int(slot)

    def assign(self, job: str, slot: int) -> None:
        """Gives the job a queue."""
        self._redis.set(f"{PREFIX}slot:{job}", slot)

    def lengths(self, keys: Iterable[str]) -> list[int]:
        """How many messages wait in each list of those names."""
        pipe = self._redis.pipeline(transaction=False)
        for key in keys:
            pipe.llen(f"{PREFIX}{key}")
        return list(pipe.execute())

    def is_idle(self, worker: str, keys: Iterable[str]) -> bool:
        """Whether the worker has nothing in hand, and no message waits in the lists."""
        with suppress(redis.RedisError):
            held = self._redis.scard(f"{PREFIX}held:{worker}")
            return not held and not any(self.lengths(keys))
        return False

    def turn(self, what: str, seconds: float) -> bool:
        """Whether it is this process that shall do it now; nobody else will for some seconds."""
        with suppress(redis.RedisError):
            key = f"{PREFIX}turn:{what}"
            return bool(self._redis.set(key, 1, nx=True, px=int(seconds * 1000)))
        return False

    def end_turn(self, what: str) -> None:
        """It is done before the seconds are over."""
        with suppress(redis.RedisError):
            self._redis.delete(f"{PREFIX}turn:{what}")

    def is_new(self) -> bool:
        """Whether the server has forgotten everything, or never knew; from now on it knows."""
        return bool(self._redis.set(f"{PREFIX}known", 1, nx=True))

    # Heartbeats

    def now(self) -> float:
        """Unix time by the server's clock."""
        if self._offset_s is None:
            with suppress(redis.RedisError):
                seconds, micros = self._redis.time()
                self._offset_s = seconds + micros / 1e6 - time.time()
        return time.time() + (self._offset_s or 0.0)

    def write_heartbeat(self, beat: Heartbeat) -> None:
        """Says what a worker process is doing."""
        with suppress(redis.RedisError):
            self._redis.hset(f"{PREFIX}beats", beat.worker, json.dumps(asdict(beat)))

    def delete_heartbeat(self, process: str) -> None:
        """Says that a worker process has nothing in hand."""
        with suppress(redis.RedisError):
            self._redis.hdel(f"{PREFIX}beats", process)

    def heartbeats(self) -> list[Heartbeat]:
        """The last word of every process that was heard of lately; none without the server."""
        rows: list[dict[str, Any]] = []
        with suppress(redis.RedisError):
            rows = self._fresh("beats")
        beats = []
        for row in rows:
            with suppress(ValueError, TypeError, KeyError):  # of another version of the program
                beats.append(Heartbeat.from_fields(row))
        return beats

    def write_worker(self, facts: dict[str, Any]) -> None:
        """What a worker says of itself: `worker`, `host`, `processes`, `pool`, `version` ..."""
        told = json.dumps({**facts, "time_s": self.now()})
        self._redis.hset(f"{PREFIX}workers", facts["worker"], told)

    def workers(self) -> list[dict[str, Any]]:
        """What the workers said that were heard of lately."""
        return sorted(self._fresh("workers"), key=lambda row: str(row["worker"]))

    def _fresh(self, key: str) -> list[dict[str, Any]]:
        told = cast(dict[bytes, bytes], self._redis.hgetall(f"{PREFIX}{key}"))
        fresh = []
        for name, data in told.items():
            row = json.loads(data)
            if self.now() - row["time_s"] < SILENCE_S:
                fresh.append(row)
            else:
                self._redis.hdel(f"{PREFIX}{key}", name)
        return fresh
