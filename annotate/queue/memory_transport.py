"""kombu's queue in memory, which gives a message at once and does not hold up an end.

kombu's own looks again and again, and a worker's thread in it notices only seconds later that the
worker is to end.
"""

import threading
from queue import Empty
from typing import Any

from celery.app.amqp import AMQP
from kombu.connection import Connection
from kombu.transport import memory, virtual

from annotate.queue.app import task_ended

# Seconds between two looks whether the worker is to end.
LOOK_S = 0.05


class _QoS(virtual.QoS):
    """Wakes the worker when it has room for another message."""

    def ack(self, delivery_tag: Any) -> None:
        """Called by kombu when a task has ended."""
        super().ack(delivery_tag)  # type: ignore[no-untyped-call]
        _Channel.changed.set()
        task_ended.send(sender=self)

    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        """Called by kombu when a task is given back."""
        super().reject(delivery_tag, requeue)  # type: ignore[no-untyped-call]
        _Channel.changed.set()


class _Channel(memory.Channel):
    """Attributes:
    changed: set where there may be a message to take; as kombu's queues, for all channels.
    """

    QoS = _QoS
    changed = threading.Event()

    def _put(self, queue: str, message: Any, **options: Any) -> None:
        super()._put(queue, message, **options)  # type: ignore[no-untyped-call]
        self.changed.set()


class _Transport(memory.Transport):
    Channel = _Channel

    cycle: Any

    def drain_events(self, connection: Any, timeout: float | None = None, **_: Any) -> Any:
        """Called by the worker again and again: delivers a message, or waits for one a moment.

        Raises:
            TimeoutError: none came.
        """
        del connection
        _Channel.changed.clear()
        try:
            self.cycle.get(self._deliver, timeout=timeout)
        except Empty:
            if not _Channel.changed.wait(LOOK_S):
                raise TimeoutError from None


class _Connection(Connection):
    def get_transport_cls(self) -> Any:
        """Called by kombu when it connects."""
        return _Transport


class MemoryAmqp(AMQP):
    """Makes Celery use this transport."""

    Connection = _Connection
