"""What files of this host hold: their fingerprints, remembered as long as they are not touched.

A file is recognised by its length, inode and times. One that was touched within the last seconds is
not remembered: a later change in the same tick of the clock would not show.
"""

import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from annotate.domain.errors import HostError, unreadable
from annotate.domain.progress import ByteProgress
from annotate.files import sha256_of

# Seconds since its last change after which a file is remembered: the coarsest clock of a file
# system ticks every two seconds.
SETTLED_S = 3.0
# Seconds to wait for another process that writes.
_WAIT_S = 5.0
_TABLE = """CREATE TABLE IF NOT EXISTS files
(path TEXT PRIMARY KEY, size INT, modified INT, changed INT, inode INT, fingerprint TEXT)"""


@dataclass(frozen=True)
class FileState:
    """What changes when a file is written.

    Attributes:
        size: in bytes.
        modified_ns, changed_ns: Unix times of the last change of the content, and of anything.
        inode: number of the file in its file system.
    """

    size: int
    modified_ns: int
    changed_ns: int
    inode: int

    @property
    def is_settled(self) -> bool:
        """Whether a change from now on is sure to show."""
        return time.time() - max(self.modified_ns, self.changed_ns) / 1e9 > SETTLED_S


def state_of(path: Path) -> FileState:
    """The present state of a file.

    Raises:
        HostError: it is away, or the system refuses.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    return FileState(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class KnownFiles:
    """The fingerprints of this host's files, in one file of its cache. They may be lost."""

    def __init__(self, cache: Path) -> None:
        self._file = cache / "known-files.sqlite"

    def fingerprint(self, path: Path, progress: ByteProgress) -> str:
        """Lower-case hex SHA-256 of a file; unless it is known, the file is read.

        Args:
            progress: called while the file is read.

        Raises:
            HostError: the file cannot be read.
        """
        return self.known(path, state_of(path)) or self.read(path, progress)

    def read(self, path: Path, progress: ByteProgress) -> str:
        """As `fingerprint`, by reading the file."""
        state = state_of(path)
        try:
            found = sha256_of(path, lambda done: progress(done, state.size))
        except OSError as error:
            raise unreadable(path, error) from error
        self.remember(path, state, found)
        return found

    def remember(self, path: Path, state: FileState, fingerprint: str) -> None:
        """Notes what a file holds.

        Args:
            state: of the file before it was read.
        """
        with suppress(HostError, OSError, sqlite3.Error):
            if state.is_settled and state_of(path) == state:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                with closing(self._open()) as known, known:
                    row = (_text(path), *_row(state), fingerprint)
                    known.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", row)

    def known(self, path: Path, state: FileState) -> str | None:
        """The fingerprint of a file that was in that state when it was last read, or None."""
        with suppress(OSError, sqlite3.Error):
            if state.is_settled and self._file.exists():
                with closing(self._open()) as known:
                    query = "SELECT size, modified, changed, inode, fingerprint FROM files"
                    row = known.execute(f"{query} WHERE path = ?", (_text(path),)).fetchone()
                if row is not None and row[:-1] == _row(state):
                    return str(row[-1])
        return None

    def _open(self) -> sqlite3.Connection:
        known = sqlite3.connect(self._file, timeout=_WAIT_S)
        try:
            # A power cut may then damage it, which costs no more than reading files again.
            known.execute("PRAGMA synchronous = OFF")
            known.execute(_TABLE)
        except sqlite3.DatabaseError as error:
            known.close()
            if not isinstance(error, sqlite3.OperationalError):  # damaged, not locked or full
                self._file.unlink(missing_ok=True)
            raise
        return known


def _text(path: Path) -> str:
    """A path as SQLite can hold it: names need not be UTF-8."""
    return str(path).encode("utf-8", "surrogatepass").decode("latin-1")


def _row(state: FileState) -> tuple[int, int, int, int]:
    # SQLite's integers have 64 bits with a sign; inodes may use the sign's.
    return state.size, state.modified_ns, state.changed_ns, state.inode & (2**63 - 1)
