"""Has the workers of a queue read videos that a command reads too.

The command reads from the first video on, and workers from the last one, until they meet: what one
has filed the other finds. So nothing is lost where a message is, where a worker is killed, and
where no worker can reach the videos. Where the command is interrupted, what was read is filed.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeAlias

from annotate.domain.errors import QueueError, StoreError
from annotate.domain.images import ImageSequence
from annotate.domain.options import SubmitOptions
from annotate.domain.settings import Settings
from annotate.queue.messages import Queue, probe_list
from annotate.queue.run_job import opened_queue
from annotate.store import Store
from annotate.store.bucket_videos import Source
from annotate.store.reading_lists import ReadingList, delete_list, write_list
from annotate.store.source_video import shared_place

if TYPE_CHECKING:
    from annotate.queue.board import Board

# Fewer messages than this are followed by as many more: enough for a second of all workers.
WINDOW = 500
# Seconds between two looks at how many messages wait.
LOOK_S = 1.0

# Called again and again while videos are read, with what says whether a video has been.
SendMore: TypeAlias = Callable[[Callable[[int], bool]], None]


@contextmanager
def shared_reading(
    store: Store, videos: Sequence[Source], options: SubmitOptions, settings: Settings, alone: int
) -> Iterator[SendMore]:
    """Gives videos to workers while the block runs and calls what is yielded.

    Args:
        alone: so many videos at the beginning are read by this process at once.
    """
    reached = {
        number: place
        for number, video in enumerate(videos)
        if number >= alone
        and not isinstance(video, ImageSequence)
        and (place := shared_place(settings, video))
    }
    if settings.embedded or options.rehash or not reached:
        yield lambda _is_read: None
        return
    listed = ReadingList(tuple(reached.values()), options.stream, options.assume_fps)
    name = write_list(store, listed)
    try:
        board, queue = opened_queue(store, settings)
        yield _Sender(board, queue, settings, name, [*reached]).send_more
    finally:
        with suppress(StoreError):
            delete_list(store, name)


class _Sender:
    """Sends the videos of a list, the last one first, a few at a time."""

    def __init__(
        self, board: "Board", queue: Queue, settings: Settings, name: str, numbers: list[int]
    ) -> None:
        self._board, self._queue = board, queue
        self._broker = settings.broker
        self._name = name
        self._left = numbers
        self._due = 0.0

    def send_more(self, is_read: Callable[[int], bool]) -> None:
        """Sends the next ones, unless enough wait; as in `SendMore`.

        Without the queue this process reads the videos alone.
        """
        if not self._left or time.monotonic() < self._due:
            return
        from annotate.queue.board import queue_errors  # it is loaded by now

        self._due = time.monotonic() + LOOK_S
        with suppress(QueueError), queue_errors(self._broker):
            room = WINDOW - self._board.waiting([probe_list()])[0]
            while self._left and room > 0:
                number = self._left.pop()
                if not is_read(number):
                    self._queue.send_probe(self._name, len(self._left))
                    room -= 1
