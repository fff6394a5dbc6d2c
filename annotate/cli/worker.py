"""`annotate worker` and `annotate cancel`."""

import logging
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, TypeVar

import typer

from annotate.cli.options import StoreOption, job_ids, store_of
from annotate.domain.errors import QueueAwayError, UsageError
from annotate.domain.names import printable
from annotate.domain.settings import (
    NPUS_VARIABLE,
    RUNS_ON_VARIABLE,
    STORE_VARIABLE,
    Provider,
    Settings,
)
from annotate.end_signals import END_SIGNALS

if TYPE_CHECKING:
    from annotate.queue.board import Board
    from annotate.queue.supervise import Plan
    from annotate.store import Store
    from annotate.use_cases.worker_pool import Pool

LogFormat: TypeAlias = Literal["text", "json"]
T = TypeVar("T")

# Seconds between two looks for the store's id, or for the queue.
LOOK_S = 1.0
# Seconds that a worker which starts waits for the queue: where all hosts boot together, the queue's
# server may be the last.
QUEUE_PATIENCE_S = 60.0

logger = logging.getLogger(__name__)

NO_QUEUE = (
    "Set it, e.g. to redis://host:6379/0, here and where you submit. One host alone needs no "
    "worker: `annotate submit` does the work itself."
)


ConcurrencyOption = Annotated[
    int | None,
    typer.Option("--concurrency", "-c", min=1, help="Chunks at a time.", show_default="all cores"),
]
ProviderOption = Annotated[
    Provider | None,
    typer.Option(help="What runs the models.", show_default="ANNOTATE_PROVIDER, or auto"),
]
MaxJobsOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Stop after N chunks.", show_default="never")
]
MetricsPortOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=65535,
        metavar="PORT",
        help="Serve metrics to Prometheus, on all addresses of this host.",
        show_default="none",
    ),
]


def worker(
    *,
    concurrency: ConcurrencyOption = None,
    provider: ProviderOption = None,
    max_jobs: MaxJobsOption = None,
    stop_when_idle: Annotated[
        bool, typer.Option("--stop-when-idle", help="Stop when no work is left.")
    ] = False,
    metrics_port: MetricsPortOption = None,
    log_format: Annotated[
        LogFormat, typer.Option(help="How to log on standard error: text, or json, a line each.")
    ] = "text",
    store: StoreOption = None,
) -> None:
    """Join the workers of the queue at ANNOTATE_BROKER.

    Ctrl-C, or SIGTERM, finishes the chunks that are being processed and
    stops; a second one gives them back at once. A worker that crashes is
    restarted.

    Examples:

      annotate worker

      annotate worker --concurrency 4 --stop-when-idle

      annotate worker --metrics-port 9108 --log-format json
    """
    from annotate.queue.json_log import FORMAT_VARIABLE
    from annotate.queue.supervise import Plan, supervisor_name
    from annotate.use_cases.worker_pool import worker_pool

    the_store, settings = store_of(store)
    check_queue(settings)
    if provider is not None:
        settings = replace(settings, provider=provider)
    # Errors of the store or the queue show now, not chunk by chunk.
    the_store.job_ids()
    say = _said_as(log_format)
    once_it_answers(lambda: _ask_queue(settings), say)
    _check_port(metrics_port)
    if stop_when_idle and not the_store.has_id():
        say(f"No work: nothing was submitted to the store {the_store.files} yet. Stopped.")
        return
    _await_id(the_store, say)
    board, others = once_it_answers(lambda: _introduced(the_store, settings), say)
    pool = worker_pool(settings, concurrency)
    size = f"{pool.count} {'threads' if pool.threads else 'processes'} ({pool.reason})"
    say(f"Worker {supervisor_name()}: {size}, store {the_store.files}. Ctrl-C to stop.")
    for other in others:
        say(f"The queue also serves the store {printable(other)}: this worker takes nothing of it.")
    own = _variables(settings, pool)
    variables = {STORE_VARIABLE: the_store.id(), FORMAT_VARIABLE: log_format, **own}
    plan = Plan(pool.count, pool.threads, max_jobs, stop_when_idle, variables)
    _run(plan, settings, board, metrics_port, say)
    say("Stopped.")


def _variables(settings: Settings, pool: "Pool") -> dict[str, str]:
    """What the worker's processes need to know of this host's accelerators."""
    from annotate.use_cases.choose_provider import offered

    npus = ",".join(map(str, pool.npus))
    return {RUNS_ON_VARIABLE: offered(settings), NPUS_VARIABLE: npus}


def _ask_queue(settings: Settings) -> None:
    from annotate.queue.board import ask_queue

    ask_queue(settings.broker)


def once_it_answers(ask: Callable[[], T], say: Callable[[str], None]) -> T:
    """The queue's answer. While its server is away, it is asked again for some time."""
    deadline, waiting = time.monotonic() + QUEUE_PATIENCE_S, False
    while True:
        try:
            return ask()
        except QueueAwayError as error:
            if time.monotonic() >= deadline:
                raise
            if not waiting:
                say(f"{error.message[0].upper()}{error.message[1:]}")
                say(f"Waiting for it, up to {QUEUE_PATIENCE_S:.0f} s. Ctrl-C to stop.")
                waiting = True
        time.sleep(LOOK_S)


def _check_port(port: int | None) -> None:
    if port is not None:
        from annotate.queue.metrics_server import check_port

        check_port(port)


def _await_id(store: "Store", say: Callable[[str], None]) -> None:
    """Waits until the store has an id. A submission makes it: a worker could not tell a new store
    from one that is away, and would make another.
    """
    if not store.has_id():
        say(f"The store {store.files} is away, or nothing was submitted to it yet: waiting for it.")
    while not store.has_id():
        time.sleep(LOOK_S)


def _introduced(store: "Store", settings: Settings) -> tuple["Board", list[str]]:
    """The board of the store, and where the other stores are that the queue serves."""
    from annotate.queue.board import open_board, queue_errors

    board = open_board(settings.broker, store.id())
    with queue_errors(settings.broker):
        return board, board.introduce(store.id(), str(store.files))


def _run(
    plan: "Plan", settings: Settings, board: "Board", port: int | None, say: Callable[[str], None]
) -> None:
    """Runs the worker until it is stopped, and serves its metrics where there is a port."""
    from annotate.queue.metrics_server import served_metrics
    from annotate.queue.supervise import Supervisor, supervisor_name

    serving: AbstractContextManager[Mapping[str, str]] = nullcontext({})
    if port is not None:
        serving = served_metrics(port, board, supervisor_name(), settings.provider)
    with serving as variables:
        plan = replace(plan, variables={**plan.variables, **variables})
        supervisor = Supervisor(plan, settings, board)
        for number in END_SIGNALS:
            signal.signal(number, supervisor.stop)
        supervisor.run(say)


def _said_as(log_format: LogFormat) -> Callable[[str], None]:
    """What prints a line of the worker itself."""
    if log_format == "json":
        from annotate.queue.json_log import log_json

        log_json()
        logger.setLevel(logging.INFO)
        return logger.info
    from annotate.cli.progress import console

    return partial(console.print, markup=False, highlight=False, soft_wrap=True)


def check_queue(settings: Settings) -> None:
    """Checks that this host has a queue.

    Raises:
        UsageError: `ANNOTATE_BROKER` is not set.
    """
    if settings.embedded:
        raise UsageError("no queue to join: ANNOTATE_BROKER is not set", NO_QUEUE)


def cancel(
    job: Annotated[
        str,
        typer.Argument(
            metavar="JOB", help="The job's id, see `annotate jobs`.", autocompletion=job_ids
        ),
    ],
    *,
    store: StoreOption = None,
) -> None:
    """Stop a job. Finished chunks are kept; `annotate retry JOB` continues."""
    the_store, _ = store_of(store)
    manifest = the_store.read_job(job)
    the_store.cancel_job(manifest.id)
    typer.echo(f"Job {manifest.id} is cancelled: its workers stop within seconds.")
