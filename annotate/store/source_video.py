"""Source videos: workers find them on a share that all hosts know by name, in a bucket, or in the
store.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from socket import gethostname

from annotate.domain.digests import digest_of
from annotate.domain.errors import ChangedError, StoreError, VideoError
from annotate.domain.images import ImageSequence
from annotate.domain.job import BUCKET, HERE, STORED, JobVideo
from annotate.domain.progress import ByteProgress
from annotate.domain.settings import Settings
from annotate.domain.video import VideoIndex
from annotate.files import sha256_of
from annotate.store import Store
from annotate.store.bucket_videos import BucketVideo, Source, bucket_video, fetched
from annotate.store.cache import Cache
from annotate.store.known_files import FileState, KnownFiles, state_of


def publish_source(
    store: Store, settings: Settings, source: Source, index: VideoIndex, progress: ByteProgress
) -> tuple[str, str]:
    """Makes sure that workers can read a video: one that is neither on a share nor in a bucket is
    copied into the store, once.

    Returns:
        Root and path of the video, as in `JobVideo`.

    Raises:
        StoreError: the store cannot be written.
    """
    if isinstance(source, BucketVideo):
        return BUCKET, source.path
    if isinstance(source, ImageSequence):
        return STORED, ""  # since it was read
    on_share = _share_of(settings, source)
    if on_share is not None:
        return on_share
    if settings.embedded and not store.in_bucket:
        return HERE, str(source.absolute())
    store.add_source(index.fingerprint, source, progress)
    return STORED, ""


def shared_place(settings: Settings, source: Path | BucketVideo) -> tuple[str, str] | None:
    """Root and path, as in `JobVideo`, by which all hosts know a video; None where only this one
    has it.
    """
    return (BUCKET, source.path) if isinstance(source, BucketVideo) else _share_of(settings, source)


def share_version(settings: Settings, path: Path, state: FileState) -> str | None:
    """64 hex digits of where a file lies on a share and of its state, the same on all hosts; None
    where it is on none, or a change may not show yet.
    """
    place = _share_of(settings, path)
    if place is None or not state.is_settled:
        return None
    return digest_of({"share": place, **asdict(state)})


def _share_of(settings: Settings, source: Path) -> tuple[str, str] | None:
    """Name of the share on which a file is, and its path there."""
    real = source.resolve()
    for name, folder in settings.roots.items():
        if real.is_relative_to(folder.resolve()):
            return name, real.relative_to(folder.resolve()).as_posix()
    return None


def source_at(settings: Settings, root: str, path: str) -> Path | BucketVideo:
    """Inverse of `shared_place`.

    Raises:
        StoreError: this host does not know the share, or there is no such file on it.
    """
    return bucket_video(path) if root == BUCKET else _on_share(settings, path, root, path)


@contextmanager
def local_source(
    store: Store,
    settings: Settings,
    video: JobVideo,
    index: VideoIndex,
    progress: ByteProgress,
    *,
    read_again: bool = False,
) -> Iterator[Path]:
    """A file of this host with the video's bytes; it is kept while the block runs.

    A file that was touched while the block ran is read again at its end.

    Args:
        progress: called while the bytes are downloaded or read.
        read_again: read all bytes even where the file is known and untouched.

    Raises:
        ChangedError: the file holds other bytes.
        HostError: the file is away, or cannot be read now.
        StoreError: this host does not know where the video is, or the copy in the store changed.
    """
    known = KnownFiles(settings.cache)
    with _place(store, settings, video, index, progress) as path:
        before, settled = _checked(known, path, index, progress, read_again=read_again)
        try:
            yield path
        except VideoError:
            # What looks like damage may come from a change while the file was decoded.
            if state_of(path) != before:
                _checked(known, path, index, progress, read_again=True)
            raise
        if state_of(path) != before or not settled:
            _checked(known, path, index, progress, read_again=True)


def _checked(
    known: KnownFiles, path: Path, index: VideoIndex, progress: ByteProgress, *, read_again: bool
) -> tuple[FileState, bool]:
    """The state of a file that holds the bytes of the index, and whether changes would show.

    Raises:
        ChangedError: the file holds other bytes.
        HostError: the file cannot be read now.
    """
    state = state_of(path)
    settled = state.is_settled
    same = state.size == index.size_bytes
    if same:
        find = known.read if read_again else known.fingerprint
        same = find(path, progress) == index.fingerprint
    if not same:
        raise ChangedError(
            f"{path} does not hold the bytes that were submitted",
            "Submit the file as it is now, or bring the old one back: the same command goes on.",
        )
    return state, settled


@contextmanager
def _place(
    store: Store, settings: Settings, video: JobVideo, index: VideoIndex, progress: ByteProgress
) -> Iterator[Path]:
    """Where this host has the video."""
    if video.root == STORED:
        with from_store(store, settings, index, progress) as path:
            yield path
    elif video.root == BUCKET:
        with fetched(bucket_video(video.path), settings, progress) as path:
            yield path
    elif video.root == HERE:
        if not settings.embedded:
            raise ChangedError(
                f"{video.name} was submitted without ANNOTATE_BROKER and is on that host only",
                "Submit it again with ANNOTATE_BROKER set: it is then copied into the store.",
            )
        yield Path(video.path)
    else:
        yield _on_share(settings, video.name, video.root, video.path)


def _on_share(settings: Settings, name: str, root: str, place: str) -> Path:
    folder = settings.roots.get(root)
    if folder is None:
        raise StoreError(
            f"{name} is on the share {root!r}, which this host does not know",
            f"Set where it is mounted: ANNOTATE_ROOTS={root}=FOLDER",
        )
    path = folder.joinpath(*PurePosixPath(place).parts)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise StoreError(
            f"{name}: {place} leads out of the share {root}",
            "It is a link; submit the file that it leads to.",
        )
    try:
        path.stat()
    except OSError as error:
        raise StoreError(
            f"{name}: the share {root} has no {place} at {folder} on the host "
            f"{gethostname()}: {error.strerror}",
            "Check that the share is mounted there and still has the file.",
        ) from error
    return path


@contextmanager
def from_store(
    store: Store, settings: Settings, index: VideoIndex, progress: ByteProgress
) -> Iterator[Path]:
    """The video whose bytes are in the store: there, or a copy in this host's cache.

    Raises:
        StoreError: they are not there, or changed; or the cache cannot be written.
    """
    in_place = store.source_path(index.fingerprint)
    if in_place is not None:
        yield in_place
        return

    def fetch(path: Path) -> None:
        store.download_source(index.fingerprint, path, progress)
        if sha256_of(path) != index.fingerprint:
            path.unlink()
            raise StoreError(
                f"the video {index.fingerprint[:12]} in the store does not match its fingerprint",
                "Its upload was interrupted, or it was changed: submit the video again.",
            )

    cache = Cache(settings.cache / "videos", settings.cache_bytes)
    with cache.copy(index.fingerprint, index.size_bytes, fetch, progress) as path:
        yield path
