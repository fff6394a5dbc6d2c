"""`annotate status` and `annotate jobs`."""

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from annotate.cli.options import JobArgument, JsonOption, StoreOption, store_of, the_job
from annotate.cli.text import duration, number
from annotate.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType

    from annotate.use_cases.status import JobStatus


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
    from annotate.use_cases.status import job_status

    the_store, _ = store_of(store)
    manifest = the_job(the_store, job)
    now = job_status(the_store, manifest)
    if as_json:
        typer.echo(json.dumps(_as_json(now), indent=2))
    elif watch:
        from rich.live import Live

        with Live(_table(now), refresh_per_second=2) as live:
            while not now.finished:
                time.sleep(1)
                now = job_status(the_store, manifest)
                live.update(_table(now))
    else:
        from rich.console import Console

        Console().print(_table(now))
    if any(video.failures for video in now.videos) or manifest.rejected:
        raise typer.Exit(ExitCode.PARTIAL)


def jobs(*, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the jobs of the store, newest first."""
    the_store, _ = store_of(store)
    manifests = [the_store.read_job(one) for one in reversed(the_store.job_ids())]
    if as_json:
        rows = [{"job": m.id, "videos": [v.name for v in m.videos]} for m in manifests]
        typer.echo(json.dumps(rows, indent=2))
        return
    for manifest in manifests:
        names = ", ".join(video.name for video in manifest.videos[:3])
        more = len(manifest.videos) - 3
        typer.echo(f"{manifest.id}  {names}{f' and {more} more' if more > 0 else ''}")
    if not manifests:
        typer.echo(f"The store {the_store.files} has no job yet: annotate submit VIDEO...")


def _table(now: "JobStatus") -> "RenderableType":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("video", "state"):
        table.add_column(column, overflow="fold")
    for column in ("frames", "done", "chunks", "frames/s"):
        table.add_column(column, justify="right")
    for video in now.videos:
        share = video.frames_done / video.frames
        speed = sum(beat.frames_per_s for beat in video.running)
        table.add_row(
            Text(video.video.name),
            Text(video.state, style=_STYLES[video.state]),
            number(video.frames),
            f"{share:.0%}",
            f"{len(video.done)}/{len(video.chunks)}",
            number(speed) if speed else "",
        )
    lines: list[RenderableType] = [Text(_headline(now)), table]
    for video in now.videos:
        lines += [
            Text(f"{video.video.name}  {failure.unit}: {failure.reason}", style="red")
            for failure in video.failures.values()
        ]
    lines += [Text(f"skipped  {one.reason}", style="yellow") for one in now.job.rejected]
    return Group(*lines)


_STYLES = {
    "done": "green",
    "running": "cyan",
    "merging": "cyan",
    "waiting": "dim",
    "partial": "yellow",
    "failed": "red",
}


def _headline(now: "JobStatus") -> str:
    done = now.frames_done / max(now.frames, 1)
    head = f"Job {now.job.id}: {done:.0%} of {number(now.frames)} frames"
    if now.finished:
        return head
    if now.eta_s is not None:
        return f"{head}, {number(now.frames_per_s)} frames/s, {duration(now.eta_s)} left"
    return f"{head}. Nobody is working on it: run the same `annotate submit` again to go on."


def _as_json(now: "JobStatus") -> dict[str, Any]:
    return {
        "job": now.job.id,
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
                "chunks": len(video.chunks),
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
