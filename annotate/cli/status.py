"""`annotate status`."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import JobArgument, JsonOption, StoreOption, store_of, the_job
from annotate.cli.text import say
from annotate.domain.errors import ExitCode

if TYPE_CHECKING:
    from annotate.domain.job import Job
    from annotate.domain.settings import Settings
    from annotate.store import Store
    from annotate.use_cases.job_snapshot import JobSnapshot

# Seconds between two looks of `status --watch`, at least and at most.
WATCH_S, LONGEST_WATCH_S = 1.0, 30.0
# Lines of the terminal that are left for more than the videos.
OTHER_LINES = 12


def status(
    job: JobArgument = None,
    *,
    store: StoreOption = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Refresh until the job ends.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what is done, what is running, the time left, and what failed.

    Works from any terminal, while the job runs and after a crash. Exits
    with 3 when some of the job failed, else with 0; files that could not
    be read are named, and count at `annotate submit` only.

    Examples:

      annotate status --watch

      annotate status 20260102-030405-1a2b3c --json
    """
    from annotate.cli.status_view import as_fields, as_table
    from annotate.use_cases.job_snapshot import take_snapshot

    the_store, settings = store_of(store)
    manifest = the_job(the_store, job, announce=False)
    if watch and not as_json:
        snapshot = _watch(the_store, manifest, settings)
    else:
        snapshot = take_snapshot(the_store, manifest, settings)
        if as_json:
            say(json.dumps(as_fields(snapshot), indent=2))
        else:
            from rich.console import Console

            Console().print(as_table(snapshot))
    if any(video.failures for video in snapshot.status.videos):
        raise typer.Exit(ExitCode.PARTIAL)


def _watch(store: "Store", job: "Job", settings: "Settings") -> "JobSnapshot":
    """Shows the job until its workers have nothing left to do."""
    from rich.live import Live

    from annotate.cli.progress import console
    from annotate.cli.status_view import as_table
    from annotate.queue.pace import pause_s
    from annotate.queue.patience import with_patience
    from annotate.use_cases.job_snapshot import SnapshotWatch

    watch, most = SnapshotWatch(store, job, settings), max(console.height - OTHER_LINES, 1)
    snapshot = watch.look()
    with Live(as_table(snapshot, most), auto_refresh=False) as live:
        while not snapshot.status.stopped and not snapshot.cancelled:
            began = time.monotonic()
            snapshot = with_patience(watch.look, settings)
            live.update(as_table(snapshot, most), refresh=True)
            time.sleep(pause_s(time.monotonic() - began, WATCH_S, LONGEST_WATCH_S))
    return snapshot
