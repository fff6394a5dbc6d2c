"""What is at a path: nothing, trouble of the host, or a file or folder."""

import errno
import stat
from pathlib import Path

# What the system answers where there is nothing, or nothing that we may see. Any other answer is
# trouble of the host, behind which there may be videos.
_NOTHING = frozenset(
    [errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EACCES, errno.EPERM]
)


def exists(path: Path) -> bool:
    """Whether anything is there that we may see; `OSError` where the system cannot tell."""
    return _mode(path) is not None


def is_folder(path: Path) -> bool:
    """Whether a folder is there that we may see; `OSError` where the system cannot tell."""
    mode = _mode(path)
    return mode is not None and stat.S_ISDIR(mode)


def identity(folder: Path) -> tuple[int, int]:
    """The same for two paths to one folder."""
    status = folder.stat()
    return status.st_dev, status.st_ino


def _mode(path: Path) -> int | None:
    """What is at a path; None where nothing is, or nothing that we may see.

    Raises:
        OSError: the system cannot tell.
    """
    try:
        return path.stat().st_mode
    except OSError as error:
        if error.errno in _NOTHING:
            return None
        raise
