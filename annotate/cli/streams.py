"""The standard streams of a command, as a shell or a service has left them."""

import io
import os
import sys
from typing import Any


def tolerate_streams() -> None:
    """Makes standard streams that are closed, or that cannot be written, do no harm.

    The next files to be opened would get the numbers of those that are closed, and with them what
    libraries print. What is told on a standard error that is full, as of a log, is lost: the work
    goes on.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number is free
    for stream in (sys.stdout, sys.stderr):
        # A console may not have all letters of a name.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stderr, io.TextIOWrapper) and not sys.stderr.isatty():
        sys.stderr = io.TextIOWrapper(
            _LossyFile(2, "wb", closefd=False),
            encoding=sys.stderr.encoding,
            errors="backslashreplace",
            write_through=True,
        )


class _LossyFile(io.FileIO):
    """A file that takes what it has no room for."""

    def write(self, data: Any, /) -> int:
        """Called for every line."""
        try:
            return super().write(data)
        except BrokenPipeError:  # its reader wants no more
            raise
        except OSError:
            return memoryview(data).nbytes
