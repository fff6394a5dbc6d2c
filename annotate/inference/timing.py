"""How long a model takes."""

import statistics
import time
from collections.abc import Callable
from typing import Protocol

from annotate.domain.arrays import FloatArray
from annotate.domain.model_spec import ModelSpec
from annotate.inference.agreement import made_picture


class Runs(Protocol):
    """A model that runs."""

    def run(self, image: FloatArray) -> list[FloatArray]:
        """The outputs for a picture."""


def median_ms(model: Runs, spec: ModelSpec, runs: int) -> float:
    """The median time of a run on the made picture, in ms, after a first run that sets it up."""
    return _median_ms(model, spec, runs, time.perf_counter)


def core_ms(model: Runs, spec: ModelSpec, runs: int) -> float:
    """The same in ms of one core: time of all threads of this process, not of other programs."""
    return _median_ms(model, spec, runs, time.process_time)


def _median_ms(model: Runs, spec: ModelSpec, runs: int, clock: Callable[[], float]) -> float:
    picture = made_picture(spec)
    model.run(picture)
    times = []
    for _ in range(runs):
        began = clock()
        model.run(picture)
        times.append(clock() - began)
    return statistics.median(times) * 1000
