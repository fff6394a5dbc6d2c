"""The worker inside a command: no message is lost, and none is waited for in vain."""

import threading

import pytest
from kombu.transport import memory

from annotate.domain.errors import WorkerError
from annotate.queue.app import ALL_QUEUES
from annotate.queue.embedded import WorkerErrors, embedded_worker
from annotate.queue.startup_monitor import PoolStartupMonitor


class StartedError(Exception):
    """Ends a test where the worker's thread would start."""


def test_the_queues_are_there_before_the_worker_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command and its worker would each make them, and one would replace the other's with the
    messages in it: the command waited for ever.
    """
    found = set[str]()

    def start(_thread: threading.Thread) -> None:
        found.update(memory.Channel.queues)
        raise StartedError

    monkeypatch.setattr(memory.Channel, "queues", {})
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(StartedError), embedded_worker(1):
        pass
    assert found >= set(ALL_QUEUES)


def test_a_worker_whose_thread_has_ended_is_an_error() -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    with pytest.raises(WorkerError, match="has ended"):
        WorkerErrors(None, thread).check()


def test_the_reason_why_a_worker_ended_goes_before_that_it_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def died(_monitor: PoolStartupMonitor) -> None:
        raise WorkerError("worker processes end as soon as they start")

    monkeypatch.setattr(PoolStartupMonitor, "check", died)
    with pytest.raises(WorkerError, match="as soon as they start"):
        WorkerErrors(None, threading.Thread()).check()
