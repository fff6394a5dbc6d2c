"""The board: what workers share through Redis. It may all be lost, the store is the only truth.

Every key begins with `annotate:` and the id of the store, so that several stores can share a
server; each part of the board describes its own keys. Without an id:

stores            where the stores are that use the server, by their id
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import cast

import redis
from kombu.exceptions import OperationalError

from annotate.domain.broker import broker_address
from annotate.domain.errors import QueueAwayError, QueueError
from annotate.domain.settings import PREFIX, key_prefix
from annotate.queue.attempts import Attempts
from annotate.queue.leases import Leases
from annotate.queue.mutex import Mutexes
from annotate.queue.registry import JobRegistry
from annotate.queue.worker_reports import WorkerReports

_STORES = f"{PREFIX}stores"


@dataclass(frozen=True)
class Board:
    """What the workers of one store share through a Redis server.

    Attributes:
        prefix: start of the keys of the store.
    """

    client: "redis.Redis"
    prefix: str
    jobs: JobRegistry
    leases: Leases
    attempts: Attempts
    mutexes: Mutexes
    reports: WorkerReports

    def forget_job(self, job_id: str) -> None:
        """Removes a job that is finished, cancelled or deleted.

        Raises:
            redis.RedisError: the queue's server does not answer.
        """
        self.jobs.remove(job_id)
        self.attempts.forget_job(job_id)

    def forget_worker(self, worker: str) -> None:
        """Gives back the leases of a worker that has ended, and removes what it reported."""
        self.leases.release_all(worker)
        self.attempts.forget_worker(worker)
        self.reports.delete_worker(worker)

    def introduce(self, store_id: str, location: str) -> list[str]:
        """Tells the server which store uses it.

        Returns:
            Where the other stores are that use it.

        Raises:
            redis.RedisError: the queue's server does not answer.
        """
        self.client.hset(_STORES, store_id, location)
        found = cast(dict[bytes, bytes], self.client.hgetall(_STORES))
        return sorted(
            place.decode("utf-8", "replace")
            for other, place in found.items()
            if other != store_id.encode()
        )

    def waiting(self, lists: Iterable[str]) -> list[int]:
        """How many messages wait in each list of the server.

        Raises:
            redis.RedisError: the queue's server does not answer.
        """
        pipe = self.client.pipeline(transaction=False)
        for name in lists:
            pipe.llen(f"{self.prefix}{name}")
        return list(pipe.execute())

    def is_idle(self, worker: str, lists: Iterable[str]) -> bool:
        """Whether the worker holds no lease and no message waits in the lists; False where the
        server does not answer.
        """
        with suppress(redis.RedisError):
            return not self.leases.held_by(worker) and not any(self.waiting(lists))
        return False


def ask_queue(broker: str) -> None:
    """Asks the queue's server for an answer, whatever the store.

    Raises:
        QueueAwayError: it does not answer.
        QueueError: it refuses.
    """
    with queue_errors(broker):
        _client(broker).hgetall(_STORES)


def _client(broker: str) -> redis.Redis:
    return redis.Redis.from_url(
        broker, socket_timeout=10, socket_connect_timeout=5, health_check_interval=25
    )


def open_board(broker: str, store_id: str) -> Board:
    """The board of a store in the queue's server; it waits a bounded time for every answer."""
    prefix = key_prefix(store_id)
    client = _client(broker)
    return Board(
        client,
        prefix,
        jobs=JobRegistry(client, prefix),
        leases=Leases(client, prefix),
        attempts=Attempts(client, prefix),
        mutexes=Mutexes(client, prefix),
        reports=WorkerReports(client, prefix),
    )


@contextmanager
def queue_errors(broker: str) -> Iterator[None]:
    """Turns what the server's clients raise in the block into a message.

    Raises:
        QueueAwayError: the server does not answer.
        QueueError: it refuses.
    """
    try:
        yield
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        raise QueueError(
            f"the queue {broker_address(broker)} refuses this user: {error}",
            "Check user and password in ANNOTATE_BROKER, and the server's ACL.",
        ) from None
    except redis.ResponseError as error:
        raise QueueError(
            f"the queue {broker_address(broker)} refuses: {error}",
            "Look at the server: its memory or its disk may be full, or it may be a copy that "
            "takes no writes. Finished work is safe in the store.",
        ) from None
    except (redis.RedisError, OSError, OperationalError) as error:
        raise QueueAwayError(
            f"the queue {broker_address(broker)} does not answer: {error}",
            "Check that the server runs, and ANNOTATE_BROKER. Finished work is safe in the store.",
        ) from None
