"""Objects of a store in a bucket: one PUT an object, retried while the server is away.

Arrow completes an upload even where an exception leaves its stream. So an object that must be whole
or absent is first written to a file of this host, then sent by a thread, which neither Ctrl-C nor a
time limit can interrupt. (`pyarrow.fs.copy_files` does not serve: it is silent when a PUT fails.)
"""

import logging
import math
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from pyarrow import fs

from annotate.domain.errors import StoreError
from annotate.domain.progress import ByteProgress
from annotate.domain.settings import S3_SCHEME
from annotate.store.files import BLOCK, Entry, Files, checked_key
from annotate.store.s3_address import endpoint_of, split_url
from annotate.store.s3_errors import is_absent, is_transient, s3_error

# Seconds that a server may be away before a command or a task gives up.
PATIENCE_S = 120.0
# Seconds that a connection and a request may take.
CONNECT_S, REQUEST_S = 5.0, 30.0
# Bytes that are sent before waiting until the server has them.
WINDOW = 8 * BLOCK
# Seconds after which no other object can have the same time: servers give whole seconds.
PROPOSE_S = 2.0
# The longest pause in seconds between two tries.
_LONGEST_PAUSE_S = 5.0

T = TypeVar("T")

logger = logging.getLogger(__name__)


class S3Files(Files):
    """The objects below `s3://bucket/prefix`.

    Endpoint and credentials come from the environment variables common to programs that use S3:
    AWS_ENDPOINT_URL, AWS_REGION, AWS_CA_BUNDLE, and those that the AWS SDK itself reads, such as
    AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, with profiles and roles.
    """

    def __init__(
        self, url: str, environ: Mapping[str, str] = os.environ, patience_s: float = PATIENCE_S
    ) -> None:
        self._bucket, self._prefix = split_url(url)
        self._endpoint = endpoint_of(environ)
        self._patience_s = patience_s
        self._bucket_found = False
        self._fs = fs.S3FileSystem(
            endpoint_override=self._endpoint,
            region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"),
            tls_ca_file_path=environ.get("AWS_CA_BUNDLE"),
            connect_timeout=CONNECT_S,
            request_timeout=REQUEST_S,
            # Without it, Arrow completes an upload of which a part has failed.
            background_writes=True,
            # An object of one block is then one PUT.
            allow_delayed_open=True,
            # We retry ourselves, for a time that we know.
            retry_strategy=fs.AwsDefaultS3RetryStrategy(max_attempts=0),
        )

    def __str__(self) -> str:
        return "/".join(filter(None, (f"{S3_SCHEME}{self._bucket}", self._prefix)))

    def read(self, key: str) -> bytes | None:
        """As in `Files`."""
        place = self._place(key)

        def read() -> bytes | None:
            try:
                with self._fs.open_input_stream(place) as file:
                    data: bytes = file.read()
            except OSError as error:
                if is_absent(error):
                    return None
                raise
            return data

        return self._with_retries("read", key, read)

    @contextmanager
    def reader(self, key: str) -> Iterator[BinaryIO]:
        """As in `Files`; the object is downloaded whole first, so that reading it cannot fail."""
        with _scratch() as copy:
            self._with_retries("read", key, lambda: self._fetch(key, copy))
            with copy.open("rb") as file:
                yield file

    @contextmanager
    def writer(self, key: str, *, durable: bool = True) -> Iterator[BinaryIO]:
        """As in `Files`."""
        del durable  # the server answers once the object is durable
        place = self._place(key)
        with _scratch() as copy:
            with copy.open("wb") as file:
                yield file

            self._with_retries("write", key, lambda: _uninterrupted(lambda: self._put(copy, place)))

    def write_first(self, key: str, data: bytes) -> bytes:
        """As in `Files`. Arrow has no conditional PUT, so whoever finds nothing settled proposes an
        object below `key`, waits for those of the same second, and settles on the one that the
        server wrote first, as all others do.
        """
        settled = f"{key}/settled"
        found = self.read(settled)
        if found is not None:
            return found
        if not self.walk(key):
            self.write(f"{key}/{uuid.uuid4().hex}", data)
        time.sleep(PROPOSE_S)
        proposed = [entry for entry in self.walk(key) if entry.key != settled]
        first = min(proposed, key=lambda entry: (entry.modified_s, entry.key))
        chosen = self.read(first.key) or data
        self.write(settled, chosen)
        return chosen

    def size(self, key: str) -> int | None:
        """As in `Files`."""
        place = self._place(key)
        info = self._with_retries("read", key, lambda: self._fs.get_file_info(place))
        length: int | None = info.size if info.type == fs.FileType.File else None
        return length

    def version(self, key: str) -> tuple[int, str]:
        """Length in bytes and ETag of an object, or the time of its last change where it has none:
        one of them changes when its bytes do.

        Raises:
            StoreError: it does not exist, or the server does not answer.
        """
        place = self._place(key)

        def look() -> tuple[int, str]:
            with self._fs.open_input_file(place) as file:
                facts = file.metadata() or {}
                tag = facts.get("ETag") or facts.get("Last-Modified") or b""
                return file.size(), tag.decode("ascii", "replace")

        return self._with_retries("read", key, look)

    @contextmanager
    def ranges(self, key: str) -> Iterator[BinaryIO]:
        """The object at `key`, of which only those ranges are downloaded that are read."""
        with self._with_retries(
            "read", key, lambda: self._fs.open_input_file(self._place(key))
        ) as file:
            yield file

    def names(self, key: str) -> list[str]:
        """As in `Files`."""
        below = fs.FileSelector(self._place(key), allow_not_found=True)
        infos = self._with_retries("list", key, lambda: self._fs.get_file_info(below))
        return sorted(info.base_name for info in infos)

    def walk(self, key: str) -> list[Entry]:
        """As in `Files`; a bucket has no temporary files of killed writers."""
        below = fs.FileSelector(self._place(key), allow_not_found=True, recursive=True)
        infos = self._with_retries("list", key, lambda: self._fs.get_file_info(below))
        start = len(self._place("")) + 1
        return [
            Entry(info.path[start:], info.size, info.mtime.timestamp() if info.mtime else 0.0)
            for info in infos
            if info.type == fs.FileType.File
        ]

    def delete(self, key: str) -> None:
        """As in `Files`."""
        place = self._place(key)

        def delete() -> None:
            try:
                self._fs.delete_file(place)
            except OSError as error:
                if not is_absent(error):
                    raise

        self._with_retries("delete", key, delete)

    def move(self, key: str, to: str) -> None:
        """As in `Files`."""
        source, target = self._place(key), self._place(to)
        self._with_retries("move", key, lambda: self._fs.move(source, target))

    def upload(self, path: Path, key: str, progress: ByteProgress) -> None:
        """As in `Files`."""
        place = self._place(key)
        self._with_retries("write", key, lambda: self._put(path, place, progress))

    def download(self, key: str, path: Path, progress: ByteProgress) -> None:
        """As in `Files`."""
        self._with_retries("read", key, lambda: self._fetch(key, path, progress))

    def path(self, key: str) -> None:
        """As in `Files`: None, as an object in a bucket is not a file of any host."""
        checked_key(key)

    def _put(self, path: Path, place: str, progress: ByteProgress | None = None) -> None:
        done, size = 0, path.stat().st_size
        with path.open("rb") as source, self._fs.open_output_stream(place) as target:
            while block := source.read(BLOCK):
                target.write(block)
                done += len(block)
                if done % WINDOW == 0:
                    target.flush()
                if progress is not None:
                    progress(done, size)

    def _fetch(self, key: str, path: Path, progress: ByteProgress | None = None) -> None:
        done = 0
        with self._fs.open_input_file(self._place(key)) as source, path.open("wb") as file:
            size = source.size()
            while block := source.read(BLOCK):
                file.write(block)
                done += len(block)
                if progress is not None:
                    progress(done, size)

    def _place(self, key: str) -> str:
        below = checked_key(key) if key else ""  # all of the store
        return "/".join(filter(None, (self._bucket, self._prefix, below)))

    def _with_retries(self, verb: str, key: str, action: Callable[[], T]) -> T:
        """The result of `action`, which is tried again for a while where the server is away."""
        give_up, pause = None, 0.2
        while True:
            try:
                self._find_bucket()
                result = action()
            except OSError as error:
                now = time.monotonic()
                if not is_transient(error) or now > (give_up or math.inf):
                    raise self._error(verb, key, error) from error
                if give_up is None:
                    give_up = now + self._patience_s
                    reason = self._error(verb, key, error).message
                    logger.warning("waiting, up to %.0f s: %s", self._patience_s, reason)
            else:
                if give_up is not None:
                    logger.warning("%s answers again, and the work goes on", self._server)
                return result
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _find_bucket(self) -> None:
        """Checks once that the bucket exists: Arrow treats a missing one like an empty one."""
        if self._bucket_found:
            return
        if self._fs.get_file_info(self._bucket).type == fs.FileType.NotFound:
            raise StoreError(
                f"there is no bucket {self._bucket} at {self._server}",
                "Make the bucket, or correct its name, in ANNOTATE_STORE say, or AWS_ENDPOINT_URL.",
            )
        self._bucket_found = True

    @property
    def _server(self) -> str:
        return self._endpoint or "AWS"

    def _error(self, verb: str, key: str, error: OSError) -> StoreError:
        return s3_error(error, verb, f"{key} in the store {self}", self._server)


def _uninterrupted(action: Callable[[], None]) -> None:
    """Runs `action` to its end, whatever signal comes meanwhile."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(action).result()


@contextmanager
def _scratch() -> Iterator[Path]:
    """A temporary file of this host, deleted after the block."""
    try:
        with tempfile.TemporaryDirectory(prefix="annotate-") as folder:
            yield Path(folder) / "object"
    except OSError as error:
        raise StoreError(
            f"cannot write temporary files: {error.strerror or error}",
            "Make room, or name another folder with TMPDIR.",
        ) from error
