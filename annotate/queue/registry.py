"""The registry of jobs under way: which jobs workers see to, and which chunk queue each one has.

jobs              ids of the jobs that are under way
slot:<job>        index of the chunk queue that the job's messages are sent to
known             exists once a worker has looked; gone when the server lost its memory
"""

from typing import cast

import redis

from annotate.queue.app import CHUNK_QUEUES
from annotate.queue.values import number_in


class JobRegistry:
    """The jobs under way. Every method raises redis.RedisError where the server does not answer."""

    def __init__(self, client: "redis.Redis", prefix: str) -> None:
        self._redis = client
        self._prefix = prefix

    def add(self, job_id: str) -> None:
        """Puts a job under way."""
        self._redis.sadd(f"{self._prefix}jobs", job_id)

    def remove(self, job_id: str) -> None:
        """Removes a job that is finished, cancelled or deleted."""
        self._redis.srem(f"{self._prefix}jobs", job_id)
        self._redis.delete(f"{self._prefix}slot:{job_id}")

    def ids(self) -> list[str]:
        """Ids of the jobs that are under way, oldest first."""
        found = cast(set[bytes], self._redis.smembers(f"{self._prefix}jobs"))
        return sorted(job_id.decode("utf-8", "replace") for job_id in found)

    def slot(self, job_id: str) -> int | None:
        """Index of the job's chunk queue, or None where none of its messages was sent yet, as far
        as the server remembers.
        """
        slot = number_in(self._redis.get(f"{self._prefix}slot:{job_id}"), -1)
        return slot if slot in range(len(CHUNK_QUEUES)) else None

    def assign_slot(self, job_id: str, slot: int) -> None:
        """Gives the job a chunk queue."""
        self._redis.set(f"{self._prefix}slot:{job_id}", slot)

    def is_new(self) -> bool:
        """Whether the server lost its memory, or is used for the first time; from now on it is
        not new.
        """
        return bool(self._redis.set(f"{self._prefix}known", 1, nx=True))
