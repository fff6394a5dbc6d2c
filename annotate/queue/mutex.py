"""Mutexes: short locks for tasks that one process at a time does, such as reconciling.

mutex:<task>      exists while a process does the task
"""

from contextlib import suppress

import redis


class Mutexes:
    """The mutexes of all tasks."""

    def __init__(self, client: "redis.Redis", prefix: str) -> None:
        self._redis = client
        self._prefix = prefix

    def acquire(self, task: str, seconds: float) -> bool:
        """Tries to lock a task for some seconds; False where another process has locked it, or the
        server does not answer.
        """
        with suppress(redis.RedisError):
            milliseconds = int(seconds * 1000)
            return bool(self._redis.set(f"{self._prefix}mutex:{task}", 1, nx=True, px=milliseconds))
        return False

    def release(self, task: str) -> None:
        """Unlocks a task before its seconds are over."""
        with suppress(redis.RedisError):
            self._redis.delete(f"{self._prefix}mutex:{task}")
