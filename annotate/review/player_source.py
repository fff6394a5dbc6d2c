"""What the browser plays of a video: the file itself, or a copy that is made once and kept."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotate.domain.errors import AnnotateError
from annotate.domain.job import JobVideo
from annotate.domain.progress import ByteProgress
from annotate.domain.settings import Settings
from annotate.domain.video import VideoIndex
from annotate.store import Store
from annotate.store.cache import Cache
from annotate.store.known_files import state_of
from annotate.store.source_video import local_source
from annotate.video.playable import media_type, write_copy


@dataclass(frozen=True)
class Playing:
    """Where a video is on its way to the browser.

    Attributes:
        state: `ready`, `making` a copy, or `failed`.
        fraction: of the copy that is made, in [0, 1].
        message, hint: why it failed, and the next step.
        path, media_type: of the file to play, once it is ready.
        copy: whether that is a copy, whose first frame is at 0 s.
    """

    state: str
    fraction: float = 0.0
    message: str = ""
    hint: str = ""
    path: Path | None = None
    media_type: str = "video/mp4"
    copy: bool = False


class PlayerSource:
    """Finds or makes what the browser plays of one video; a thread of its own works."""

    def __init__(
        self, store: Store, settings: Settings, video: JobVideo, index: VideoIndex
    ) -> None:
        self._store, self._settings, self._video, self._index = store, settings, video, index
        self._lock = threading.Lock()
        self._now = Playing("making")
        self._thread: threading.Thread | None = None
        self._kept = ExitStack()
        self._seen: tuple[int, int, int] | None = None

    def playing(self, *, copy: bool = False) -> Playing:
        """What there is now; the first call begins the work.

        The work begins again where the file changed or went away meanwhile, and, after a failure
        has been said once, with the next call.

        Args:
            copy: the browser could not play the file itself.
        """
        with self._lock:
            now = self._now
            again = now.state == "ready" and ((copy and not now.copy) or self._is_other(now))
            if self._thread is None or again:
                now = self._now = Playing("making")
                self._thread = threading.Thread(target=self._work, args=(copy,), daemon=True)
                self._thread.start()
            elif now.state == "failed":
                self._thread = None
            return now

    def settle(self, patience_s: float) -> None:
        """Waits until the work that goes on is done, or so many seconds have passed."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(patience_s)

    def at_hand(self) -> Playing:
        """What there is now; a failure stays one, as only `playing` says it and tries again."""
        now = self._now
        return self.playing() if now.state == "ready" else now

    def times_s(self, *, copy: bool) -> NDArray[np.float64]:
        """(N,) float64: when players show each frame."""
        return self._index.time_s if copy else self._index.player_s

    @contextmanager
    def source(self) -> Iterator[Path]:
        """The file of the video on this host, kept while the block runs.

        Raises:
            StoreError, HostError, ChangedError: it is away, or another one.
        """
        with local_source(
            self._store, self._settings, self._video, self._index, self._fetching()
        ) as path:
            yield path

    def close(self) -> None:
        """Gives the files back."""
        with suppress(AnnotateError):  # the video was changed meanwhile: the page has said so
            self._kept.close()

    def _fetching(self) -> ByteProgress:
        def report(done: int, total: int) -> None:
            self._set(replace(self._now, fraction=done / max(total, 1)))

        return report

    def _work(self, copy: bool) -> None:
        done = Playing("failed", message="the video cannot be shown", hint="This is a bug.")
        try:
            self.close()
            done = self._made(copy)
        except AnnotateError as error:
            done = Playing("failed", message=error.message, hint=error.hint)
        finally:
            self._set(done)

    def _made(self, copy: bool) -> Playing:
        path = self._kept.enter_context(self.source())
        found = None if copy else media_type(path, self._index)
        ready = Playing("ready", 1.0, path=path, media_type=found or "video/mp4", copy=not found)
        if not found:
            ready = replace(ready, path=self._copied(path))
        self._seen = _content(ready)
        return ready

    def _copied(self, path: Path) -> Path:
        """A copy of the video for browsers, kept in the cache until `close`."""
        index = self._index
        reading = "" if index.stream is None else f"-{index.stream}"

        def make(part: Path) -> None:
            out = part.with_name(f"{part.name}.mp4")
            write_copy(path, index, out, lambda done: self._set(Playing("making", done)))
            out.replace(part)

        cache = Cache(self._settings.cache / "review", self._settings.cache_bytes)
        name = f"{index.fingerprint[:32]}{reading}.mp4"
        return self._kept.enter_context(cache.copy(name, None, make, self._fetching()))

    def _is_other(self, now: Playing) -> bool:
        """Whether the file that is played is not as it was."""
        try:
            return _content(now) != self._seen
        except AnnotateError:
            return True

    def _set(self, playing: Playing) -> None:
        self._now = playing


def _content(now: Playing) -> tuple[int, int, int] | None:
    """What changes with the bytes of the file that is played; its place in the cache is sure, and
    the cache notes the use of a copy as the time of its last change.
    """
    if now.path is None:
        return None
    state = state_of(now.path)
    return state.size, state.inode, 0 if now.copy else state.modified_ns
