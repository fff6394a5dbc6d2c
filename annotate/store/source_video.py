"""Source videos: workers find them on a share that all hosts know by name, or in the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from annotate.domain.errors import StoreError, VideoError
from annotate.domain.job import HERE, STORED, JobVideo
from annotate.domain.progress import ByteProgress
from annotate.domain.settings import Settings
from annotate.domain.video import VideoIndex
from annotate.files import sha256_of
from annotate.store import Store
from annotate.store.cache import Cache


def publish_source(
    store: Store, settings: Settings, path: Path, index: VideoIndex, progress: ByteProgress
) -> tuple[str, str]:
    """Makes sure that workers can read the video at `path`: one that is not on a share is copied
    into the store, once.

    Returns:
        Root and path of the video, as in `JobVideo`.

    Raises:
        StoreError: the store cannot be written.
    """
    real = path.resolve()
    for name, folder in settings.roots.items():
        if real.is_relative_to(folder.resolve()):
            return name, real.relative_to(folder.resolve()).as_posix()
    if settings.embedded and not store.in_bucket:
        return HERE, str(path.absolute())
    store.add_source(index.fingerprint, path, progress)
    return STORED, ""


@contextmanager
def local_source(
    store: Store, settings: Settings, video: JobVideo, index: VideoIndex, progress: ByteProgress
) -> Iterator[Path]:
    """A file of this host with the video's bytes; it is kept while the block runs.

    Args:
        progress: called while the bytes are downloaded.

    Raises:
        VideoError: only the host that submitted the video can read it.
        StoreError: this host does not see the video, or its bytes have changed.
    """
    if video.root == STORED:
        with _from_store(store, settings, index, progress) as path:
            yield path
    elif video.root == HERE:
        if not settings.embedded:
            raise VideoError(
                f"{video.name} was submitted without ANNOTATE_BROKER and is on that host only",
                "Submit it again with ANNOTATE_BROKER set: it is then copied into the store.",
            )
        yield Path(video.path)
    else:
        yield _on_share(settings, video)


def _on_share(settings: Settings, video: JobVideo) -> Path:
    folder = settings.roots.get(video.root)
    if folder is None:
        raise StoreError(
            f"{video.name} is on the share {video.root!r}, which this host does not know",
            f"Set where it is mounted: ANNOTATE_ROOTS={video.root}=FOLDER",
        )
    path = folder.joinpath(*PurePosixPath(video.path).parts)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise StoreError(
            f"{video.name}: {video.path} leads out of the share {video.root}",
            "It is a link; submit the file that it leads to.",
        )
    if not path.exists():
        raise StoreError(
            f"{video.name}: the share {video.root} has no {video.path} at {folder}",
            "Check that the share is mounted there and still has the file.",
        )
    return path


@contextmanager
def _from_store(
    store: Store, settings: Settings, index: VideoIndex, progress: ByteProgress
) -> Iterator[Path]:
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
