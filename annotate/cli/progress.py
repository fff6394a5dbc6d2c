"""Progress while a command works: bars on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from annotate.cli.text import count, duration, number
from annotate.domain.errors import with_hint
from annotate.domain.names import printable, printable_lines
from annotate.queue.job_status import JobStatus, VideoStatus

if TYPE_CHECKING:
    from annotate.use_cases.find_videos import FoundVideos

# Seconds between two lines where output is not a terminal.
LINE_EVERY_S = 5.0
console = Console(stderr=True)


def print_line(text: str, style: str | None = None) -> None:
    """Prints lines beside the bars; names in them cannot move the cursor of the terminal."""
    console.print(printable_lines(text), style=style, markup=False, highlight=False, soft_wrap=True)


def print_left_out(found: "FoundVideos", *, verbose: bool) -> None:
    """Says how many files of the folders are left out; and which, those that may hold videos or,
    with `verbose`, all.
    """
    if found.left_out:
        more = "" if verbose else " (--verbose names them)"
        print_line(f"left out   {count(len(found.left_out), 'file')} of the folders{more}", "dim")
    for one in found.left_out:
        if one.notable or verbose:
            line = f"left out   {printable(one.path)}: {one.reason}"
            print_line(line, "yellow" if one.notable else "dim")


@contextmanager
def phases() -> Iterator["Phases"]:
    """A bar for work in steps: reading files, fetching models, rendering."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        yield Phases(bar)


class Phases:
    """One bar whose label and fraction change; plain lines at each new label."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=1.0)
        self._label = ""

    def __call__(self, label: str, fraction: float) -> None:
        """Shows `label` and how much of it is done, in [0, 1]."""
        if label != self._label and not console.is_terminal:
            print_line(label)
        self._label = label
        self._bar.update(self._task, description=printable(label), completed=fraction)


class Reporter(Protocol):
    """Shows a job's status again and again."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def __call__(self, status: JobStatus) -> None:
        """Shows the newest status."""


def job_reporter() -> Reporter:
    """Bars on a terminal, lines elsewhere."""
    return Bars() if console.is_terminal else Lines()


class Bars:
    """A bar for each video that is being worked on, and one for the job; a line for each video
    that is finished.
    """

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._finished: set[str] = set()
        self._waits = _Waits()
        self._total = self._bar.add_task("all", total=None, note="")

    def __enter__(self) -> "Bars":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, status: JobStatus) -> None:
        """Brings the bars up to date."""
        self._waits(status)
        for video in status.videos:
            if video.finished:
                self._finish(video)
            elif video.running or video.state == "merging":
                self._advance(video)
        self._bar.update(
            self._total,
            description=f"all {len(status.videos)} videos" if len(status.videos) > 1 else "job",
            total=status.frames,
            completed=status.frames_done,
            note=_note(status),
        )

    def _advance(self, video: VideoStatus) -> None:
        name = video.video.name
        if name not in self._tasks:
            self._tasks[name] = self._bar.add_task(printable(name), total=video.frames, note="")
        note = "tracking" if video.state == "merging" else f"{len(video.running)} running"
        self._bar.update(self._tasks[name], completed=video.frames_done, note=note)

    def _finish(self, video: VideoStatus) -> None:
        name = video.video.name
        if name in self._finished:
            return
        self._finished.add(name)
        if name in self._tasks:
            self._bar.remove_task(self._tasks.pop(name))
        print_line(finished_line(video))


class Lines:
    """A line every few seconds, and one for each video that is finished."""

    def __init__(self) -> None:
        self._printed = time.monotonic()
        self._finished: set[str] = set()
        self._waits = _Waits()

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def __call__(self, status: JobStatus) -> None:
        """Prints what is new."""
        self._waits(status)
        for video in status.videos:
            if video.finished and video.video.name not in self._finished:
                self._finished.add(video.video.name)
                self._print(finished_line(video))
        if status.finished or time.monotonic() - self._printed < LINE_EVERY_S:
            return
        line = f"{number(status.frames_done)} of {number(status.frames)} frames"
        if status.eta_s is not None:
            line += f", {number(status.frames_per_s)} frames/s, {duration(status.eta_s)} left"
        self._print(line)

    def _print(self, line: str) -> None:
        self._printed = time.monotonic()
        print_line(line)


class _Waits:
    """Says once what worker processes of this command wait for, and once that it is over."""

    def __init__(self) -> None:
        self._waiting = False

    def __call__(self, status: JobStatus) -> None:
        """Looks at the newest status."""
        running = [beat for video in status.videos for beat in video.running]
        waiting = sorted(beat.waiting for beat in running if beat.waiting)
        if waiting and not self._waiting:
            print_line(f"waiting    {waiting[0]}", "yellow")
        if self._waiting and running and not waiting:
            print_line("waiting    over: the work goes on", "yellow")
        if running:
            self._waiting = bool(waiting)


def _note(status: JobStatus) -> str:
    """What the job's bar says beside its fraction."""
    if status.eta_s is not None:
        return f"{number(status.frames_per_s)} frames/s, {duration(status.eta_s)} left"
    if status.stopped:
        return ""
    merging = any(video.state == "merging" for video in status.videos)
    return "tracking" if merging else "waiting for workers"


def finished_line(video: VideoStatus) -> str:
    """How a video ended: done, with frames missing, or failed."""
    frames = count(video.frames, "frame")
    missing = video.frames - video.frames_done
    line = f"{video.state:7}  {video.video.name}  "
    line += f"{number(missing)} of {frames} missing" if missing else frames
    for failure in video.failures.values():
        line += with_hint(f"\n         {failure.unit}: {failure.reason}", failure.hint)
    return line
