"""When a worker's process is started again, and when it is stopped. Time passes in sleeps only."""

import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest

from annotate.domain.errors import QueueError
from annotate.domain.settings import settings_from
from annotate.queue import supervise
from annotate.queue.board import Board
from annotate.queue.supervise import MAX_IMMEDIATE_EXITS, POLL_S, Plan, Supervisor

FOREVER_S = 1e9
# The supervisor looks so often whether it was stopped while it pauses.
PAUSE_STEP_S = 0.1


@dataclass
class World:
    """In place of the modules `time` and `subprocess`: children live for `lives_s`; after a SIGTERM
    for `takes_s` at most, and not at all after a SIGQUIT.
    """

    lives_s: float
    takes_s: float = 0.0
    now_s: float = 1000.0
    starts: list[float] = field(default_factory=list)
    signals: list[int] = field(default_factory=list)
    at: dict[float, Callable[[], None]] = field(default_factory=dict)
    ends_s: float = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        for when in [one for one in self.at if one <= self.now_s]:
            self.at.pop(when)()

    def start(self, *_: Any, **__: Any) -> "World":
        self.starts.append(self.now_s)
        self.ends_s = self.now_s + self.lives_s
        return self

    returncode = 3

    def poll(self) -> int | None:
        return self.returncode if self.now_s >= self.ends_s else None

    def send_signal(self, number: int) -> None:
        self.signals.append(number)
        self.ends_s = self.now_s + (self.takes_s if number == signal.SIGTERM else 0.0)


def supervisor(
    monkeypatch: pytest.MonkeyPatch, world: World, plan: Plan, board: Any = None
) -> Supervisor:
    monkeypatch.setattr(supervise, "time", world)
    monkeypatch.setattr(supervise, "subprocess", SimpleNamespace(Popen=world.start))
    board = board or SimpleNamespace()
    board.forget_worker = lambda _name: None
    return Supervisor(plan, settings_from(), cast("Board", board))


def test_a_worker_that_ends_at_once_is_given_up_after_some_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(lives_s=0.0)
    said: list[str] = []
    with pytest.raises(QueueError, match="5 times in a row, lastly with exit code 3"):
        supervisor(monkeypatch, world, Plan(1, threads=False)).run(said.append)
    assert len(world.starts) == MAX_IMMEDIATE_EXITS
    pauses = [later - start for start, later in pairwise(world.starts)]
    assert pauses == pytest.approx([2, 4, 8, 16], abs=2 * PAUSE_STEP_S)
    assert said[0] == "The worker ended with exit code 3; it starts again in 2 s."


def test_a_worker_that_ran_for_a_while_is_started_again_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(lives_s=61.0)
    made = supervisor(monkeypatch, world, Plan(1, threads=False))
    world.at[world.now_s + 20 * 63] = made.stop
    made.run(lambda _line: None)
    assert len(world.starts) > 2 * MAX_IMMEDIATE_EXITS


def test_the_first_signal_lets_it_finish_the_second_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(lives_s=FOREVER_S, takes_s=100.0)
    made = supervisor(monkeypatch, world, Plan(1, threads=False))
    world.at = {world.now_s + 5: made.stop, world.now_s + 9: made.stop}
    made.run(lambda _line: None)
    assert world.signals == [signal.SIGTERM, signal.SIGQUIT]
    assert world.now_s < 1010 + 2 * POLL_S
    assert len(world.starts) == 1
    made.stop()  # it has ended
    assert len(world.signals) == 2


def test_a_signal_before_there_is_a_worker_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(lives_s=0.0)
    made = supervisor(monkeypatch, world, Plan(1, threads=False))
    made.stop()
    made.run(lambda _line: None)
    assert (len(world.starts), world.signals) == (1, [])


def test_it_ends_after_so_many_units(monkeypatch: pytest.MonkeyPatch) -> None:
    finished = iter([0, 2, *[3] * 100])
    board = SimpleNamespace(attempts=SimpleNamespace(finished_by=lambda _name: next(finished)))
    world = World(lives_s=FOREVER_S, takes_s=20.0)
    made = supervisor(monkeypatch, world, Plan(1, threads=False, max_jobs=3), board)
    made.run(lambda _line: None)
    assert world.signals == [signal.SIGTERM], "what it has begun is not given back"
    assert world.now_s - world.starts[0] == pytest.approx(20 + 3 * POLL_S)


@pytest.mark.parametrize("wanted", [True, False], ids=["if wanted", "else not"])
def test_it_ends_when_it_was_idle_for_a_while(
    monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    """There is work for the first 30 seconds."""
    world = World(lives_s=FOREVER_S)
    began = world.now_s
    board = SimpleNamespace(is_idle=lambda _name, _lists: world.now_s > began + 30)
    plan = Plan(1, threads=False, stop_when_idle=wanted)
    made = supervisor(monkeypatch, world, plan, board)
    world.at[began + 1000] = made.stop
    made.run(lambda _line: None)
    lasted = world.now_s - began
    assert lasted == pytest.approx(40 if wanted else 1000, abs=2 * POLL_S)
