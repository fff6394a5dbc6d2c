"""Jobs and results: the only place that knows where they stand and in which form."""

from pathlib import Path

from annotate.store.files import Files
from annotate.store.local import LocalFiles
from annotate.store.s3 import SCHEME, S3Files
from annotate.store.store import Store

__all__ = ["Files", "LocalFiles", "S3Files", "Store", "open_store"]


def open_store(location: str) -> Store:
    """The store at `location`: a folder, or `s3://bucket/prefix`.

    Raises:
        UsageError: it is no such location.
    """
    if location.startswith(SCHEME):
        return Store(S3Files(location))
    return Store(LocalFiles(Path(location)))
