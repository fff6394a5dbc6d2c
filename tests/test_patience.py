"""How trouble of the host is waited for. Time passes only where the code sleeps."""

import errno
import logging
from pathlib import Path

import pytest

from annotate.domain.errors import HostError, unreadable
from annotate.domain.settings import settings_from
from annotate.queue import patience
from annotate.queue.patience import PATIENCE_S, SHORT_PATIENCE_S, with_patience


class Clock:
    """In place of the module `time`."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_s += seconds


class Trouble:
    """Fails so many times with an error of the system."""

    def __init__(self, times: int, number: int = errno.EIO) -> None:
        self.left, self.number = times, number

    def __call__(self) -> str:
        self.left -= 1
        if self.left >= 0:
            cause = OSError(self.number, "trouble")
            raise unreadable(Path("walk.mp4"), cause) from cause
        return "done"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(patience, "time", made)
    return made


SETTINGS = settings_from()


def test_pauses_grow_up_to_a_limit(clock: Clock) -> None:
    assert with_patience(Trouble(9), SETTINGS) == "done"
    assert clock.pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


@pytest.mark.parametrize(("times", "said"), [(2, 0), (3, 1), (9, 1)])
def test_a_wait_is_said_once_if_it_is_long_and_so_is_its_end(
    clock: Clock, caplog: pytest.LogCaptureFixture, times: int, said: int
) -> None:
    with caplog.at_level(logging.WARNING):
        with_patience(Trouble(times), SETTINGS)
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(":")[0] for line in lines if line.startswith("waiting")] == [
        f"waiting, up to {PATIENCE_S:.0f} s"
    ] * said
    ends = [line for line in lines if line.startswith("it is back")]
    assert ends == [f"it is back after {sum(clock.pauses):.0f} s, and the work goes on"] * said


@pytest.mark.parametrize(
    ("number", "limit_s"),
    [(errno.EIO, PATIENCE_S), (errno.ENOSPC, SHORT_PATIENCE_S)],
    ids=["may end by itself", "a person has to end it"],
)
def test_patience_has_an_end(clock: Clock, number: int, limit_s: float) -> None:
    began = clock.now_s
    with pytest.raises(HostError):
        with_patience(Trouble(1000, number), SETTINGS)
    assert limit_s < clock.now_s - began <= limit_s + patience.LONGEST_PAUSE_S


def test_what_is_waited_for_is_told_before_each_pause(clock: Clock) -> None:
    told: list[str] = []
    with_patience(Trouble(3), SETTINGS, lambda error: told.append(error.message))
    assert len(told) == len(clock.pauses) == 3
    assert "walk.mp4 cannot be read" in told[0]
