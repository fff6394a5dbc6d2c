"""Hosts that share a queue and a store: one submits, the others work and have no models."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from annotate.queue.board import Board, open_board
from tests.command import Host
from tests.servers import wait_until

# Many chunks, so that every host gets some, and there is something to lose.
FINE = ("--detect-every", "1", "--processes", "12")


def make_hosts(folder: Path, packs: Path, store: str, broker: str) -> list[Host]:
    """The laptop, which has `packs`, and two workers that have none."""
    made = []
    for name in ("laptop", "north", "south"):
        home = folder / name
        home.mkdir()
        own = packs if name == "laptop" else home / "packs"
        made.append(Host(store, own, home, {"ANNOTATE_BROKER": broker}))
    return made


def board_of(host: Host) -> Board:
    """What the workers tell each other."""
    return open_board(host.settings().broker, host.opened().id())


@contextmanager
def working(*hosts: Host) -> Iterator["list[subprocess.Popen[str]]"]:
    """Each host runs a worker of one process while the block runs; what it says is in its log."""
    workers = []
    for host in hosts:
        with (host.home / "log").open("w") as log:
            options = ("--concurrency", "1", "--provider", "cpu")
            workers.append(host.start("worker", *options, stdout=log, stderr=log))
    try:
        wait_until(lambda: len(board_of(hosts[0]).reports.workers()) == len(hosts), "a worker")
        yield workers
    finally:
        for worker in workers:
            kill(worker)


def kill(process: "subprocess.Popen[str]") -> None:
    """Kills a process and all that it has started."""
    send(process, signal.SIGKILL)
    process.communicate()


def send(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    """Sends a signal to a process and all that it has started."""
    family = [process.pid]
    with suppress(psutil.NoSuchProcess):
        family += [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    for pid in family:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
