"""Where exports go: nothing of the user's is replaced, nothing half-written is left."""

import gzip
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from annotate.domain.errors import OutputError, UsageError
from annotate.use_cases.output import output_file, output_folder, output_path
from tests.command import PATIENCE_S

OURS = (b"ours:",)
DATA = b"ours: " + b"x" * 100_000


def write(out: Path, data: bytes | None = DATA, *, force: bool = False) -> None:
    """Writes `data`, or fails in the middle."""
    with output_file(out, OURS, force=force) as file:
        file.write(DATA if data is None else data)
        if data is None:
            raise TypeError


def test_a_new_file_is_whole_and_alone(tmp_path: Path) -> None:
    write(tmp_path / "a.json")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.json": DATA}


@pytest.mark.parametrize("name", ["x" * 250 + ".json", "日" * 83 + ".json"])
def test_a_name_may_be_as_long_as_the_system_allows(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    with output_folder(tmp_path / name[:-1]) as folder:
        (folder / "a").touch()
    assert (tmp_path / name[:-1] / "a").exists()


@pytest.mark.parametrize(
    "old",
    [b"ours: older", b"", gzip.compress(b"ours: older", mtime=0)],
    ids=["plain", "empty", "gzip"],
)
def test_an_older_export_is_replaced(tmp_path: Path, old: bytes) -> None:
    out = tmp_path / "a.json"
    out.write_bytes(old)
    write(out)
    assert out.read_bytes() == DATA


@pytest.mark.parametrize(
    "old",
    [b"my notes", b"our", gzip.compress(b"my notes", mtime=0), b"\x1f\x8bxx"],
    ids=["plain", "too short", "gzip", "broken gzip"],
)
def test_any_other_file_is_kept_without_force(tmp_path: Path, old: bytes) -> None:
    out = tmp_path / "a.json"
    out.write_bytes(old)
    with pytest.raises(UsageError, match="not an export"):
        write(out)
    assert out.read_bytes() == old
    write(out, force=True)
    assert out.read_bytes() == DATA


def test_an_error_leaves_the_older_export_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    out.write_bytes(b"ours: older")
    with pytest.raises(TypeError):
        write(out, data=None)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "a.json": b"ours: older"
    }


def test_the_file_behind_a_link_is_replaced_and_the_link_kept(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    first, second = tmp_path / "first", tmp_path / "second"
    first.symlink_to("second")
    second.symlink_to(Path("there") / "a.json")
    write(first)
    assert first.is_symlink()
    assert second.is_symlink()
    assert (tmp_path / "there" / "a.json").read_bytes() == DATA
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    with pytest.raises((UsageError, OutputError)):
        write(loop)


def test_a_folder_and_a_missing_one_are_named_without_the_store(tmp_path: Path) -> None:
    for out, message in ((tmp_path, "is a folder"), (tmp_path / "no" / "a.json", "no folder")):
        with pytest.raises(UsageError, match=message) as raised:
            write(out)
        assert "store" not in raised.value.message + raised.value.hint


def test_compressed_files_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("a.json.gz", "b.json.gz"):
        write(tmp_path / name)
    one, other = ((tmp_path / name).read_bytes() for name in ("a.json.gz", "b.json.gz"))
    assert one == other
    assert gzip.decompress(one) == DATA
    assert one[4:8] == bytes(4)  # the time
    write(tmp_path / "a.json.gz")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_pipe_is_written_through_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write(pipe)
    reader.join()
    assert got == [DATA]
    assert pipe.is_fifo()
    with pytest.raises(UsageError, match="needs one"), output_path(pipe, OURS):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no terminals as files")
def test_a_device_is_written_through_and_stays_one() -> None:
    master, slave = os.openpty()
    terminal = Path(os.ttyname(slave))
    write(terminal, b"ours: short")
    assert os.read(master, 100) == b"ours: short"
    assert terminal.is_char_device()
    os.close(slave)
    os.close(master)


CHILD = """
import sys, time
from pathlib import Path
from annotate.use_cases.output import output_file
try:
    with output_file(Path(sys.argv[1]), (b"ours:",)) as file:
        file.write(b"ours: " + bytes(int(sys.argv[2])))
        file.flush()
        if sys.argv[3] == "wait":
            print("written", file=sys.stderr, flush=True)
            time.sleep(600)
except KeyboardInterrupt:
    sys.exit(7)
"""


def child(*arguments: object) -> list[str]:
    return [sys.executable, "-c", CHILD, *map(str, arguments)]


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1"])
@pytest.mark.parametrize("to", ["pipe", "file"])
def test_standard_output_is_a_stream(tmp_path: Path, name: str, to: str) -> None:
    if name != "-" and not Path(name).exists():
        pytest.skip("this system has no such name")
    file = tmp_path / "out"
    with file.open("wb") as opened:
        stdout = subprocess.PIPE if to == "pipe" else opened
        done = subprocess.run(
            child(name, 1000, "go"), stdout=stdout, cwd=tmp_path, check=True, timeout=60
        )
    assert len(done.stdout if to == "pipe" else file.read_bytes()) == 1006
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_termination_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(child(tmp_path / "a.json", 1000, "wait"), stderr=subprocess.PIPE)
    assert process.stderr is not None
    assert process.stderr.readline() == b"written\n"
    assert len(list(tmp_path.iterdir())) == 1
    process.send_signal(number)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 7
    assert list(tmp_path.iterdir()) == []


def fill(out: Path, *names: str, force: bool = False) -> None:
    with output_folder(out, force=force) as folder:
        for name in names:
            (folder / name).write_bytes(DATA)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_folder_is_replaced_only_where_it_is_an_export(tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    fill(out, "a", "b")
    fill(out, "c")
    assert names_in(out) == {"c"}
    (out / "mine").write_text("notes")
    with pytest.raises(UsageError, match="mine"):
        fill(out, "d")
    assert names_in(out) == {"c", "mine"}
    fill(out, "d", force=True)
    assert names_in(out) == {"d"}
    assert names_in(tmp_path) == {"dataset"}


def test_a_folder_of_the_user_is_never_replaced(tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "notes").write_text("notes")
    for force in (False, True):
        with pytest.raises(UsageError, match="is not empty"):
            fill(out, "a", force=force)
    (tmp_path / "file").write_text("notes")
    with pytest.raises(UsageError, match="not a folder"):
        fill(tmp_path / "file", "a", force=True)
    assert names_in(out) == {"notes"}


def test_a_failed_folder_leaves_the_older_one(tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    fill(out, "a")
    with pytest.raises(OutputError):
        fill(out, "b", "no/c")
    assert names_in(out) == {"a"}
    assert names_in(tmp_path) == {"dataset"}
