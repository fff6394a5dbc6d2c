"""`annotate worker` and `annotate cancel`."""

import signal
from dataclasses import replace
from typing import Annotated

import typer

from annotate.cli.options import StoreOption, store_of
from annotate.cli.signals import ENDING
from annotate.domain.errors import UsageError
from annotate.domain.settings import Provider, Settings

NO_QUEUE = (
    "Set it, e.g. to redis://host:6379/0, here and where you submit. One host alone needs no "
    "worker: `annotate submit` does the work itself."
)


def worker(
    *,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "--concurrency", "-c", min=1, help="Chunks at a time.", show_default="all cores"
        ),
    ] = None,
    provider: Annotated[
        Provider | None,
        typer.Option(help="What runs the models.", show_default="ANNOTATE_PROVIDER, or auto"),
    ] = None,
    max_jobs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Stop after N chunks.", show_default="never"),
    ] = None,
    stop_when_idle: Annotated[
        bool, typer.Option("--stop-when-idle", help="Stop when no work is left.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Join the workers of the queue at ANNOTATE_BROKER.

    Ctrl-C, or SIGTERM, finishes the chunks that are being processed and
    stops; a second one gives them back at once. A worker that crashes is
    restarted.

    Examples:

      annotate worker

      annotate worker --concurrency 4 --stop-when-idle
    """
    from annotate.cli.progress import console
    from annotate.queue.board import open_board, queue_errors
    from annotate.queue.supervise import Plan, Supervisor
    from annotate.use_cases.worker_pool import worker_pool

    the_store, settings = store_of(store)
    check_queue(settings)
    if provider is not None:
        settings = replace(settings, provider=provider)
    # Errors of the store or the queue show now, not chunk by chunk.
    the_store.job_ids()
    board = open_board(settings.broker)
    with queue_errors(settings.broker):
        board.jobs.ids()
    pool = worker_pool(settings, concurrency)
    plan = Plan(pool.count, pool.threads, max_jobs, stop_when_idle)
    supervisor = Supervisor(plan, settings, board)
    for number in ENDING:
        signal.signal(number, supervisor.stop)

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    size = f"{pool.count} {'threads' if pool.threads else 'processes'} ({pool.reason})"
    say(f"Worker {supervisor.name}: {size}, store {the_store.files}. Ctrl-C to stop.")
    supervisor.run(say)
    say("Stopped.")


def check_queue(settings: Settings) -> None:
    """Checks that this host has a queue.

    Raises:
        UsageError: `ANNOTATE_BROKER` is not set.
    """
    if settings.embedded:
        raise UsageError("no queue to join: ANNOTATE_BROKER is not set", NO_QUEUE)


def cancel(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job's id, see `annotate jobs`.")],
    *,
    store: StoreOption = None,
) -> None:
    """Stop a job. Finished chunks are kept; `annotate retry JOB` continues."""
    the_store, _ = store_of(store)
    manifest = the_store.read_job(job)
    the_store.cancel_job(manifest.id)
    typer.echo(f"Job {manifest.id} is cancelled: its workers stop within seconds.")
