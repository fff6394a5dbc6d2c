"""Attempts: how often each work unit was begun, and how many units each worker has finished.

attempts:<job>    units of the job that were begun and not finished, and how often they were begun
resent:<unit>     the unit was sent again a moment ago
finished          how many units each worker has finished
"""

from contextlib import suppress
from typing import cast

import redis

from annotate.domain.errors import UnknownWorkError
from annotate.domain.job import Job
from annotate.domain.work import WorkUnit
from annotate.queue.values import number_in

# Seconds after the last attempt at a unit of a job in which its attempts are remembered.
REMEMBERED_S = 7 * 86400
# Seconds between two messages for a unit that was lost.
RESEND_S = 60


class Attempts:
    """Counts attempts at work units.

    Where the server does not answer, counting is left out: a unit is then tried once too often.
    """

    def __init__(self, client: "redis.Redis", prefix: str) -> None:
        self._redis = client
        self._prefix = prefix

    def begin(self, unit: WorkUnit) -> int:
        """Counts an attempt at the unit; how many there were, this one included."""
        key, count = self._attempts(unit.job.id), 1
        with suppress(redis.RedisError):
            count = self._redis.hincrby(key, unit.key, 1)
            self._redis.expire(key, REMEMBERED_S)
        return count

    def of(self, unit: WorkUnit) -> int:
        """How many attempts there were since the unit was last finished or reset; 0 where the
        server does not answer.
        """
        with suppress(redis.RedisError):
            return number_in(self._redis.hget(self._attempts(unit.job.id), unit.key))
        return 0

    def reset(self, unit: WorkUnit) -> None:
        """Sets the attempts at the unit to zero; it still counts as begun, so it is sent again."""
        with suppress(redis.RedisError):
            self._redis.hset(self._attempts(unit.job.id), unit.key, "0")

    def forget(self, unit: WorkUnit) -> None:
        """The unit needs no attempt any more: it is done or has failed."""
        with suppress(redis.RedisError):
            self._redis.hdel(self._attempts(unit.job.id), unit.key)

    def finish(self, unit: WorkUnit, worker: str) -> None:
        """Counts the unit as finished by the worker, whether it is done or failed."""
        self.forget(unit)
        with suppress(redis.RedisError):
            self._redis.hincrby(f"{self._prefix}finished", worker, 1)

    def unfinished(self, job: Job) -> list[WorkUnit]:
        """Units of a job that were begun and not finished.

        Raises:
            redis.RedisError: the queue's server does not answer.
        """
        units = []
        for key in cast(list[bytes], self._redis.hkeys(self._attempts(job.id))):
            # Anyone with the queue's password can put other names there.
            with suppress(ValueError, UnknownWorkError):
                units.append(WorkUnit.from_key(job, key.decode()))
        return units

    def may_send_again(self, unit: WorkUnit) -> bool:
        """Whether the unit was not sent again within the last minute; counts it as sent now.

        Raises:
            redis.RedisError: the queue's server does not answer.
        """
        return bool(self._redis.set(f"{self._prefix}resent:{unit.key}", 1, nx=True, ex=RESEND_S))

    def finished_by(self, worker: str) -> int:
        """How many units the worker has finished; 0 where the server does not answer."""
        with suppress(redis.RedisError):
            return number_in(self._redis.hget(f"{self._prefix}finished", worker))
        return 0

    def forget_job(self, job_id: str) -> None:
        """Deletes the attempts at a job's units.

        Raises:
            redis.RedisError: the queue's server does not answer.
        """
        self._redis.delete(self._attempts(job_id))

    def forget_worker(self, worker: str) -> None:
        """Deletes the count of a worker that has ended."""
        with suppress(redis.RedisError):
            self._redis.hdel(f"{self._prefix}finished", worker)

    def _attempts(self, job_id: str) -> str:
        return f"{self._prefix}attempts:{job_id}"
