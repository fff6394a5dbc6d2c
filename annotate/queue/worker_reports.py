"""What workers report about themselves through the queue's server.

heartbeats        the heartbeat of each process that works on a chunk
workers           facts about each worker: host, number of processes, version
refusals          why a worker takes nothing of a job, by both
dropped           how many messages were dropped: malformed ones, and those for unknown work

Times are those of the server's clock: a worker with a wrong clock still looks alive.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any, cast

import redis

from annotate.domain.json_text import parsed
from annotate.domain.work import SILENCE_S, Heartbeat
from annotate.queue.values import number_in


class WorkerReports:
    """Writes and reads heartbeats and facts about workers."""

    def __init__(self, client: "redis.Redis", prefix: str) -> None:
        self._redis = client
        self._prefix = prefix
        self._offset_s: float | None = None

    def now(self) -> float:
        """Unix time by the server's clock; by this host's where the server does not answer."""
        if self._offset_s is None:
            with suppress(redis.RedisError):
                seconds, micros = self._redis.time()
                self._offset_s = seconds + micros / 1e6 - time.time()
        return time.time() + (self._offset_s or 0.0)

    def write_heartbeat(self, beat: Heartbeat) -> None:
        """Writes what a worker process is doing."""
        with suppress(redis.RedisError):
            self._redis.hset(f"{self._prefix}heartbeats", beat.worker, json.dumps(asdict(beat)))

    def delete_heartbeat(self, worker: str) -> None:
        """Removes the heartbeat of a worker process, which no longer works on a chunk."""
        with suppress(redis.RedisError):
            self._redis.hdel(f"{self._prefix}heartbeats", worker)

    def heartbeats(self) -> list[Heartbeat]:
        """Heartbeats that are not older than `SILENCE_S`; none where the server does not answer."""
        rows: list[dict[str, Any]] = []
        with suppress(redis.RedisError):
            rows = self._recent("heartbeats")
        beats = []
        for row in rows:
            with suppress(ValueError, TypeError, KeyError):  # of another version of the program
                beats.append(Heartbeat.from_fields(row))
        return beats

    def write_worker(self, facts: Mapping[str, object]) -> None:
        """Writes facts about a worker, among them `worker`, its name.

        Raises:
            redis.RedisError: the queue's server does not answer.
        """
        row = json.dumps({**facts, "time_s": self.now()})
        self._redis.hset(f"{self._prefix}workers", str(facts["worker"]), row)

    def delete_worker(self, worker: str) -> None:
        """Removes a worker that has ended."""
        with suppress(redis.RedisError):
            self._redis.hdel(f"{self._prefix}workers", worker)

    def workers(self) -> list[dict[str, Any]]:
        """Facts about the workers that reported within `SILENCE_S`, by name.

        Raises:
            redis.RedisError: the queue's server does not answer.
        """
        return sorted(self._recent("workers"), key=lambda row: str(row["worker"]))

    def write_refusal(self, worker: str, job_id: str, reason: str) -> None:
        """Writes why a worker takes nothing of a job."""
        row = {"worker": worker, "job": job_id, "reason": reason, "time_s": self.now()}
        with suppress(redis.RedisError):
            self._redis.hset(f"{self._prefix}refusals", f"{worker} {job_id}", json.dumps(row))

    def refusals(self, job_id: str) -> list[dict[str, Any]]:
        """Which workers took nothing of a job within `SILENCE_S`, and why, by the worker's name;
        none where the server does not answer.
        """
        rows: list[dict[str, Any]] = []
        with suppress(redis.RedisError):
            rows = [row for row in self._recent("refusals") if row.get("job") == job_id]
        known = [row for row in rows if isinstance(row.get("reason"), str)]
        return sorted(known, key=lambda row: str(row["worker"]))

    def count_dropped(self) -> None:
        """Counts a message that was dropped."""
        with suppress(redis.RedisError):
            self._redis.incr(f"{self._prefix}dropped")

    def dropped(self) -> int:
        """How many messages were dropped.

        Raises:
            redis.RedisError: the queue's server does not answer.
        """
        return number_in(self._redis.get(f"{self._prefix}dropped"))

    def _recent(self, key: str) -> list[dict[str, Any]]:
        rows = cast(dict[bytes, bytes], self._redis.hgetall(f"{self._prefix}{key}"))
        recent = []
        for name, data in rows.items():
            row = _row(data)
            # One of the future was written before the server's clock was set back.
            if row is not None and abs(self.now() - row["time_s"]) < SILENCE_S:
                recent.append(row)
            else:
                self._redis.hdel(f"{self._prefix}{key}", cast(str, name))
        return recent


def _row(data: bytes) -> dict[str, Any] | None:
    """What a worker wrote about itself; None where no worker wrote it."""
    with suppress(ValueError):
        row = parsed(data)
        if (
            isinstance(row, dict)
            and isinstance(row.get("worker"), str)
            and isinstance(row.get("time_s"), int | float)
        ):
            return row
    return None
