"""Signals that end a command: SIGTERM and SIGHUP do what Ctrl-C does."""

import os
import signal
from types import FrameType

import psutil

from annotate.domain.errors import ExitCode
from annotate.end_signals import END_SIGNALS


def end_alike() -> None:
    """Makes the first of these signals a KeyboardInterrupt, so that the command tidies up; the
    second ends it and its processes at once. Signals that the caller ignores, as `nohup` does, stay
    ignored.
    """
    ending = False

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal ending
        if not ending:
            ending = True
            raise KeyboardInterrupt
        for child in psutil.Process().children(recursive=True):
            child.kill()
        os._exit(ExitCode.INTERRUPTED)

    for number in END_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handle)
