"""`annotate watch`: what arrives is annotated when it is complete."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from annotate.domain.errors import ExitCode
from annotate.store.bucket_videos import BucketVideo
from annotate.use_cases.watch import Arrivals
from tests.command import PATIENCE_S, Host

SETTLE_S = 10.0


def test_a_file_is_complete_when_it_stays_the_same(tmp_path: Path) -> None:
    arrivals, video = Arrivals(SETTLE_S), tmp_path / "a.mp4"
    video.write_bytes(b"some")
    assert not arrivals.complete([video], 0.0)
    video.write_bytes(b"some more")
    assert not arrivals.complete([video], SETTLE_S)
    assert not arrivals.complete([video], 2 * SETTLE_S - 1)
    assert list(arrivals.complete([video], 2 * SETTLE_S).values()) == [video]
    before = set(arrivals.complete([video], 3 * SETTLE_S))
    # Written anew, it is a new arrival.
    video.write_bytes(b"something else")
    assert not arrivals.complete([video], 4 * SETTLE_S)
    assert not set(arrivals.complete([video], 5 * SETTLE_S)) & before


def test_a_file_that_went_and_came_back_has_to_settle_again(tmp_path: Path) -> None:
    arrivals, video = Arrivals(SETTLE_S), tmp_path / "a.mp4"
    video.write_bytes(b"some")
    arrivals.complete([video], 0.0)
    video.unlink()
    assert not arrivals.complete([video], SETTLE_S)
    video.write_bytes(b"some")
    assert not arrivals.complete([video], SETTLE_S + 1)


def test_an_object_in_a_bucket_is_complete_at_once() -> None:
    video = BucketVideo("bucket", "a.mp4")
    assert list(Arrivals(SETTLE_S).complete([video], 0.0).values()) == [video]


def wait_for(process: "subprocess.Popen[str]", text: str) -> None:
    """Reads what the command prints up to a line with that text; pytest bounds the time."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return
    raise AssertionError("".join(lines))


def _accept_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_what_arrives_is_annotated_until_it_is_stopped(host: Host, stroll: Path) -> None:
    folder = host.home / "arrivals"
    folder.mkdir()
    process = host.start(
        *("watch", folder, "--settle", "0.5", "--processes", "1", "--end", "0.2"),
        preexec_fn=_accept_ctrl_c,
    )
    (folder / "notes.mp4").write_text("text")
    shutil.copy(stroll, folder / "a.mp4")
    wait_for(process, "1 of 1 videos done")
    # A second one with other bytes, so that it is no duplicate.
    (folder / "b.mp4.part").write_bytes(stroll.read_bytes() + bytes(8))
    (folder / "b.mp4.part").rename(folder / "b.mp4")
    wait_for(process, "2 of 2 videos done, 1 rejected")
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.INTERRUPTED, err
    assert "Stopped." in err
    assert "notes.mp4 is not a video file" in err
    assert "Traceback" not in err


def test_a_place_that_is_away_for_a_while_does_not_end_the_watch(host: Host, stroll: Path) -> None:
    folder, aside = host.home / "arrivals", host.home / "aside"
    folder.mkdir()
    process = host.start(
        *("watch", folder, "--settle", "0", "--processes", "1", "--end", "0.2"),
        preexec_fn=_accept_ctrl_c,
        stderr=subprocess.STDOUT,
    )
    wait_for(process, "Watching")
    folder.rename(aside)
    wait_for(process, f"waiting    no such file: {folder}")
    aside.rename(folder)
    wait_for(process, "waiting    over")
    shutil.copy(stroll, folder / "a.mp4")
    wait_for(process, "1 of 1 videos done")
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.INTERRUPTED, out


SOON = "import annotate.cli.watch as watch; watch.AGAIN_S = 0.5"


def test_a_submission_that_trouble_has_ended_is_tried_again(host: Host, stroll: Path) -> None:
    folder, store = host.home / "arrivals", Path(host.store)
    folder.mkdir()
    store.write_text("not a folder")
    shutil.copy(stroll, folder / "a.mp4")
    process = host.with_program(SOON).start(
        *("watch", folder, "--settle", "0", "--processes", "1", "--end", "0.2"),
        preexec_fn=_accept_ctrl_c,
        stderr=subprocess.STDOUT,
    )
    wait_for(process, "error: ")
    wait_for(process, "error: ")
    store.unlink()
    wait_for(process, "1 of 1 videos done")
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.INTERRUPTED, out
