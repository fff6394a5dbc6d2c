"""Videos that lie in a bucket: listed there, and fetched to a host's cache where they are needed.

Endpoint and credentials come from the same variables as for a store in a bucket.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeAlias

from annotate.domain.digests import digest_of
from annotate.domain.errors import StoreError
from annotate.domain.images import ImageSequence
from annotate.domain.progress import ByteProgress
from annotate.domain.settings import S3_SCHEME, Settings
from annotate.store.cache import Cache
from annotate.store.files import checked_key
from annotate.store.s3 import S3Files
from annotate.store.s3_address import split_url


@dataclass(frozen=True)
class BucketVideo:
    """An object of a bucket that is, or may be, a video.

    Attributes:
        bucket: its name.
        key: of the object.
        state: a text that changes when the object is replaced, as it was when it was listed.
    """

    bucket: str
    key: str
    state: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{S3_SCHEME}{self.path}"

    @property
    def path(self) -> str:
        """Bucket and key, as a job's manifest has them."""
        return f"{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition("/")[2]


# Where a video lies: in a file of this host, in images, or in a bucket.
Source: TypeAlias = Path | ImageSequence | BucketVideo


@dataclass(frozen=True)
class Listing:
    """What lies below an address.

    Attributes:
        objects: sorted by key, with their sizes in bytes.
        unusable: addresses of objects whose key no host could keep as a file.
    """

    objects: tuple[tuple[BucketVideo, int], ...]
    unusable: tuple[str, ...]


def list_bucket(url: str) -> Listing:
    """The object at `s3://bucket/key`, or all objects below it.

    Raises:
        UsageError: the URL names no bucket, or contains credentials.
        StoreError: the server does not answer, or refuses.
    """
    bucket, prefix = split_url(url)
    files = S3Files(f"{S3_SCHEME}{bucket}")
    size = files.size(prefix) if prefix else None
    if size is not None:
        state = f"{size} {files.version(prefix)[1]}"
        return Listing(((BucketVideo(bucket, prefix, state), size),), ())
    found, unusable = [], []
    for entry in files.walk(prefix):
        try:
            state = f"{entry.size} {entry.modified_s}"
            found.append((BucketVideo(bucket, checked_key(entry.key), state), entry.size))
        except StoreError:
            unusable.append(f"{S3_SCHEME}{bucket}/{entry.key}")
    return Listing(tuple(sorted(found, key=lambda one: one[0].key)), tuple(unusable))


def bucket_video(path: str) -> BucketVideo:
    """Inverse of `BucketVideo.path`."""
    bucket, _, key = path.partition("/")
    return BucketVideo(bucket, key)


def opened(video: BucketVideo) -> AbstractContextManager[BinaryIO]:
    """The object, open for reading in any order; only what is read is downloaded.

    Raises:
        StoreError: it does not exist, or the server does not answer.
    """
    return _files(video).ranges(video.key)


def version_of(video: BucketVideo) -> str:
    """64 hex digits of where a video lies, its length and its ETag, which change with its bytes.

    Raises:
        StoreError: it does not exist, or the server does not answer.
    """
    return _version(video)[0]


@contextmanager
def fetched(video: BucketVideo, settings: Settings, progress: ByteProgress) -> Iterator[Path]:
    """A copy in this host's cache, which is kept while the block runs; it is fetched once, in
    ranges.

    Raises:
        StoreError: it does not exist, the server does not answer, or the cache cannot be written.
    """
    version, size = _version(video)

    def fetch(path: Path) -> None:
        _files(video).download(video.key, path, progress)

    cache = Cache(settings.cache / "videos", settings.cache_bytes)
    with cache.copy(version, size, fetch, progress) as path:
        yield path


def _version(video: BucketVideo) -> tuple[str, int]:
    """As `version_of`, and the length in bytes."""
    size, etag = _files(video).version(video.key)
    return digest_of({"place": video.path, "size": size, "etag": etag}), size


def _files(video: BucketVideo) -> S3Files:
    return S3Files(f"{S3_SCHEME}{video.bucket}")
