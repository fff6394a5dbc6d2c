"""`annotate watch`."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import ProcessesOption, StoreOption, store_of, with_options
from annotate.cli.submit import pack_of, print_notes, print_result, work
from annotate.cli.text import count, say
from annotate.domain.errors import (
    AnnotateError,
    ExitCode,
    PackError,
    UsageError,
    VideoError,
    with_hint,
)
from annotate.domain.options import SubmitOptions

if TYPE_CHECKING:
    from annotate.domain.settings import Settings
    from annotate.store import Store
    from annotate.store.bucket_videos import Source
    from annotate.use_cases.find_videos import FoundVideos

# Seconds between two looks, at least and at most, and how many times as long as a look takes:
# watching costs little.
POLL_S, LONGEST_POLL_S, PAUSE_LOOKS = 1.0, 30.0, 5.0
# Seconds after which a submission is tried again that trouble of the host, of the store or of the
# queue has ended.
AGAIN_S = 60.0


@with_options(SubmitOptions)
def watch(
    places: Annotated[
        list[str], typer.Argument(metavar="PLACE", help="Folders, or s3://bucket/prefix.")
    ],
    options: SubmitOptions,
    *,
    settle: Annotated[
        float,
        typer.Option(
            min=0, metavar="SECONDS", help="A file is complete when it stays the same for so long."
        ),
    ] = 10.0,
    processes: ProcessesOption = None,
    store: StoreOption = None,
) -> None:
    """Annotate what is in a folder or a bucket, and what arrives there, until stopped.

    Whenever something has arrived and is complete, all that is there is
    submitted as a new job, which computes only what is new: the newest job
    has everything. Stop it with Ctrl-C; the same command goes on.

    Examples:

      annotate watch recordings/

      annotate watch s3://bucket/recordings --people all
    """
    from annotate.queue.pace import pause_s
    from annotate.use_cases.find_videos import FoundVideos
    from annotate.use_cases.watch import Arrivals
    from annotate.use_cases.worker_pool import processes_here

    the_store, settings = store_of(store)
    settings = options.on_host(settings)
    workers = processes_here(settings, processes)
    arrivals, submitted = Arrivals(settle), frozenset[object]()
    again_s: float | None = None
    watched = _Watched(places, the_store)
    # An address with credentials is refused here, before it is printed.
    watched.look()
    options = replace(options, pack=pack_of(options, settings))
    say(f"Watching {', '.join(places)}. Ctrl-C to stop.", err=True)
    try:
        while True:
            began = time.monotonic()
            there = watched.look_again()
            complete = {} if there is None else arrivals.complete(there, began)
            took_s = time.monotonic() - began
            due = again_s is not None and began >= again_s
            if complete and (due or not complete.keys() <= submitted):
                submitted = frozenset(complete)
                now = FoundVideos(tuple(complete.values()))
                ended = _submit(the_store, now, options, settings, workers)
                again_s = None if ended else time.monotonic() + AGAIN_S
            time.sleep(pause_s(took_s, POLL_S, LONGEST_POLL_S, PAUSE_LOOKS))
    except KeyboardInterrupt:
        say("Stopped. Run the same command to continue: finished chunks are kept.", err=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from None


class _Watched:
    """The places that are watched. That one of them is away is said once."""

    def __init__(self, places: Sequence[str], store: "Store") -> None:
        self._places, self._store = places, store
        self._away = False

    def look(self) -> "Sequence[Source]":
        """All videos that are there now; errors as for `find_videos`."""
        from annotate.use_cases.find_videos import find_videos

        return find_videos(self._places, store=self._store, may_be_empty=True).videos

    def look_again(self) -> "Sequence[Source] | None":
        """The same; None where a place is away that was there."""
        from annotate.cli.progress import print_line

        try:
            found = self.look()
        except AnnotateError as error:
            if not self._away:
                print_line(with_hint(f"waiting    {error.message}", error.hint), "yellow")
            self._away = True
            return None
        if self._away:
            print_line("waiting    over: the watch goes on", "yellow")
        self._away = False
        return found


def _submit(
    store: "Store",
    found: "FoundVideos",
    options: SubmitOptions,
    settings: "Settings",
    workers: int,
) -> bool:
    """Submits videos and, without a queue, works on them. What goes wrong is printed: it must not
    end the watch.

    Returns:
        Whether the same would end alike again: trouble that may be over soon has not come.
    """
    from annotate.cli.progress import phases, print_line
    from annotate.queue.run_job import hand_over
    from annotate.use_cases.submit import submit
    from annotate.use_cases.worker_pool import processes_for

    try:
        with phases() as phase:
            job = submit(store, found, options, settings, workers=workers, progress=phase)
        print_notes(store, job)
        if settings.embedded:
            processes = processes_for(job.recipe.runs_on, settings, workers)
            print_result(work(store, job, settings, processes), store, str(store.files))
        else:
            hand_over(store, job, settings)
            say(f"Job {job.id} is queued, with {count(len(job.videos), 'video')}.")
    except (PackError, UsageError):
        raise
    except AnnotateError as error:
        print_line(with_hint(f"error: {error.message}", error.hint), "red")
        return isinstance(error, VideoError)
    return True
