"""`annotate worker` and `annotate cancel`."""

import os
import signal
import sys
from enum import StrEnum
from typing import Annotated

import typer

from annotate.cli.options import StoreOption, store_of
from annotate.domain.errors import UsageError
from annotate.domain.settings import Settings

NO_QUEUE = (
    "Set ANNOTATE_BROKER, e.g. redis://host:6379/0, here and where you submit. Alone, a host needs "
    "no worker: `annotate submit` does the work itself."
)
# On an NPU threads prepare their next crops while another one's are being looked at. With three it
# is busy 85% of the time, with four 91%, and more make no difference (tests.benchmarks.npu_feed).
NPU_THREADS = 4


class Provider(StrEnum):
    """What runs the models."""

    AUTO = "auto"
    CPU = "cpu"
    QNN = "qnn"


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
        typer.Option(min=1, help="End after so many chunks.", show_default="never"),
    ] = None,
    stop_when_idle: Annotated[
        bool, typer.Option("--stop-when-idle", help="End when there is nothing left to do.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Join the workers of the queue that ANNOTATE_BROKER names.

    Ctrl-C, or SIGTERM, finishes the chunks in hand and stops; a second one gives them back at once.
    A worker that crashes is started again.

    Examples:

      ANNOTATE_BROKER=redis://queue:6379/0 ANNOTATE_STORE=s3://bucket/annotate annotate worker

      annotate worker --concurrency 4 --stop-when-idle
    """
    from dataclasses import replace

    from annotate.cli.progress import console
    from annotate.inference.host import emulates_npu
    from annotate.queue.board import open_board, queue_errors
    from annotate.queue.supervise import Plan, Supervisor

    the_store, settings = store_of(store)
    check_queue(settings)
    if provider is not None:
        settings = replace(settings, provider=provider.value)
    # What is wrong with the store or the queue is told now, not chunk by chunk.
    the_store.job_ids()
    board = open_board(settings.broker)
    with queue_errors(settings.broker):
        board.jobs.ids()
    npu = settings.provider == "qnn" or (settings.provider == "auto" and not emulates_npu())
    threads = npu or sys.platform == "win32"
    count = concurrency or (NPU_THREADS if threads else os.cpu_count() or 1)
    supervisor = Supervisor(Plan(count, threads, max_jobs, stop_when_idle), settings, board)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, supervisor.stop)

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    kind = "threads" if threads else "processes"
    say(f"Worker {supervisor.name}: {count} {kind}, store {the_store.files}. Ctrl-C to stop.")
    supervisor.run(say)
    say("Stopped.")


def check_queue(settings: Settings) -> None:
    """Refuses a host without a queue.

    Raises:
        UsageError: `ANNOTATE_BROKER` is not set.
    """
    if settings.embedded:
        raise UsageError("there is no queue to join", NO_QUEUE)


def cancel(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job's id, see `annotate jobs`.")],
    *,
    store: StoreOption = None,
) -> None:
    """Stop a job. What is done of it stays; `annotate retry JOB` goes on."""
    the_store, _ = store_of(store)
    manifest = the_store.read_job(job)
    the_store.cancel_job(manifest.id)
    typer.echo(f"Job {manifest.id} is cancelled: its workers stop within seconds.")
