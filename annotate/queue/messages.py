"""Sends messages, and names the lists of the queue's server in which they wait."""

from dataclasses import dataclass

from celery import Celery

from annotate.domain.job import Job
from annotate.domain.work import WorkUnit
from annotate.queue.app import (
    CHUNK_QUEUES,
    CHUNK_TASK,
    MERGE_QUEUE,
    MERGE_TASK,
    PRIORITIES,
    PROBE_QUEUE,
    PROBE_TASK,
)


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

    def send_probe(self, listed: str, number: int) -> None:
        """Asks for the index of a video of a reading list."""
        message, priority = (listed, number), PRIORITIES["high"]
        self.app.send_task(PROBE_TASK, message, queue=PROBE_QUEUE, priority=priority)


def chunk_lists(job: Job) -> list[str]:
    """Names of the lists in which chunks of the job may wait, one for each chunk queue."""
    return [_list(queue, PRIORITIES[job.priority]) for queue in CHUNK_QUEUES]


def merge_list() -> str:
    """Name of the list in which merges wait."""
    return _list(MERGE_QUEUE, PRIORITIES["high"])


def probe_list() -> str:
    """Name of the list in which videos wait that are to be read."""
    return _list(PROBE_QUEUE, PRIORITIES["high"])


def all_lists() -> list[str]:
    """Names of all lists in which messages may wait."""
    chunks = [_list(queue, number) for queue in CHUNK_QUEUES for number in PRIORITIES.values()]
    return [*chunks, merge_list(), probe_list()]


def _list(queue: str, priority: int) -> str:
    # As kombu names them: priority 0, the highest, has the name of the queue itself.
    return f"{queue}\x06\x16{priority}" if priority else queue
