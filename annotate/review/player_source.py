"""What the browser plays of a video: the file itself, or a copy that is made once and kept."""

import threading
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotate.domain.errors import AnnotateError, OutputError
from annotate.domain.job import JobVideo
from annotate.domain.progress import ByteProgress
from annotate.domain.settings import Settings
from annotate.domain.video import VideoIndex
from annotate.store import Store
from annotate.store.source_video import local_source
from annotate.video.playable import media_type, write_copy


@dataclass(frozen=True)
class Playing:
    """Where a video is on its way to the browser.

    Attributes:
        state: `ready`, `making` a copy, or `failed`.
        fraction: of the copy that is made, in [0, 1].
        message: why it failed.
        path, media_type: of the file to play, once it is ready.
        copy: whether that is a copy, whose first frame is at 0 s.
    """

    state: str
    fraction: float = 0.0
    message: str = ""
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

    def playing(self, *, copy: bool = False) -> Playing:
        """What there is now; the first call begins the work.

        Args:
            copy: the browser could not play the file itself.
        """
        with self._lock:
            again = copy and self._now.state == "ready" and not self._now.copy
            if self._thread is None or again:
                self._now = Playing("making")
                work = threading.Thread(target=self._work, args=(copy,), daemon=True)
                self._thread = work
                work.start()
            return self._now

    def times_s(self, *, copy: bool) -> NDArray[np.float64]:
        """(N,) float64: when players show each frame."""
        return self._index.time_s if copy else self._index.player_s

    def source(self) -> Path:
        """The file of the video on this host, kept until `close`.

        Raises:
            StoreError, HostError, ChangedError: it is away, or another one.
        """
        place = local_source(
            self._store, self._settings, self._video, self._index, self._fetching()
        )
        with ExitStack() as stack:
            path = stack.enter_context(place)
            self._kept.push(stack.pop_all())
            return path

    def close(self) -> None:
        """Gives the file back."""
        self._kept.close()

    def _fetching(self) -> ByteProgress:
        def report(done: int, total: int) -> None:
            self._set(replace(self._now, fraction=done / max(total, 1)))

        return report

    def _work(self, copy: bool) -> None:
        try:
            path = self.source()
            found = None if copy else media_type(path, self._index)
            if found is not None:
                self._set(Playing("ready", 1.0, path=path, media_type=found))
                return
            self._set(Playing("ready", 1.0, path=self._copied(path), copy=True))
        except AnnotateError as error:
            self._set(Playing("failed", message=" ".join([error.message, error.hint]).strip()))

    def _copied(self, path: Path) -> Path:
        index = self._index
        folder = self._settings.cache / "review"
        reading = "" if index.stream is None else f"-{index.stream}"
        out = folder / f"{index.fingerprint[:32]}{reading}.mp4"
        if not out.exists():
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(
                    f"{folder} cannot be made: {error.strerror}",
                    "Name another folder with ANNOTATE_CACHE.",
                ) from error
            write_copy(path, index, out, lambda done: self._set(Playing("making", done)))
        return out

    def _set(self, playing: Playing) -> None:
        self._now = playing
