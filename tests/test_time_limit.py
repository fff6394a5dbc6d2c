"""A chunk that hangs is ended, tried three times, reported, and can be tried again."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from annotate.domain.errors import ExitCode
from tests.command import Host
from tests.fleet import working
from tests.servers import RedisServer

# Makes the limits of 30 minutes 2 s, and worker processes hang as they write a part.
HANGING = """
import faulthandler, os, sys, time
if "--billiard-fork" in sys.orig_argv:
    later = faulthandler.dump_traceback_later
    faulthandler.dump_traceback_later = lambda seconds, **more: later(seconds / 900, **more)
    os.fsync = lambda _file: HANG
"""
HANGS = {
    "waiting": "time.sleep(1e6)",
    # One long call of C code that lets no other thread of Python run.
    "computing": "sum(range(10**14))",
}


@pytest.fixture(params=["computing", pytest.param("waiting", marks=pytest.mark.drill)])
def hanging(request: pytest.FixtureRequest, host: Host) -> Host:
    return host.with_program(HANGING.replace("HANG", HANGS[request.param]))


def test_a_hung_chunk_is_given_up_and_can_be_retried(
    hanging: Host, host: Host, stroll: Path
) -> None:
    said = hanging.run("submit", stroll, "--processes", "1", code=ExitCode.PARTIAL)
    assert "died 3 times in it (no progress for 30 minutes" in said.err
    assert "Timeout" not in said.err
    host.run("retry")
    assert b'"annotations":[{' in host.exported().replace(b"\n", b"")


@pytest.mark.drill
def test_a_hung_chunk_of_a_queue_is_given_up(
    hanging: Host, host: Host, stroll: Path, redis_server: RedisServer
) -> None:
    queue = {"ANNOTATE_BROKER": redis_server.url}
    ill, well = (replace(one, more={**one.more, **queue}) for one in (hanging, host))
    with working(ill):
        said = well.run("submit", stroll, code=ExitCode.PARTIAL)
    assert "no progress for 30 minutes" in said.err
    assert "Timeout" in (ill.home / "log").read_text(), "the log says where it hung"
    with working(well):
        assert "1 of 1 videos done" in well.run("retry").out


PROGRAM = """
import sys, threading, time
from workers.time_limit import TimeLimits
limits = TimeLimits(sys.stderr)
def long():
    with limits.within(float(sys.argv[2])):
        time.sleep(60)
for _ in range(50):
    with limits.within(float(sys.argv[1])):
        for _ in range(5):
            time.sleep(0.004)
            limits.extend(float(sys.argv[1]))
if len(sys.argv) > 2:
    threading.Thread(target=long, daemon=True).start()
    for _ in range(100):
        with limits.within(60):
            time.sleep(0.1)
"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["60"], 0), (["0.001"], 1), (["60", "0.2"], 1)],
    ids=["in time", "too long", "another thread too long"],
)
def test_only_a_task_that_takes_too_long_ends_the_process(arguments: list[str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == code, done.stderr
    assert ("Timeout" in done.stderr) == bool(code)
