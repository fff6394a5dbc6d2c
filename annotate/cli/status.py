"""`annotate status` and `annotate jobs`."""

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from annotate.cli.options import JobArgument, JsonOption, StoreOption, store_of, the_job
from annotate.cli.text import duplicate_video, duration, number
from annotate.domain.errors import ExitCode, ManifestError, QueueError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from annotate.domain.job import Job
    from annotate.domain.settings import Settings
    from annotate.domain.work import Heartbeat
    from annotate.queue.job_status import JobStatus
    from annotate.store import Store


def status(
    job: JobArgument = None,
    *,
    store: StoreOption = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep showing it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what is done, what is running, how long it will take, and what failed.

    Reads the store alone: it works from any terminal, while the job runs, and after a crash.
    Exits with 0 when the job is complete or goes on, 3 when some of it failed.
    """
    the_store, settings = store_of(store)
    manifest = the_job(the_store, job)
    look = _Look(the_store, manifest, settings)
    now, workers = look()
    if as_json:
        typer.echo(json.dumps(_as_json(now, workers), indent=2))
    elif watch:
        from rich.live import Live

        with Live(_table(now, workers), refresh_per_second=2) as live:
            while not now.stopped and not workers.cancelled:
                time.sleep(1)
                now, workers = look()
                live.update(_table(now, workers))
    else:
        from rich.console import Console

        Console().print(_table(now, workers))
    if any(video.failures for video in now.videos) or manifest.rejected:
        raise typer.Exit(ExitCode.PARTIAL)


@dataclass(frozen=True)
class Workers:
    """What there is to say beside the job's own status.

    Attributes:
        known: what each worker of the queue says of itself.
        trouble: why nothing is known of them, or empty.
        queue: whether there is one at all.
        cancelled: nobody wants the rest of the job.
    """

    known: list[dict[str, Any]]
    trouble: str
    queue: bool
    cancelled: bool


class _Look:
    """Reads the store, and the board where there is a queue."""

    def __init__(self, store: "Store", job: "Job", settings: "Settings") -> None:
        self._store = store
        self._job = job
        self._broker = "" if settings.embedded else settings.broker

    def __call__(self) -> tuple["JobStatus", Workers]:
        from annotate.queue.job_status import job_status

        beats: list[Heartbeat] = []
        known: list[dict[str, Any]] = []
        trouble = ""
        if self._broker:
            from annotate.queue.board import open_board, queue_errors

            board = open_board(self._broker)
            try:
                with queue_errors(self._broker):
                    known, beats = board.reports.workers(), board.reports.heartbeats()
            except QueueError as error:
                trouble = error.message
        cancelled = self._store.is_cancelled(self._job.id)
        now = job_status(self._store, self._job, beats)
        return now, Workers(known, trouble, bool(self._broker), cancelled)


def jobs(*, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the jobs of the store, newest first."""
    the_store, _ = store_of(store)
    manifests, unreadable = [], []
    for one in reversed(the_store.job_ids()):
        try:
            manifests.append(the_store.read_job(one))
        except ManifestError:
            unreadable.append(one)
    if as_json:
        rows = [{"job": m.id, "videos": [v.name for v in m.videos]} for m in manifests]
        typer.echo(json.dumps(rows, indent=2))
        return
    for manifest in manifests:
        names = ", ".join(video.name for video in manifest.videos[:3])
        more = len(manifest.videos) - 3
        typer.echo(f"{manifest.id}  {names}{f' and {more} more' if more > 0 else ''}")
    for one in unreadable:
        typer.echo(f"{one}  written by another version of annotate, or damaged")
    if not manifests and not unreadable:
        typer.echo(f"The store {the_store.files} has no job yet: annotate submit VIDEO...")


def _table(now: "JobStatus", workers: Workers) -> "RenderableType":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("video", "state"):
        table.add_column(column, overflow="fold")
    for column in ("frames", "done", "chunks", "frames/s"):
        table.add_column(column, justify="right")
    for video in now.videos:
        share = video.frames_done / max(video.frames, 1)
        speed = sum(beat.frames_per_s for beat in video.running)
        table.add_row(
            Text(video.video.name),
            Text(video.state, style=_STYLES[video.state]),
            number(video.frames),
            f"{share:.0%}",
            f"{len(video.done)}/{len(video.chunks or ())}",
            number(speed) if speed else "",
        )
    lines: list[RenderableType] = [Text(_headline(now, workers)), table]
    running = [beat for video in now.videos for beat in video.running]
    if workers.queue and running:
        lines += [Text(""), _running(running)]
    if workers.trouble:
        lines.append(
            Text(f"{workers.trouble}: this is what the store alone knows.", style="yellow")
        )
    lines += [
        Text(
            f"{video.video.name}  not planned: run the same `annotate submit` again to plan it "
            "and go on",
            style="yellow",
        )
        for video in now.unplanned
    ]
    for video in now.videos:
        lines += [
            Text(f"{video.video.name}  {failure.unit}: {failure.reason}", style="red")
            for failure in video.failures.values()
        ]
    lines += [Text(f"skipped  {one.reason}", style="yellow") for one in now.job.rejected]
    lines += [Text(duplicate_video(*names), style="dim") for names in now.job.copies]
    return Group(*lines)


def _running(beats: "list[Heartbeat]") -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("worker", "provider", "video", "chunk"):
        table.add_column(column, overflow="fold")
    for column in ("done", "frames/s", "memory", "version"):
        table.add_column(column, justify="right")
    for beat in sorted(beats, key=lambda beat: beat.worker):
        table.add_row(
            Text(beat.worker),
            beat.provider,
            Text(beat.video),
            f"{beat.chunk.start}-{beat.chunk.stop}",
            f"{beat.frames / len(beat.chunk):.0%}",
            number(beat.frames_per_s),
            f"{beat.rss_bytes / 1e6:.0f} MB",
            beat.version,
        )
    return table


_STYLES = {
    "not planned": "yellow",
    "done": "green",
    "running": "cyan",
    "merging": "cyan",
    "waiting": "dim",
    "partial": "yellow",
    "failed": "red",
}


def _headline(now: "JobStatus", workers: Workers) -> str:
    done = now.frames_done / max(now.frames, 1)
    head = f"Job {now.job.id}: {done:.0%} of {number(now.frames)} frames"
    if now.stopped:
        return head
    if workers.cancelled:
        return f"{head}. Cancelled; `annotate retry {now.job.id}` goes on."
    if now.eta_s is not None:
        return f"{head}, {number(now.frames_per_s)} frames/s, {duration(now.eta_s)} left"
    if not workers.queue:
        return (
            f"{head}. No chunk is in hand: unless it has just begun, run the same `submit` again."
        )
    if workers.known:
        return f"{head}. {len(workers.known)} workers are there; its turn has not come yet."
    return f"{head}. No worker is there: start one with `annotate worker`."


def _as_json(now: "JobStatus", workers: Workers) -> dict[str, Any]:
    return {
        "job": now.job.id,
        "cancelled": workers.cancelled,
        "queue": {"trouble": workers.trouble, "workers": workers.known} if workers.queue else None,
        "finished": now.finished,
        "complete": now.complete,
        "frames": now.frames,
        "frames_done": now.frames_done,
        "frames_per_s": round(now.frames_per_s, 1),
        "eta_s": None if now.eta_s is None else round(now.eta_s, 1),
        "videos": [
            {
                "name": video.video.name,
                "fingerprint": video.video.fingerprint,
                "state": video.state,
                "frames": video.frames,
                "frames_done": video.frames_done,
                "chunks": len(video.chunks or ()),
                "chunks_done": len(video.done),
                "failures": [
                    {"unit": f.unit, "reason": f.reason, "attempts": f.attempts}
                    for f in video.failures.values()
                ],
            }
            for video in now.videos
        ],
        "rejected": [{"path": one.path, "reason": one.reason} for one in now.job.rejected],
        "workers": [
            {
                "worker": beat.worker,
                "video": beat.video,
                "chunk": [beat.chunk.start, beat.chunk.stop],
                "frames": beat.frames,
                "frames_per_s": round(beat.frames_per_s, 1),
                "provider": beat.provider,
                "placement": beat.placement,
                "rss_bytes": beat.rss_bytes,
            }
            for video in now.videos
            for beat in video.running
        ],
    }
