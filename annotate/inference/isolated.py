"""Runs a function in a separate process.

QNN's libraries print to standard output, keep memory after their last session is closed, and crash
the process where the driver does not fit. Commands that only inspect or compile run them in a
process whose crash does no harm.
"""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

from annotate.domain.errors import ProviderError

P = ParamSpec("P")
T = TypeVar("T")


def run_isolated(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `function` returns or raises. The function, arguments and result must be picklable.

    Raises:
        ProviderError: the process crashed.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=_discard_stdout) as pool:
        try:
            return pool.submit(function, *args, **kwargs).result()
        except BrokenProcessPool as error:
            raise ProviderError(
                "the process that used the NPU's libraries crashed",
                "The plugin may not fit this host's driver: compare the versions that "
                "`annotate doctor` shows. Until that is solved, use the CPU.",
            ) from error


def _discard_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
