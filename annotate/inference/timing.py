"""How long a model takes."""

import statistics
import time
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
    picture = made_picture(spec)
    model.run(picture)
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        model.run(picture)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000
