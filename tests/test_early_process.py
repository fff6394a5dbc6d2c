"""A worker's process that starts before there is work for it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from annotate.domain.settings import Settings, settings_from
from annotate.queue.early_process import EarlyProcess, PoolContext, _bytes, started_early
from annotate.queue.embedded_pool import EmbeddedPool
from tests.command import PATIENCE_S

PLACE = {"ANNOTATE_STORE": "/nowhere/store", "ANNOTATE_SOC": ""}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    found = settings_from(PLACE)
    for name in found.to_environ():
        monkeypatch.setenv(name, "")
    return found


@pytest.fixture
def early(settings: Settings) -> Iterator[EarlyProcess]:
    one = EarlyProcess(settings)
    yield one
    one.close()


@pytest.fixture
def pool(early: EarlyProcess, outlasting: None) -> Iterator[Callable[..., Any]]:  # noqa: ARG001
    """Starts a pool whose first process is the early one."""
    made = []

    def start(processes: int = 1) -> Any:
        made.append(EmbeddedPool.BlockingPool(processes, context=PoolContext(early)))
        return made[0]

    yield start
    for one in made:
        one.terminate()


def pids(pool: Any) -> list[int]:
    return [process.pid for process in pool._pool]


def told(pool: Any, question: Callable[..., Any], *arguments: Any) -> Any:
    return pool.apply_async(question, arguments).get(timeout=PATIENCE_S)


def test_it_becomes_the_first_process_of_the_pool(
    early: EarlyProcess, pool: Callable[..., Any]
) -> None:
    started = pool()
    assert pids(started) == [early._pid]
    assert told(started, os.getpid) == early._pid


def test_the_others_are_new(early: EarlyProcess, pool: Callable[..., Any]) -> None:
    first, *others = pids(pool(3))
    assert first == early._pid
    assert len({first, *others}) == 3


def test_it_has_the_settings_and_the_newest_environment(
    early: EarlyProcess, pool: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SET_SINCE", "a")
    started = pool()
    values = [told(started, os.getenv, name) for name in ("ANNOTATE_STORE", "SET_SINCE")]
    assert values == [PLACE["ANNOTATE_STORE"], "a"]
    assert told(started, os.getpid) == early._pid


def test_its_exit_code_is_known(early: EarlyProcess, pool: Callable[..., Any]) -> None:
    """Why a process ended is in the failure of its unit."""
    (process,) = pool()._pool
    os.kill(early._pid, signal.SIGKILL)
    process.join(PATIENCE_S)
    assert process.exitcode == -signal.SIGKILL


def test_another_one_takes_the_place_of_one_that_died(
    early: EarlyProcess, pool: Callable[..., Any]
) -> None:
    os.kill(early._pid, signal.SIGKILL)
    os.waitid(os.P_PID, early._pid, os.WEXITED | os.WNOWAIT)
    started = pool()
    assert early._pid not in pids(started)
    assert told(started, os.getpid) in pids(started)


def test_it_ends_where_it_is_not_needed(settings: Settings) -> None:
    with started_early(settings) as early:
        assert early is not None
        pid = early._pid
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)


def test_a_command_with_a_queue_starts_none() -> None:
    with_queue = settings_from({**PLACE, "ANNOTATE_BROKER": "redis://localhost"})
    with started_early(with_queue) as early:
        assert early is None


def test_it_ends_with_a_command_that_is_killed() -> None:
    program = (
        "import os, signal\n"
        "from annotate.domain.settings import settings_from\n"
        "from annotate.queue.early_process import EarlyProcess\n"
        "print(EarlyProcess(settings_from())._pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    (pid,) = command.stdout.split()
    try:
        ended = psutil.Process(int(pid))
    except psutil.NoSuchProcess:
        return
    ended.wait(PATIENCE_S)


def test_no_process_of_a_command_sees_ctrl_c_while_it_starts(pool: Callable[..., Any]) -> None:
    """It would print where it was."""
    started = pool(2)
    for process in started._pool:
        os.kill(process.pid, signal.SIGINT)
    for _ in range(2):
        assert told(started, signal.pthread_sigmask, signal.SIG_BLOCK, ()) >= {signal.SIGINT}
    assert all(process.exitcode is None for process in started._pool)


def test_a_command_that_ends_amid_what_it_says_is_not_waited_for() -> None:
    read, write = os.pipe()
    os.write(write, b"half")
    os.close(write)
    with os.fdopen(read, "rb"), pytest.raises(EOFError):
        _bytes(read, 8)
