"""`annotate status` and `annotate jobs`."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import JobArgument, JsonOption, StoreOption, store_of, the_job
from annotate.cli.text import say
from annotate.domain.errors import DamagedError, ExitCode, ManifestError

if TYPE_CHECKING:
    from annotate.domain.job import Job
    from annotate.domain.settings import Settings
    from annotate.store import Store
    from annotate.use_cases.job_snapshot import JobSnapshot

# Seconds between two looks of `status --watch`.
WATCH_S = 1.0
# Videos of a job that `jobs` names.
NAMED_VIDEOS = 3


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

    from annotate.cli.status_view import as_table
    from annotate.use_cases.job_snapshot import take_snapshot

    snapshot = take_snapshot(store, job, settings)
    with Live(as_table(snapshot), refresh_per_second=2) as live:
        while not snapshot.status.stopped and not snapshot.cancelled:
            time.sleep(WATCH_S)
            snapshot = take_snapshot(store, job, settings)
            live.update(as_table(snapshot))
    return snapshot


def jobs(*, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the jobs of the store, newest first."""
    the_store, _ = store_of(store)
    manifests, unreadable = [], []
    for one in reversed(the_store.job_ids()):
        try:
            manifests.append(the_store.read_job(one))
        except (ManifestError, DamagedError):
            unreadable.append(one)
    if as_json:
        rows = [{"job": m.id, "videos": [v.name for v in m.videos]} for m in manifests]
        say(json.dumps(rows, indent=2))
        return
    for manifest in manifests:
        names = ", ".join(video.name for video in manifest.videos[:NAMED_VIDEOS])
        more = len(manifest.videos) - NAMED_VIDEOS
        say(f"{manifest.id}  {names}{f' and {more} more' if more > 0 else ''}")
    for one in unreadable:
        say(f"{one}  written by another version of annotate, or damaged")
    if not manifests and not unreadable:
        say(f"No jobs in the store {the_store.files}. Start with: annotate submit VIDEO...")
