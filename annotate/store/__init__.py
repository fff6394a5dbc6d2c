"""The store: jobs and results as files; the only place that knows their paths and formats."""

from pathlib import Path

from annotate.domain.settings import S3_SCHEME
from annotate.store.files import Files
from annotate.store.local import LocalFiles
from annotate.store.store import Store

__all__ = ["Files", "LocalFiles", "Store", "open_store"]


def open_store(location: str, patience_s: float | None = None) -> Store:
    """The store at `location`: a folder, or `s3://bucket/prefix`.

    Args:
        patience_s: how long each access to a bucket that is away is tried; None: as workers do.

    Raises:
        UsageError: `location` is not a valid location.
    """
    if location.startswith(S3_SCHEME):
        from annotate.store.s3 import S3Files

        return Store(
            S3Files(location) if patience_s is None else S3Files(location, patience_s=patience_s)
        )
    return Store(LocalFiles(Path(location)))
