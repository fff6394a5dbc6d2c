"""Start and end of a process without the garbage collector's part of both."""

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from annotate.loading import loading


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_is_loaded_is_not_searched_for_garbage() -> None:
    frozen = gc.get_freeze_count()
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > frozen


def test_the_collector_works_again_where_an_import_fails() -> None:
    with pytest.raises(ImportError), loading():
        raise ImportError
    assert gc.isenabled()


def test_nothing_is_searched_when_a_process_ends() -> None:
    program = (
        "import atexit, gc, annotate.loading\n"
        "atexit.register(lambda: print(gc.get_freeze_count()))\n"  # the first to be told is last
        "annotate.loading.end_without_search()\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert int(said.stdout) > 0
