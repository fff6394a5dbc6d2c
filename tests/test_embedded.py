"""The worker inside a command: no message is lost, and none is waited for in vain."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import billiard
import billiard.pool
import kombu
import pytest
from kombu.transport import memory

from annotate.domain.broker import MEMORY
from annotate.domain.errors import WorkerError
from annotate.queue import embedded_pool, memory_transport
from annotate.queue.app import ALL_QUEUES, make_app
from annotate.queue.early_process import PoolContext
from annotate.queue.embedded import Sender, WorkerErrors, embedded_worker
from annotate.queue.embedded_pool import EmbeddedPool
from annotate.queue.startup_monitor import PoolStartupMonitor
from tests.command import PATIENCE_S

# Far longer than a test may take.
NEVER_S = 1e6
# It has no types.
made: Any = kombu


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


class Taken:
    """Takes messages of a queue in memory in a thread, as an embedded worker does."""

    def __init__(self, channel: Any, queue: Any, prefetch: int) -> None:
        self.messages: list[Any] = []
        self._came = threading.Semaphore(0)
        self._ended = False
        self._connection = channel.connection.client
        channel.basic_qos(0, prefetch, False)
        made.Consumer(channel, [queue], on_message=self._take).consume()
        threading.Thread(target=self._drain, daemon=True).start()

    def _take(self, message: Any) -> None:
        self.messages.append(message)
        self._came.release()

    def _drain(self) -> None:
        while not self._ended:
            try:
                self._connection.drain_events(timeout=NEVER_S)
            except TimeoutError:
                continue

    def wait(self) -> bool:
        """Whether another message has come."""
        return self._came.acquire(timeout=PATIENCE_S)

    def end(self) -> None:
        self._ended = True
        memory_transport._Channel.changed.set()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Taken, Any]]:
    """A worker that never looks by itself, and what sends it messages."""
    monkeypatch.setattr(memory_transport, "LOOK_S", NEVER_S)
    monkeypatch.setattr(memory.Channel, "queues", {})
    with make_app(MEMORY, "").connection_for_write() as connection:
        queue = made.Queue("one", routing_key="one")
        channel = connection.channel()
        queue.bind(channel).declare()
        taken = Taken(channel, queue, prefetch=1)
        yield taken, made.Producer(connection.channel(), routing_key="one")
        taken.end()


def test_a_message_wakes_the_worker(sent: tuple[Taken, Any]) -> None:
    taken, producer = sent
    producer.publish("first")
    assert taken.wait()


def test_a_message_that_is_used_up_makes_room_for_the_next(sent: tuple[Taken, Any]) -> None:
    taken, producer = sent
    producer.publish("first")
    assert taken.wait()
    memory_transport._Channel.changed.clear()
    taken.messages[0].ack()
    assert memory_transport._Channel.changed.is_set()


def test_a_worker_that_waits_looks_whether_it_is_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_transport, "LOOK_S", 0.0)
    with make_app(MEMORY, "").connection_for_read() as connection:
        connection.default_channel  # noqa: B018 - opens it
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=NEVER_S)


@pytest.fixture
def pool(outlasting: None) -> Callable[..., Any]:  # noqa: ARG001
    """Starts a pool of one process."""
    return partial(EmbeddedPool.BlockingPool, 1, context=PoolContext())


@pytest.mark.parametrize("closed", [False, True])
def test_the_end_of_the_pool_waits_for_no_sleep(
    monkeypatch: pytest.MonkeyPatch, pool: Callable[..., Any], closed: bool
) -> None:
    """Celery closes the pool, and then terminates it."""
    awake = threading.Event()

    def sleep(seconds: float) -> None:
        if seconds:
            awake.wait()

    monkeypatch.setattr(billiard.pool, "time", SimpleNamespace(sleep=sleep))
    started = pool(enable_timeouts=True)
    (process,) = started._pool

    def end() -> None:
        if closed:
            started.close()
        started.terminate()

    ending = threading.Thread(target=end, daemon=True)
    ending.start()
    ending.join(PATIENCE_S / 2)
    awake.set()
    assert not ending.is_alive()
    assert process.exitcode is not None


def ignore(number: int) -> None:
    signal.signal(number, signal.SIG_IGN)


def ends(pool: Any) -> bool:
    """Whether the pool comes to an end."""
    ending = threading.Thread(target=pool.terminate, daemon=True)
    ending.start()
    ending.join(PATIENCE_S)
    return not ending.is_alive()


def test_a_pool_ends_no_process_while_it_starts_one(pool: Callable[..., Any]) -> None:
    started = pool()
    ending = threading.Thread(target=started.terminate, daemon=True)
    with started._replacing:
        ending.start()
        ending.join(0.2)
        assert started._state == billiard.pool.RUN
    ending.join(PATIENCE_S)
    assert not ending.is_alive()


def test_a_pool_that_ends_replaces_no_process(pool: Callable[..., Any]) -> None:
    ended = pool()
    ended.terminate()
    before = list(ended._pool)
    ended._maintain_pool()
    assert ended._pool == before


def test_a_process_that_was_killed_amid_a_message_holds_up_no_end(
    pool: Callable[..., Any],
) -> None:
    started = pool()
    started._outqueue._wlock.acquire()  # and nobody gives it back
    assert ends(started)


def test_a_process_that_does_not_end_is_killed(
    monkeypatch: pytest.MonkeyPatch, pool: Callable[..., Any]
) -> None:
    monkeypatch.setattr(embedded_pool, "END_S", 0.1)
    started = pool()
    (process,) = started._pool
    ignoring = started.apply_async(ignore, (int(signal.SIGTERM),))
    ignoring.wait(PATIENCE_S)
    assert ignoring.successful()
    assert ends(started)
    assert process.exitcode == -signal.SIGKILL


def test_a_process_that_has_tidied_up_is_let_go_at_once(
    monkeypatch: pytest.MonkeyPatch, pool: Callable[..., Any]
) -> None:
    """It sleeps a second after it has said so, unless the thread that reads results is there."""
    started = pool()
    (process,) = started._pool
    join, states = process.join, []

    def joined(timeout: float | None = None) -> None:
        states.append(started._result_handler._state)
        join(timeout)

    monkeypatch.setattr(process, "join", joined)
    assert ends(started)
    assert states == [billiard.pool.RUN]
    assert started._result_handler._state == billiard.pool.TERMINATE


def test_the_processes_of_a_worker_can_tidy_up_before_they_end() -> None:
    with embedded_worker(1) as (_, errors):
        worker: Any = errors._startup._worker
        while not (pool := getattr(worker.pool, "_pool", None)):
            time.sleep(0.01)
        (process,) = pool._pool
        # It has Celery's handlers of signals.
        pool.apply_async(os.getpid).wait(PATIENCE_S)
    assert process.exitcode not in (None, -signal.SIGKILL)


def test_the_sender_knows_when_nothing_is_left() -> None:
    sender = Sender(SimpleNamespace(send=lambda _unit: None))  # type: ignore[arg-type]
    for _ in range(2):
        sender.send(None)  # type: ignore[arg-type]
    sender.receive()
    assert not sender.wait(0.0)
    sender.receive()
    assert sender.wait(NEVER_S)
    assert not sender.wait(0.0)


def test_the_end_of_the_pool_waits_for_no_task(pool: Callable[..., Any]) -> None:
    started, accepted = pool(), threading.Event()
    started.apply_async(time.sleep, (NEVER_S,), accept_callback=lambda *_: accepted.set())
    assert accepted.wait(PATIENCE_S)
    assert ends(started)
