"""How fast this host is: each model of a pack is timed, and a fixed piece of work for the rest.

It takes about a second, and is not kept: a host may be busier tomorrow.
"""

import time

from annotate.inference import Models
from annotate.inference.session import CPUS
from annotate.inference.timing import core_ms, median_ms
from annotate.numeric.cost_constants import MEASURED
from annotate.numeric.costs import HostSpeed

# Runs of each model, and of the yardstick.
_RUNS = 5
_YARDSTICK_STEPS = 100_000


def host_speed(models: Models) -> HostSpeed:
    """How fast this host runs these models, and does everything else."""
    on_cpu = models.provider in CPUS
    timed = core_ms if on_cpu else median_ms
    model_ms = {
        stage: timed(models.stage(stage), spec, _RUNS) for stage, spec in models.pack.stages.items()
    }
    return HostSpeed(model_ms, yardstick_ms() / MEASURED.yardstick_ms, accelerated=not on_cpu)


def yardstick_ms() -> float:
    """Milliseconds of one core for a loop of Python: the least of some runs.

    What lies around the models is Python, and decoders depend on the same clock and caches. Between
    a Zen 4 and a Zen 5 they differ by 1.15 to 1.4, the models by 1.75: those are no measure of it.
    """
    return min(_loop_ms() for _ in range(_RUNS))


def _loop_ms() -> float:
    began, value = time.thread_time(), 1
    for _ in range(_YARDSTICK_STEPS):
        value = (value * 1_103_515_245 + 12_345) & 0x7FFFFFFF
    return (time.thread_time() - began) * 1e3
