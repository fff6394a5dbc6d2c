"""Faults at the n-th operation on a store: a wrapper of its files, and commands run through it.

As SQLite's tests do, a command is run again and again, with the fault one operation later each
time, until it ends before the fault comes.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar, get_args

import pytest

import annotate.queue.patience
import annotate.store
from annotate.domain.errors import StoreError
from annotate.domain.progress import ByteProgress
from annotate.store.files import Entry, Files
from annotate.store.local import LocalFiles

# What happens: an error of the disk, no room, a write of which half is kept, the object is gone,
# the process is killed.
Fault = Literal["eio", "enospc", "torn", "vanished", "killed"]
FAULTS: tuple[Fault, ...] = get_args(Fault)

T = TypeVar("T")


class KilledError(BaseException):
    """Stands for the end of the process."""


@dataclass
class Plan:
    """Counts the operations on a store, and strikes once.

    Attributes:
        fault: what happens.
        at: at which operation, from 0.
        count: operations so far.
    """

    fault: Fault
    at: int
    count: int = 0

    @property
    def struck(self) -> bool:
        """Whether the fault has come."""
        return self.count > self.at

    def strikes(self) -> bool:
        """Counts an operation; whether the fault comes in it."""
        self.count += 1
        return self.count == self.at + 1


class FaultyFiles(LocalFiles):
    """The files of a store, with a fault at one of the operations."""

    def __init__(self, root: Path, plan: Plan) -> None:
        super().__init__(root)
        self._plan = plan

    def read(self, key: str) -> bytes | None:
        self._strike(key)
        return super().read(key)

    @contextmanager
    def reader(self, key: str) -> Iterator[BinaryIO]:
        self._strike(key)
        with super().reader(key) as file:
            yield file

    @contextmanager
    def writer(self, key: str, *, durable: bool = True) -> Iterator[BinaryIO]:
        torn = self._plan.fault == "torn" and self._plan.count == self._plan.at
        self._strike(key, writes=True)
        with super().writer(key, durable=durable) as file:
            yield file
        if torn:
            # A power cut kept the name and lost the second half.
            path = self.path(key)
            os.truncate(path, path.stat().st_size // 2)
            raise KilledError

    def size(self, key: str) -> int | None:
        self._strike(key)
        return super().size(key)

    def names(self, key: str) -> list[str]:
        self._strike(key)
        return super().names(key)

    def walk(self, key: str) -> list[Entry]:
        self._strike(key)
        return super().walk(key)

    def delete(self, key: str) -> None:
        self._strike(key)
        super().delete(key)

    def move(self, key: str, to: str) -> None:
        self._strike(key)
        super().move(key, to)

    def upload(self, path: Path, key: str, progress: ByteProgress) -> None:
        self._strike(key, writes=True)
        super().upload(path, key, progress)

    def _strike(self, key: str, *, writes: bool = False) -> None:
        if not self._plan.strikes():
            return
        fault = self._plan.fault
        if fault == "killed":
            raise KilledError
        if fault == "vanished":
            if self.path(key).is_file():
                self.path(key).unlink()
        elif fault == "enospc" and writes:
            self._raise(errno.ENOSPC, key)
        elif fault == "eio":
            self._raise(errno.EIO, key)

    def _raise(self, number: int, key: str) -> None:
        cause = OSError(number, os.strerror(number))
        raise StoreError(f"cannot use {key}: {cause.strerror}", "Try again.") from cause


@contextmanager
def faulty_store(plan: Plan) -> Iterator[None]:
    """All stores that are opened in the block follow the plan; no trouble is waited for."""

    def open_files(root: Path) -> Files:
        return FaultyFiles(root, plan)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(annotate.store, "LocalFiles", open_files)
        patch.setattr(annotate.queue.patience, "PATIENCE_S", -1.0)
        patch.setattr(annotate.queue.patience, "SHORT_PATIENCE_S", -1.0)
        yield


def steps(fault: Fault, run: Callable[[Plan], T], every: int = 1) -> Iterator[tuple[int, T]]:
    """Runs with the fault at each operation, or each of so many, until there are no more; yields
    the number of the operation and what `run` returned.
    """
    at = 0
    while True:
        plan = Plan(fault, at)
        result = run(plan)
        if not plan.struck:
            return
        yield at, result
        at += every
