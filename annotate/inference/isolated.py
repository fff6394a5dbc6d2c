"""A function in a process of its own.

QNN's libraries print to standard output, keep memory after their last session is gone, and a
driver that does not fit can end the process. A command that only looks, or compiles, lets that
happen elsewhere.
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


def isolated(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `function` returns or raises; it, its arguments and its answer must be picklable.

    Raises:
        ProviderError: the process ended without an answer.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=_drop_prints) as pool:
        try:
            return pool.submit(function, *args, **kwargs).result()
        except BrokenProcessPool as error:
            raise ProviderError(
                "the process that used the NPU's libraries crashed",
                "The plugin and this host's driver may not fit: see the versions in "
                "`annotate doctor`, and work on the CPU meanwhile.",
            ) from error


def _drop_prints() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
