"""The cache keeps to its limit, gives each process whole copies, and survives kills."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from annotate.domain.errors import StoreError
from annotate.store.cache import Cache
from tests.servers import wait_until

SIZE = 1000


def silent(_done: int, _total: int) -> None:
    """Progress that is not shown."""


def fetching(log: list[str], size: int = SIZE) -> Callable[[Path], None]:
    def fetch(path: Path) -> None:
        log.append(path.name)
        path.write_bytes(bytes(size))

    return fetch


def use(cache: Cache, name: str, log: list[str]) -> None:
    with cache.copy(name, SIZE, fetching(log), silent) as path:
        assert path.stat().st_size == SIZE


def copies(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"}


def test_a_copy_is_fetched_once(tmp_path: Path) -> None:
    log: list[str] = []
    cache = Cache(tmp_path, 10 * SIZE)
    for _ in range(3):
        use(cache, "a", log)
    assert len(log) == 1


def test_the_least_recently_used_copy_makes_room(tmp_path: Path) -> None:
    log: list[str] = []
    cache = Cache(tmp_path, 2 * SIZE)
    for number, name in enumerate(["a", "b", "a", "c"]):
        use(cache, name, log)
        os.utime(tmp_path / name, (number, number))
    assert copies(tmp_path) == {"a", "c"}


def test_copies_of_unknown_size_keep_to_the_limit(tmp_path: Path) -> None:
    log: list[str] = []
    cache = Cache(tmp_path, 2 * SIZE)
    for number, name in enumerate(["a", "b", "a", "c", "d"]):
        with cache.copy(name, None, fetching(log, SIZE * (1 + (name == "d"))), silent) as path:
            assert path.exists()
        os.utime(tmp_path / name, (number, number))
    assert len(log) == 4
    assert copies(tmp_path) == {"d"}


def test_a_copy_in_use_is_never_deleted(tmp_path: Path) -> None:
    log: list[str] = []
    cache = Cache(tmp_path, 0)
    with cache.copy("a", SIZE, fetching(log), silent) as path:
        use(cache, "b", log)
        use(cache, "c", log)
        assert path.exists()
        assert copies(tmp_path) == {"a", "c"}
    use(cache, "d", log)
    assert copies(tmp_path) == {"d"}


def test_a_fetch_that_fails_leaves_no_copy(tmp_path: Path) -> None:
    def broken(path: Path) -> None:
        path.write_bytes(b"half")
        raise StoreError("the server is away", "")

    cache = Cache(tmp_path, 10 * SIZE)
    with pytest.raises(StoreError, match="away"), cache.copy("a", SIZE, broken, silent):
        pass
    log: list[str] = []
    use(cache, "a", log)
    assert len(log) == 1


def test_a_copy_of_another_length_is_refused(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10 * SIZE)
    short = fetching([], size=SIZE - 1)
    with (
        pytest.raises(StoreError, match="999 bytes, not 1000"),
        cache.copy("a", SIZE, short, silent),
    ):
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "cache", SIZE)
    with pytest.raises(StoreError) as error, cache.copy("a", SIZE, fetching([]), silent):
        pass
    assert "ANNOTATE_CACHE" in error.value.hint


PROGRAM = """
import os, sys, time
from pathlib import Path
from annotate.store.cache import Cache
folder, others, signs = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
seen = []
def fetch(path):
    with path.open("wb") as file:
        file.write(bytes(500))
        file.flush()
        while len(list(signs.iterdir())) < others:
            time.sleep(0.01)
        file.write(bytes(500))
    print("fetched", flush=True)
def wait(done, size):
    seen.append(done)
    (signs / str(os.getpid())).touch()
with Cache(folder, 0).copy("a", 1000, fetch, wait) as path:
    print("using", flush=True)
    sys.stdin.read()
    assert path.stat().st_size == 1000
print("waited" if seen else "went on", max(seen, default=0) <= 1000, flush=True)
"""


def another(folder: Path, signs: Path, others: int = 0) -> "subprocess.Popen[str]":
    """A process that uses a copy until its input ends; its fetch ends when so many others wait."""
    signs.mkdir(exist_ok=True)
    arguments = [sys.executable, "-c", PROGRAM, str(folder), str(others), str(signs)]
    pipe = subprocess.PIPE
    return subprocess.Popen(arguments, stdin=pipe, stdout=pipe, text=True)


def test_of_several_processes_one_fetches_and_the_others_wait(tmp_path: Path) -> None:
    folder, signs = tmp_path / "cache", tmp_path / "signs"
    processes = [another(folder, signs, others=2) for _ in range(3)]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum("fetched" in one for one in said) == 1
    assert sum("waited" in one for one in said) == 2


def test_a_copy_that_another_process_uses_is_not_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    with another(folder, tmp_path / "signs") as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "using":
            pass
        use(Cache(folder, 0), "b", [])
        assert copies(folder) == {"a", "b"}
        assert "went on True" in process.communicate()[0]


def test_a_fetch_that_was_killed_starts_again(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    with another(folder, tmp_path / "signs", others=1) as process:
        wait_until((folder / "a.part").exists, "the fetch")
        process.send_signal(signal.SIGKILL)
    log: list[str] = []
    use(Cache(folder, 10 * SIZE), "a", log)
    assert log == ["a.part"]
    assert copies(folder) == {"a"}
