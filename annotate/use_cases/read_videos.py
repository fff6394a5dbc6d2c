"""Reads videos, several at a time. The index of each is filed as soon as it is known, so that a
submission that was interrupted goes on.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from annotate.domain.errors import AnnotateError, StoreError, VideoError
from annotate.domain.images import ImageSequence
from annotate.domain.job import Rejected
from annotate.domain.names import printable, printable_lines
from annotate.domain.options import SubmitOptions
from annotate.domain.progress import ByteProgress, Progress, silent_bytes
from annotate.domain.settings import Settings
from annotate.domain.video import VideoIndex
from annotate.queue.patience import with_patience
from annotate.store import Store
from annotate.store.bucket_videos import BucketVideo, Source, fetched, version_of
from annotate.store.known_files import KnownFiles, state_of
from annotate.store.reading_lists import read_list
from annotate.store.source_video import from_store, share_version, source_at
from annotate.use_cases.read_images import as_images, joined_file, rate_of
from annotate.use_cases.read_images import version_of as version_of_images
from annotate.use_cases.shared_reading import shared_reading
from annotate.video import probe, reader_version

# The largest number of videos that are read at a time; more would only wait for the disk.
MAX_THREADS = 16
# Seconds between two reports of progress.
REPORT_S = 0.1


@dataclass(frozen=True, eq=False)
class ReadVideo:
    """A video that can be read, and its index."""

    source: Source
    index: VideoIndex


class _StoppedError(Exception):
    """Reading was interrupted."""


def read_videos(
    store: Store,
    videos: Sequence[Source],
    options: SubmitOptions,
    settings: Settings,
    progress: Progress,
) -> list[ReadVideo | Rejected]:
    """Reads videos, or finds the indexes of those that were read before and have not changed.

    Args:
        settings: of this host: where it remembers the videos that it has read.
        progress: called from the calling thread.

    Returns:
        For each video, in the same order, its index, or why it cannot be read.

    Raises:
        HostError: a file cannot be read now; what was read before is filed.
        StoreError: the store cannot be written.
    """
    label = f"Reading {len(videos):,} videos"
    if len(videos) == 1:
        label = f"Reading {printable(videos[0].name)}"
    reader = _Reader(store, options, settings, len(videos))
    threads = min(len(videos), os.cpu_count() or 1, MAX_THREADS)
    with (
        shared_reading(store, videos, options, settings, threads) as send_more,
        _pool(threads, reader) as pool,
    ):
        pending = [pool.submit(reader.read, n, video) for n, video in enumerate(videos)]

        def report(fraction: float) -> None:
            send_more(lambda number: pending[number].done())
            progress(label, fraction)

        return _results(pending, reader, report)


def read_listed(
    store: Store, listed: str, number: int, settings: Settings, progress: Progress
) -> None:
    """Files the index of a video of a reading list, for a submission; a video that is rejected is
    left to that.

    Args:
        listed: name of the list. If it is not there, the submission has ended.

    Raises:
        HostError, StoreError: this host cannot read it.
    """
    found = read_list(store, listed)
    if found is None or not 0 <= number < len(found.places):
        return
    source = source_at(settings, *found.places[number])
    options = SubmitOptions(stream=found.stream, assume_fps=found.assume_fps)
    read_videos(store, [source], options, settings, progress)


class _Reader:
    """Reads videos in several threads.

    Attributes:
        stopped: set where reading is interrupted.
    """

    def __init__(
        self, store: Store, options: SubmitOptions, settings: Settings, videos: int
    ) -> None:
        self.stopped = threading.Event()
        self._store = store
        self._options = options
        self._settings = settings
        self._known = KnownFiles(settings.cache)
        self._version = reader_version()
        self._fractions = [0.0] * videos

    @property
    def fraction(self) -> float:
        """How much of all videos is read, in [0, 1]."""
        return sum(self._fractions) / max(len(self._fractions), 1)

    def read(self, number: int, source: Source) -> ReadVideo | Rejected:
        read = partial(self._index, source, self._report(number))
        try:
            return ReadVideo(source, with_patience(read, self._settings, self._stop_waiting))
        except VideoError as error:
            return rejected(source, error)
        finally:
            self._fractions[number] = 1.0

    def _index(self, source: Source, report: ByteProgress) -> VideoIndex:
        """The index of a video, whose fingerprint is then known.

        Raises:
            VideoError: all its bytes can be read, and it cannot be annotated.
            HostError: the file cannot be read now.
            StoreError: the bucket cannot be read, or the store cannot be written.
        """
        if isinstance(source, BucketVideo):
            return self._index_in_bucket(source, report)
        if isinstance(source, ImageSequence):
            return self._index_of_images(source, report)
        place = Path(os.path.abspath(source))  # noqa: PTH100 - links stay links
        before = state_of(source)
        version = None if self._settings.embedded else share_version(self._settings, place, before)
        known = None if self._options.rehash else self._known.known(place, before)
        index = self._filed(known)
        if index is not None:
            return index
        if version is not None and not self._options.rehash:
            # A worker may have read it, for this submission or an earlier one.
            index = self._filed(self._store.source_fingerprint(version))
        if index is None:
            index = self._probe(source, report)
            if version is not None:
                self._store.write_source_fingerprint(version, index.fingerprint)
        self._known.remember(place, before, index.fingerprint)
        return index

    def _index_in_bucket(self, video: BucketVideo, report: ByteProgress) -> VideoIndex:
        version = version_of(video)
        known = None if self._options.rehash else self._store.source_fingerprint(version)
        index = self._filed(known)
        if index is None:
            with fetched(video, self._settings, report) as path:
                try:
                    index = self._probe(path, report)
                except VideoError as error:
                    raise _about(video, path, error) from error
            self._store.write_source_fingerprint(version, index.fingerprint)
        return index

    def _index_of_images(self, images: ImageSequence, report: ByteProgress) -> VideoIndex:
        """The index of the video that is joined from images; its bytes are filed in the store."""
        rate = rate_of(self._options)
        version = version_of_images(images, rate)
        known = None
        if version is not None and not self._options.rehash:
            known = self._store.source_fingerprint(version)
        index = self._filed(known)
        if index is None or not self._store.has_source(index.fingerprint, index.size_bytes):
            with joined_file(images, rate, self._settings, report) as path:
                try:
                    index = self._probe(path, report, images)
                except VideoError as error:
                    raise _about(images, path, error) from error
                self._store.add_source(index.fingerprint, path, report)
            if version is not None and version == version_of_images(images, rate):
                self._store.write_source_fingerprint(version, index.fingerprint)
        return index

    def _probe(
        self, path: Path, report: ByteProgress, images: ImageSequence | None = None
    ) -> VideoIndex:
        """Reads a video and files its index.

        Args:
            images: from which it was joined, if it was.
        """
        options = self._options
        try:
            index = probe(
                path,
                report,
                stream=options.stream,
                assume_fps=options.assume_fps,
                limits=self._settings.limits,
            )
        except VideoError:
            # FFmpeg hides errors of the disk, which then look like damage.
            if path.is_file() and os.access(path, os.R_OK):
                self._known.read(path, report)
            raise
        if images is not None:
            index = as_images(index, images, rate_of(options))
        self._store.write_index(replace(index, reader=self._version), options.selection)
        return index

    def _filed(self, fingerprint: str | None) -> VideoIndex | None:
        """The index in the store of a video with that fingerprint, if this version has made it."""
        if fingerprint is not None:
            with suppress(StoreError):  # it has none, or it is damaged: read the video again
                index = self._store.read_index(fingerprint, self._options.selection)
                return index if index.reader == self._version else None
        return None

    def _report(self, number: int) -> ByteProgress:
        def report(done: int, total: int) -> None:
            self._check_stopped()
            self._fractions[number] = done / max(total, 1)

        return report

    def _stop_waiting(self, _error: AnnotateError) -> None:
        self._check_stopped()

    def _check_stopped(self) -> None:
        if self.stopped.is_set():
            raise _StoppedError


@contextmanager
def _pool(threads: int, reader: _Reader) -> Iterator[ThreadPoolExecutor]:
    """Threads that end soon where the block is left by an error or Ctrl-C."""
    pool = ThreadPoolExecutor(max(threads, 1), thread_name_prefix="read")
    try:
        yield pool
    except BaseException:
        reader.stopped.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _results(
    futures: "Sequence[Future[ReadVideo | Rejected]]",
    reader: _Reader,
    report: Callable[[float], None],
) -> list[ReadVideo | Rejected]:
    """The results of all futures, in order; the first error that is none of a video ends them."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=REPORT_S)
        for future in done:
            future.result()
        report(reader.fraction)
    return [future.result() for future in futures]


def rejected(source: Source, error: VideoError) -> Rejected:
    """What a job says of a video; its path can be printed and exported wherever it stands."""
    shown = printable(str(source))
    reason = printable_lines(error.message.replace(str(source), shown))
    return Rejected(shown, reason, printable_lines(error.hint.replace(str(source), shown)))


def _about(source: Source, path: Path, error: VideoError) -> VideoError:
    """The same error, which names the source and not its copy."""
    texts = (error.message, error.hint)
    return VideoError(*(text.replace(str(path), str(source)) for text in texts))


@contextmanager
def local_copy(video: ReadVideo, store: Store, settings: Settings) -> Iterator[Path]:
    """The file, or a copy in this host's cache of what lies in a bucket."""
    source = video.source
    if isinstance(source, ImageSequence):
        with from_store(store, settings, video.index, silent_bytes) as path:
            yield path
    elif isinstance(source, BucketVideo):
        with fetched(source, settings, silent_bytes) as path:
            yield path
    else:
        yield source
