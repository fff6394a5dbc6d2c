"""The queue: Celery, with the settings that were tried, and the names of the tasks.

A message is only a hint: it may be lost and it may come twice. What is done stands in the store.
Tasks are sent by name, so that nothing here imports `workers`.
"""

import queue
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from billiard.util import get_logger
from celery import Celery
from celery.app.utils import find_app
from celery.utils.dispatch import Signal
from celery.worker import state

from annotate.domain.errors import WorkerError
from annotate.domain.job import Job
from annotate.domain.settings import MEMORY, PREFIX, TLS
from annotate.domain.work import WorkUnit

CHUNK_TASK = "annotate.chunk"
MERGE_TASK = "annotate.merge"
# A queue of their own lets a video's merge overtake the chunks of the videos behind it. Chunks have
# several, a job one of them: workers take from them in turns, so that a short job need not wait for
# the end of a long one.
MERGE_QUEUE = "annotate.merges"
CHUNK_QUEUES = tuple(f"annotate.chunks.{number}" for number in range(8))
# Redis takes the smallest number first. Merges go before all chunks.
PRIORITIES: Mapping[str, int] = MappingProxyType({"high": 0, "normal": 3, "low": 6})
WORKERS = "workers"
ATTEMPTS = 3
# How many processes may die at birth, for each that there should be.
STILLBORN = 3

REDIS_OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        "global_keyprefix": PREFIX,
        # A message is given to another worker when its own does not acknowledge it within this
        # time, whether it still works or not. Leases find out sooner who is gone.
        "visibility_timeout": 86400,
        "priority_steps": sorted(PRIORITIES.values()),
        "queue_order_strategy": "round_robin",
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 25,
    }
)

# How often the queue inside a command is looked into, in seconds. Celery itself waits one, which a
# short video would notice.
MEMORY_OPTIONS: Mapping[str, Any] = MappingProxyType({"polling_interval": 0.05})

# Sent in the worker's parent process when a task ended with an error of its own.
task_trouble = Signal(name="task_trouble", providing_args={"error"})


def make_app(broker: str) -> Celery:
    """A Celery application on the broker at that URL, with our settings."""
    app = Celery(WORKERS, broker=broker)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_queues={name: {"routing_key": name} for name in (MERGE_QUEUE, *CHUNK_QUEUES)},
        # A message is acknowledged when its part stands; a process that dies gives it back.
        task_acks_late=True,
        task_retry_on_worker_lost=True,
        worker_lost_wait=0.5,
        worker_prefetch_multiplier=1,
        worker_pool_start_method="spawn",
        worker_proc_alive_timeout=120,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        # Far above what any chunk takes, on the slowest host.
        task_time_limit=4 * 3600,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # The queue's server may go and come back: what is in hand is finished meanwhile.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_transport_options=dict(MEMORY_OPTIONS if broker == MEMORY else REDIS_OPTIONS),
        # Without it kombu takes rediss:// for plain redis://. A private authority is made known by
        # SSL_CERT_FILE.
        broker_use_ssl=broker.startswith(TLS)
        and {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True},
    )
    return app


@dataclass(frozen=True)
class Queue:
    """Sends work units to the workers."""

    app: Celery

    def send(self, unit: WorkUnit, slot: int = 0) -> None:
        """Sends the message of a unit.

        Args:
            slot: index of the chunk queue that a chunk goes to.
        """
        task, queue, priority = CHUNK_TASK, CHUNK_QUEUES[slot], PRIORITIES[unit.job.priority]
        if unit.chunk is None:
            task, queue, priority = MERGE_TASK, MERGE_QUEUE, PRIORITIES["high"]
        self.app.send_task(task, unit.message, queue=queue, priority=priority)


def chunk_lists(job: Job) -> list[str]:
    """Names of the server's lists in which chunks of the job may wait, one for each queue."""
    return [_list(queue, PRIORITIES[job.priority]) for queue in CHUNK_QUEUES]


def merge_list() -> str:
    """Name of the server's list in which merges wait."""
    return _list(MERGE_QUEUE, PRIORITIES["high"])


def all_lists() -> list[str]:
    """Names of all lists in which units may wait."""
    chunks = [_list(queue, number) for queue in CHUNK_QUEUES for number in PRIORITIES.values()]
    return [*chunks, merge_list()]


def _list(queue: str, priority: int) -> str:
    # As kombu names them: the most urgent has the queue's own name.
    return f"{queue}\x06\x16{priority}" if priority else queue


class Births:
    """Watches whether a worker's processes come to life.

    Where each dies as it starts, Celery starts others for ever, and says nothing.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._born: set[int] = set()
        self._alive = False

    def check(self) -> None:
        """Looks again.

        Raises:
            WorkerError: several for each that there should be were born, and none took a task.
        """
        pool: Any = getattr(getattr(self._worker, "pool", None), "_pool", None)
        if self._alive or not hasattr(pool, "_pool"):
            return  # a process has taken a task before; threads are not born
        self._born |= {process.pid for process in list(pool._pool)}
        self._alive = any(state.total_count.values())
        if not self._alive and len(self._born) > STILLBORN * self._worker.concurrency:
            raise WorkerError(
                "worker processes end as soon as they start",
                'See what ends them: python -c "import workers.tasks"; then annotate doctor.',
            )


class Troubles:
    """Collects the errors of an embedded worker and its tasks."""

    def __init__(self, worker: Any) -> None:
        self._errors: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
        self._births = Births(worker)

    def receive(self, error: BaseException, **_: object) -> None:
        """Receiver of `task_trouble`."""
        self._errors.put(error)

    def check(self) -> None:
        """Raises the first error that has come, if one has."""
        if not self._errors.empty():
            raise self._errors.get()
        self._births.check()


@contextmanager
def embedded_worker(processes: int) -> Iterator[tuple[Queue, Troubles]]:
    """A Celery worker with its own processes inside this one, and the queue that feeds it.

    The worker is the same that `celery -A workers worker` starts; it takes its settings from the
    environment. Leaving the block ends its processes at once: what they had in hand is redone
    when the job goes on.
    """
    # billiard's logger keeps to itself otherwise, and prints where nobody has set it up.
    get_logger().propagate = True
    app = find_app(WORKERS)
    worker = app.WorkController(
        pool="prefork",
        concurrency=processes,
        hostname="embedded@localhost",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    troubles = Troubles(worker)
    task_trouble.connect(troubles.receive)
    thread = threading.Thread(target=worker.start, name="embedded-worker", daemon=True)
    thread.start()
    try:
        yield Queue(app), troubles
    finally:
        worker.terminate()
        thread.join(timeout=5)
