"""`annotate jobs`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from annotate.cli.options import JsonOption, StoreOption, store_of
from annotate.cli.text import number, say
from annotate.domain.errors import DamagedError, ManifestError, UsageError
from annotate.domain.names import printable_lines

if TYPE_CHECKING:
    from rich.table import Table

    from annotate.domain.settings import Settings
    from annotate.queue.job_status import JobStatus, VideoStatus
    from annotate.store import Store

# Videos of a job that the table names.
NAMED_VIDEOS = 3
UNREADABLE = "written by another version of annotate, or damaged"


@dataclass(frozen=True)
class _Row:
    """A job of the store.

    Attributes:
        id: of the job.
        status: None where its manifest cannot be read.
        cancelled: whether it was cancelled before its end.
    """

    id: str
    status: "JobStatus | None"
    cancelled: bool = False

    @property
    def submitted(self) -> datetime | None:
        """When it was submitted, by the clock of the host that did."""
        try:
            return datetime.strptime(self.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return None

    @property
    def state(self) -> str:
        """How far it is."""
        if self.status is None:
            return "unreadable"
        return "cancelled" if self.cancelled else self.status.state


def jobs(*, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the jobs of the store, newest first, and how far they are.

    Examples:

      annotate jobs

      annotate jobs --json
    """
    the_store, settings = store_of(store)
    rows = list(_rows(the_store, settings))
    if as_json:
        fields = [_fields(row, row.status) for row in rows if row.status is not None]
        say(json.dumps(fields, indent=2))
    elif rows:
        from rich.console import Console

        Console().print(_table(rows))
    else:
        say(f"No jobs in the store {the_store.files}. Start with: annotate submit VIDEO...")


def _rows(store: "Store", settings: "Settings") -> Iterator[_Row]:
    from annotate.queue.job_status import job_status
    from annotate.use_cases.job_snapshot import living_heartbeats

    beats = living_heartbeats(store, settings)
    # Each job of `annotate watch` has the videos of the one before, and some more.
    known: dict[str, VideoStatus] = {}
    for job_id in reversed(store.job_ids()):
        try:
            status = job_status(store, store.read_job(job_id), beats, known)
        except (ManifestError, DamagedError):
            yield _Row(job_id, None)
        except UsageError:  # deleted since it was listed
            continue
        else:
            yield _Row(job_id, status, store.is_cancelled(job_id) and not status.stopped)


def _table(rows: list[_Row]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    from annotate.cli.status_view import STYLES

    table = Table(box=None, pad_edge=False)
    for column in ("job", "submitted", "state"):
        table.add_column(column, no_wrap=True)
    for column in ("done", "frames"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("videos", overflow="fold")
    for row in rows:
        when, now = row.submitted, row.status
        table.add_row(
            row.id,
            f"{when.astimezone():%Y-%m-%d %H:%M}" if when else "",
            Text(row.state, style=STYLES.get(row.state, "yellow")),
            "" if now is None else f"{now.frames_done / max(now.frames, 1):.0%}",
            "" if now is None else number(now.frames),
            Text(printable_lines(UNREADABLE if now is None else _named(now))),
        )
    return table


def _named(status: "JobStatus") -> str:
    names = [video.name for video in status.job.videos]
    more = len(names) - NAMED_VIDEOS
    return ", ".join(names[:NAMED_VIDEOS]) + (f" and {more} more" if more > 0 else "")


def _fields(row: _Row, now: "JobStatus") -> dict[str, Any]:
    return {
        "job": row.id,
        "submitted": row.submitted and row.submitted.isoformat(),
        "state": row.state,
        "frames": now.frames,
        "frames_done": now.frames_done,
        "videos": [video.name for video in now.job.videos],
    }
