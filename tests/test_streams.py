"""Standard streams that are closed or full: a command says so, or goes on."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from annotate.domain.errors import ExitCode
from tests.command import PATIENCE_S, Host

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no full device")
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="as a shell of POSIX closes them")


def _closing(*numbers: int) -> Callable[[], None]:
    """What closes streams of a child process before its program starts."""

    def close() -> None:
        for number in numbers:
            os.close(number)

    return close


@needs_full
@pytest.mark.parametrize("command", [["status", "--help"], ["--version"], ["jobs"]])
def test_a_full_standard_output_is_no_defect(host: Host, stroll: Path, command: list[str]) -> None:
    host.run("submit", stroll)
    with FULL.open("w") as full:
        said = host.run(*command, code=ExitCode.STORE, stdout=full)
    assert said.err.startswith("error: the system refuses: No space left on device\n")


@needs_full
def test_what_cannot_be_told_does_not_stop_the_work(host: Host, stroll: Path) -> None:
    with FULL.open("w") as full:
        process = host.start("submit", stroll, stderr=full)
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.DONE
    assert "1 of 1 videos done" in out


@needs_posix
def test_an_export_to_a_closed_standard_output_is_an_error(host: Host, stroll: Path) -> None:
    host.run("submit", stroll)
    said = host.run("export", "--out", "-", code=ExitCode.STORE, preexec_fn=_closing(1))
    assert "error: standard output is closed\n" in said.err


@needs_posix
def test_no_other_file_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    program = (
        "from annotate.cli.streams import tolerate_streams; tolerate_streams();"
        "import os, subprocess, sys; file = open('file', 'w');"
        # What a library prints, here and in a process that is started.
        "os.write(1, b'printed'); os.write(2, b'printed');"
        "subprocess.run(['sh', '-c', 'echo printed; echo printed >&2'], check=True);"
        "file.write('own')"
    )
    subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=True, preexec_fn=_closing(0, 1, 2)
    )
    assert (tmp_path / "file").read_text() == "own"
