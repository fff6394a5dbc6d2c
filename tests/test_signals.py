"""SIGTERM and SIGHUP end a command as Ctrl-C does, and it can go on."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from annotate.domain.errors import ExitCode
from tests.command import PATIENCE_S, Host


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_ends_a_submission_in_order(host: Host, walk: Path, name: str) -> None:
    process = host.start("submit", walk, "--detect-every", "1", "--people", "all")
    assert host.next_heartbeat(process) is not None
    children = psutil.Process(process.pid).children(recursive=True)
    if name == "SIGTERM":
        process.send_signal(signal.Signals[name])
    else:  # a terminal sends these to all processes of the command
        os.killpg(process.pid, signal.Signals[name])
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.INTERRUPTED
    assert err.count("Stopped. Run the same command") == 1
    assert "Traceback" not in err
    gone, left = psutil.wait_procs(children, timeout=PATIENCE_S)
    assert len(gone) == len(children)
    assert left == []
    assert host.opened().heartbeats() == []
    assert list((Path(host.store) / "working").iterdir()) == []


def test_a_second_signal_ends_it_at_once(host: Host, walk: Path) -> None:
    process = host.start("submit", walk, "--detect-every", "1", "--people", "all")
    assert host.next_heartbeat(process) is not None
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "Traceback" not in err
    assert psutil.wait_procs(children, timeout=PATIENCE_S)[1] == []
