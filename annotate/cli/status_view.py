"""How `annotate status` shows a job: a table for people, fields for scripts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from annotate.cli.text import accounts, count, duplicate_video, duration, number
from annotate.domain.errors import with_hint
from annotate.domain.names import printable_lines
from annotate.domain.runs_on import CPU
from annotate.domain.settings import NO_NPU
from annotate.domain.work import Heartbeat
from annotate.queue.job_status import JobStatus, VideoState, VideoStatus
from annotate.use_cases.job_snapshot import JobSnapshot

STYLES = {
    "not planned": "yellow",
    "done": "green",
    "running": "cyan",
    "merging": "cyan",
    "waiting": "dim",
    "partial": "yellow",
    "failed": "red",
}
# The states of videos, those that are shown before others where there is little room.
SHOWN_FIRST: tuple[VideoState, ...] = (
    *("running", "merging", "failed", "partial"),
    *("waiting", "not planned", "done"),
)


def as_table(snapshot: JobSnapshot, most: int | None = None) -> RenderableType:
    """A headline, a row a video, a row a running worker, and what went wrong.

    Args:
        most: how many videos have a row; None: all.
    """
    now = snapshot.status
    shown = now.videos if most is None else shown_videos(now.videos, most)
    lines: list[RenderableType] = [_text(headline(snapshot))]
    if now.job.recipe.runs_on != CPU:
        lines.append(_text(f"Models run on: {now.job.recipe.runs_on}"))
    lines.append(_videos(shown))
    if len(shown) < len(now.videos):
        lines.append(Text(_others(now.videos, shown), style="dim"))
    running = [beat for video in now.videos for beat in video.running]
    if snapshot.queue and running:
        lines += [Text(""), _workers(running), *_reasons(running)]
    if snapshot.queue and snapshot.queue.error:
        lines.append(_text(f"{snapshot.queue.error}: showing the store alone.", style="yellow"))
    if snapshot.queue:
        lines += [
            _text(f"{one['worker']} takes nothing of this job: {one['reason']}", style="yellow")
            for one in snapshot.queue.refusals
        ]
    if snapshot.queue and snapshot.queue.dropped:
        dropped = count(snapshot.queue.dropped, "message")
        lines.append(Text(f"The queue had {dropped} that no job sent; dropped.", style="yellow"))
    return Group(*lines, *_notes(now))


def headline(snapshot: JobSnapshot) -> str:
    """How far the job is, and what to do where nothing works on it."""
    now = snapshot.status
    done = now.frames_done / max(now.frames, 1)
    head = f"Job {now.job.id}: {done:.0%} of {count(now.frames, 'frame')}"
    if now.stopped:
        missing = now.frames - now.frames_done
        return f"{head}, {count(missing, 'frame')} missing" if missing else head
    if snapshot.cancelled:
        return f"{head}. Cancelled; `annotate retry {now.job.id}` continues it."
    if now.eta_s is not None:
        return f"{head}, {number(now.frames_per_s)} frames/s, {duration(now.eta_s)} left"
    if snapshot.queue is None:
        return (
            f"{head}. No chunk is being processed: run the same `submit` again, unless it has just "
            "started."
        )
    if snapshot.queue.workers:
        return f"{head}. Queued; {count(len(snapshot.queue.workers), 'worker')} connected."
    return f"{head}. Queued; no worker is running. Start one with `annotate worker`."


def shown_videos(videos: Sequence[VideoStatus], most: int) -> list[VideoStatus]:
    """Some videos, in their order: first those that are worked on, then those that failed, then
    those that wait.
    """
    rank = {state: number for number, state in enumerate(SHOWN_FIRST)}
    places = sorted(range(len(videos)), key=lambda place: rank[videos[place].state])
    return [videos[place] for place in sorted(places[:most])]


def _others(videos: Sequence[VideoStatus], shown: Sequence[VideoStatus]) -> str:
    """How many videos of each state have no row."""
    states = Counter(video.state for video in videos)
    states.subtract(video.state for video in shown)
    left = [f"{number(states[state])} {state}" for state in SHOWN_FIRST if states[state]]
    return f"and {', '.join(left)}"


def _videos(videos: Sequence[VideoStatus]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("video", "state"):
        table.add_column(column, overflow="fold")
    for column in ("frames", "done", "chunks", "frames/s"):
        table.add_column(column, justify="right")
    for video in videos:
        share = video.frames_done / max(video.frames, 1)
        speed = sum(beat.frames_per_s for beat in video.running)
        table.add_row(
            _text(video.video.name),
            Text(video.state, style=STYLES[video.state]),
            number(video.frames),
            f"{share:.0%}",
            f"{len(video.done)}/{len(video.chunks or ())}",
            number(speed) if speed else "",
        )
    return table


def _reasons(beats: list[Heartbeat]) -> list[Text]:
    """Why hosts with an accelerator run the models on the CPU, a line each."""
    reasons = {beat.reason for beat in beats} - {"", NO_NPU}
    return [_text(f"The models run on the CPU: {one}", style="yellow") for one in sorted(reasons)]


def _workers(beats: list[Heartbeat]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("worker", "provider", "video", "chunk"):
        table.add_column(column, overflow="fold")
    for column in ("done", "frames/s", "memory", "version"):
        table.add_column(column, justify="right")
    for beat in sorted(beats, key=lambda beat: beat.worker):
        table.add_row(
            _text(beat.worker),
            _text(beat.provider),
            _text(beat.video),
            f"{beat.chunk.start}-{beat.chunk.stop}",
            f"{beat.frames / len(beat.chunk):.0%}",
            number(beat.frames_per_s),
            f"{beat.rss_bytes / 1e6:.0f} MB",
            _text(beat.version),
        )
    return table


def _notes(now: JobStatus) -> list[Text]:
    """Videos that cannot continue by themselves, failures, rejected and duplicate files."""
    lines = [
        _text(
            with_hint(
                f"{video.video.name}  not planned: run the same `annotate submit` again to plan it",
                video.damage,
            ),
            style="yellow",
        )
        for video in now.unplanned
    ]
    for video in now.videos:
        if video.planned and video.damage:
            lines.append(_text(f"{video.video.name}  {video.damage}", style="yellow"))
        lines += [
            _text(
                with_hint(f"{video.video.name}  {failure.unit}: {failure.reason}", failure.hint),
                style="red",
            )
            for failure in video.failures.values()
        ]
    lines += [_text(line, style="yellow") for line in accounts(now)[1:]]
    lines += [
        _text(with_hint(f"rejected   {one.reason}", one.hint), style="yellow")
        for one in now.job.rejected
    ]
    lines += [_text(duplicate_video(*names), style="dim") for names in now.job.copies]
    return lines


def _text(text: str, style: str = "") -> Text:
    """Names in it cannot move the cursor or change colours of the terminal."""
    return Text(printable_lines(text), style=style)


def as_fields(snapshot: JobSnapshot) -> dict[str, Any]:
    """The same for `--json`."""
    now, queue = snapshot.status, snapshot.queue
    return {
        "job": now.job.id,
        "cancelled": snapshot.cancelled,
        "runs_on": now.job.recipe.runs_on,
        "queue": queue
        and {
            "trouble": queue.error,
            "workers": list(queue.workers),
            "dropped": queue.dropped,
            "refusals": list(queue.refusals),
        },
        "finished": now.finished,
        "complete": now.complete,
        "frames": now.frames,
        "frames_done": now.frames_done,
        "frames_per_s": round(now.frames_per_s, 1),
        "eta_s": None if now.eta_s is None else round(now.eta_s, 1),
        "videos": [_video_fields(video) for video in now.videos],
        "rejected": [asdict(one) for one in now.job.rejected],
        "workers": [_worker_fields(beat) for video in now.videos for beat in video.running],
    }


def _video_fields(video: VideoStatus) -> dict[str, Any]:
    return {
        "name": video.video.name,
        "fingerprint": video.video.fingerprint,
        "state": video.state,
        "damage": video.damage,
        "frames": video.frames,
        "frames_done": video.frames_done,
        "chunks": len(video.chunks or ()),
        "chunks_done": len(video.done),
        "account": video.account._asdict(),
        "damaged": [asdict(one) for one in video.damaged],
        "fitted": [asdict(one) for one in video.fitted],
        "crowded": [asdict(one) for one in video.crowded],
        "failures": [
            {"unit": f.unit, "reason": f.reason, "hint": f.hint, "attempts": f.attempts}
            for f in video.failures.values()
        ],
    }


def _worker_fields(beat: Heartbeat) -> dict[str, Any]:
    return {
        "worker": beat.worker,
        "video": beat.video,
        "chunk": [beat.chunk.start, beat.chunk.stop],
        "frames": beat.frames,
        "frames_per_s": round(beat.frames_per_s, 1),
        "provider": beat.provider,
        "placement": beat.placement,
        "reason": beat.reason,
        "rss_bytes": beat.rss_bytes,
    }
