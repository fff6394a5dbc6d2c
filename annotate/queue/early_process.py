"""A process of an embedded worker that starts before there is work for it: it loads its libraries
while the command loads its own and reads the videos.

billiard starts a process as a new interpreter, which gets through a pipe what it is to run. Here
the interpreter is there already, and gets through a socket what it would have inherited.
"""

import io
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, ClassVar

from billiard import context, forkserver, popen_fork, reduction, semaphore_tracker, spawn
from billiard.compat import spawnv_passfds

from annotate.domain.json_text import parsed
from annotate.domain.settings import Settings
from annotate.loading import loading

# What every process of a worker needs.
MODULES = (
    "celery.concurrency.prefork",
    "workers.tasks",
    "workers.probe",
    "workers.duties",
    "annotate.use_cases.run_chunk",
    "annotate.use_cases.load_models",
)
# What it needs only where it merges, in steps of a twentieth of a second, so that work that comes
# meanwhile does not wait.
MERGE_MODULES = (
    "scipy.linalg",
    "scipy.special",
    "scipy.sparse.linalg",
    "scipy.spatial.transform",
    "scipy.fft",
    "scipy.optimize",
    "annotate.use_cases.merge_video",
)
# More file descriptors than a process of a pool gets.
MOST_FILES = 64


class EarlyProcess:
    """An interpreter that becomes the first process of a pool."""

    def __init__(self, settings: Settings) -> None:
        self._used = False
        # It reads its settings from its environment, as on any other host.
        os.environ.update(settings.to_environ())
        self._socket, theirs = socket.socketpair()
        program = (
            f"import sys; sys.path[:] = {sys.path!r}\n"
            f"from annotate.queue.early_process import main; main({theirs.fileno()})"
        )
        command = [*spawn.get_command_line()[:-2], program, "--billiard-fork"]
        with theirs, _uninterrupted():
            self._pid = spawnv_passfds(command[0], command, [theirs.fileno()])

    def become(self, files: list[int], process: bytes) -> tuple[int, int]:
        """Makes it a process of the pool.

        Args:
            files: that it inherits.
            process: what billiard says of it.

        Returns:
            Its pid, and a file descriptor that can be read when it has ended; both belong to the
            caller.

        Raises:
            OSError: it has ended.
        """
        read, write = os.pipe()
        with os.fdopen(write, "wb") as pipe:
            try:
                reduction.sendfds(self._socket, [read, semaphore_tracker.getfd(), *files])
            finally:
                os.close(read)
            environ = json.dumps(dict(os.environ)).encode()
            pipe.write(forkserver.UNSIGNED_STRUCT.pack(len(environ)) + environ + process)
        self._used = True
        return self._pid, self._socket.detach()

    def close(self) -> None:
        """Ends it, unless it belongs to a pool."""
        if self._used:
            return
        self._used = True
        self._socket.close()
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


@contextmanager
def started_early(settings: Settings) -> Iterator[EarlyProcess | None]:
    """Starts a process that is ended with the block unless it was used; None where there will be
    no embedded worker, or where processes do not start so.
    """
    if not settings.embedded or not reduction.HAVE_SEND_HANDLE or sys.platform == "win32":
        yield None
        return
    early = EarlyProcess(settings)
    try:
        yield early
    finally:
        early.close()


class _Inherited:
    """A file descriptor that the process gets, by its place among them.

    Attributes:
        files: of this process, once it has them.
    """

    files: ClassVar[list[int]] = []

    def __init__(self, place: int) -> None:
        self._place = place

    def detach(self) -> int:
        """Called by billiard in the process."""
        return self.files[self._place]


class _Popen(popen_fork.Popen):
    """How billiard knows the process once it belongs to a pool."""

    method = "spawn"
    DupFd = _Inherited

    def __init__(self, process: Any, early: EarlyProcess) -> None:
        self._early = early
        self._files: list[int] = []
        super().__init__(process)

    def duplicate_for_child(self, file: int) -> int:
        """Called by billiard for a file descriptor that the process needs."""
        self._files.append(file)
        return len(self._files) - 1

    def _launch(self, process: Any) -> None:
        data = io.BytesIO()
        context.set_spawning_popen(self)
        try:
            reduction.dump(spawn.get_preparation_data(process.name), data)
            reduction.dump(process, data)
        finally:
            context.set_spawning_popen(None)
        self.pid, self.sentinel = self._early.become(self._files, data.getvalue())


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes that start in the block never see Ctrl-C, which a terminal sends to all processes
    of a command: they would print where they were.
    """
    if not hasattr(signal, "pthread_sigmask"):  # as on Windows
        yield
        return
    held = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


class _Process(context.SpawnProcess):
    """A process of a pool: the early one, or a new one where there is none or it has ended."""

    early: EarlyProcess | None = None

    def _Popen(self, process: Any) -> Any:  # noqa: N802 - billiard's name
        early, self.early = self.early, None
        if early is not None:
            try:
                return _Popen(process, early)
            except OSError:
                early.close()
        with _uninterrupted():
            return context.SpawnProcess._Popen(process)


class PoolContext(context.SpawnContext):
    """billiard's way to start processes, with an early one for the first."""

    def __init__(self, early: EarlyProcess | None = None) -> None:
        self._early = early

    def Process(self, *args: Any, **options: Any) -> Any:  # noqa: N802 - billiard's name
        """Called by the pool."""
        process = _Process(*args, **options)
        process.early, self._early = self._early, None
        return process


def main(number: int) -> None:
    """What the early process runs.

    Args:
        number: file descriptor of its socket.
    """
    # As Celery's own processes have it before they know the tasks.
    os.environ["FORKED_BY_MULTIPROCESSING"] = "1"
    with socket.socket(fileno=number) as ours:
        _load(ours)
        try:
            data, tracker, *_Inherited.files = reduction.recvfds(ours, MOST_FILES)
            environ = _bytes(data, forkserver.read_unsigned(data))
        except (EOFError, ConnectionError):
            return  # the command needs no process, or has ended
        os.environ.update(parsed(environ))
        semaphore_tracker._semaphore_tracker._fd = tracker
        sys.exit(spawn._main(data))


def _bytes(file: int, count: int) -> bytes:
    """So many bytes of a pipe.

    Raises:
        EOFError: it ends before.
    """
    found = b""
    while len(found) < count:
        more = os.read(file, count - len(found))
        if not more:
            raise EOFError
        found += more
    return found


def _load(command: socket.socket) -> None:
    """Imports what a process needs; the merge's part only while there is no work yet."""
    with loading():
        for module in MODULES:
            import_module(module)
        for module in MERGE_MODULES:
            if select.select([command], [], [], 0.0)[0]:
                return
            import_module(module)
