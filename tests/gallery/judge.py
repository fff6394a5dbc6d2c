"""Runs the program on a case as a user does, and judges what came of it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from tests.gallery.case import PEOPLE_SHARE, Answer, Case

# Seconds after which a command counts as hanging.
HANG_S = 240.0
PEAK_LIMIT_MB = 1000.0
# The pack that finds the person of the made cases in the stated share of their frames.
PACK = "blazepose-full"
# Seconds between two looks for a job in the store.
LOOK_S = 0.02
# Exit codes of `annotate submit`: done, nothing to do, part is missing, no video can be read, the
# host cannot read the file. A defect of the program has code 1.
KNOWN_CODES = {0, 2, 3, 4, 6}
CRASH_WORDS = ("Traceback", "unexpected", "defect in")


@dataclass(frozen=True)
class Verdict:
    """What came of a case.

    Attributes:
        outcome: `done`, `damaged`, `rejected`, `crash` or `hang`.
        images, missing: images of the export, and frames that it lists as missing or damaged.
        message: the lines of `submit` that say what is wrong.
        faults: what is not as it must be.
        seconds: that `submit` took.
        peak_mb: peak memory of any process of it.
    """

    outcome: str
    images: int
    missing: int
    message: str
    faults: Sequence[str]
    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Ran:
    """A command that ended: its exit code (None: it hung), what it printed, its effort."""

    code: int | None
    text: str
    seconds: float
    peak_mb: float


def judged(case: Case, packs: Path) -> Verdict:
    """Makes the file of the case in a new folder, annotates it there, and judges the result."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "videos").mkdir()
        path = case.make(folder / "videos")
        environ = {
            **os.environ,
            "ANNOTATE_STORE": str(folder / "store"),
            "ANNOTATE_PACKS": str(packs),
            "ANNOTATE_CACHE": str(folder / "cache"),
            "COLUMNS": "300",
        }
        with _happening(case, path, folder / "store"):
            submit = ["submit", str(path), "--pack", PACK, "--processes", "1"]
            submitted = _run(submit, folder, environ)
        out = folder / "out.json"
        exported = _run(["export", "--out", str(out), "--partial"], folder, environ)
        dataset = json.loads(out.read_text()) if out.exists() else None
        return verdict_of(case.answer, path, submitted, exported, dataset)


@contextmanager
def _happening(case: Case, path: Path, store: Path) -> Iterator[None]:
    """What happens to the file meanwhile, once the store has its job."""
    over = threading.Event()

    def happen() -> None:
        while case.during is not None and not over.wait(LOOK_S):
            if any(store.glob("jobs/*.json")):
                case.during(path)
                return

    thread = threading.Thread(target=happen)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _run(arguments: list[str], folder: Path, environ: dict[str, str]) -> Ran:
    """Runs `annotate ARGUMENTS`. Its peak memory is that of its largest process."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *arguments],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        out, _ = process.communicate(timeout=HANG_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, _ = process.communicate()
        return Ran(None, out.decode(errors="replace"), HANG_S, 0.0)
    text, _, peak = out.decode(errors="replace").rpartition("PEAK ")
    seconds = time.monotonic() - began
    return Ran(process.returncode, text, seconds, float(peak or 0) / 1024)


# The peak of this process and of its children that ended, in kB.
_PROGRAM = """
import atexit, os, resource, runpy, sys
def peak():
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    os.write(2, f"PEAK {max(resource.getrusage(one).ru_maxrss for one in who)}".encode())
parent = os.getpid()
atexit.register(lambda: peak() if os.getpid() == parent else None)
runpy.run_module("annotate", run_name="__main__", alter_sys=True)
"""


def verdict_of(
    answer: Answer, path: Path, submitted: Ran, exported: Ran, dataset: dict[str, Any] | None
) -> Verdict:
    """The verdict about a case, from what `submit` and `export` said and wrote."""
    images = dataset["images"] if dataset else []
    bad = [one for one in images if one.get("missing") or one.get("damaged")]
    listed = len(bad) + sum(
        one.get("frames", 0) for one in (dataset or {}).get("info", {}).get("missing", [])
    )
    shown = len(images) - len(bad)
    message = " | ".join(
        line.strip()
        for line in submitted.text.splitlines()
        if not line.startswith(_TOTAL)
        and (any(word in line for word in _TELLING) or submitted.code not in (0, 3))
    )
    outcome = _outcome(submitted, exported, shown, listed, message)
    wanted = answer.frames or 0
    if answer.frames is None and path.is_file():  # a pipe would be waited for
        wanted = plain_frames(path)
    faults = _faults(answer, outcome, wanted, shown, listed, message)
    if dataset and images and answer.size and outcome != "rejected":
        sizes = {(one["width"], one["height"]) for one in images}
        if sizes != {answer.size}:
            faults.append(f"size {sizes}, not {answer.size}")
    if answer.people and shown:
        with_people = {one["image_id"] for one in (dataset or {})["annotations"]}
        if len(with_people) < PEOPLE_SHARE * shown:
            faults.append(f"people in {len(with_people)} of {shown} frames")
    peak = max(submitted.peak_mb, exported.peak_mb)
    if peak > PEAK_LIMIT_MB:
        faults.append(f"{peak:.0f} MB")
    return Verdict(outcome, shown, listed, message[:300], faults, submitted.seconds, peak)


# The line about all frames says `damaged` even where none is.
_TOTAL = "Frames: "
_TELLING = ("skipped", "damaged", "note", "missing", "cut off", "rejected", "failed", "cannot")


def _outcome(submitted: Ran, exported: Ran, shown: int, listed: int, message: str) -> str:
    if submitted.code is None or exported.code is None:
        return "hang"
    text = submitted.text + exported.text
    if submitted.code not in KNOWN_CODES or any(word in text for word in CRASH_WORDS):
        return "crash"
    if not shown and not listed:
        return "rejected"
    return "damaged" if listed or message else "done"


def _faults(
    answer: Answer, outcome: str, wanted: int, shown: int, listed: int, message: str
) -> list[str]:
    faults = []
    if outcome in ("crash", "hang"):
        faults.append(outcome)
    elif answer.outcome != "any" and outcome != answer.outcome:
        notes_only = {outcome, answer.outcome} == {"done", "damaged"} and shown == wanted
        if not notes_only:
            faults.append(f"{outcome}, not {answer.outcome}")
    if outcome == "rejected" and not message:
        faults.append("rejected without a reason")
    if outcome != "rejected" and shown < wanted and not listed and not message:
        faults.append(f"{wanted - shown} frames lost in silence")
    if shown > wanted:
        faults.append(f"{shown - wanted} frames too many")
    return faults


def plain_frames(path: Path) -> int:
    """How many frames a plain decode by PyAV finds, the independent truth."""
    frames = 0
    try:
        with av.open(str(path)) as container:
            for packet in container.demux(video=0):
                with suppress(av.FFmpegError):
                    frames += len(packet.decode())
    except (av.FFmpegError, IndexError, OSError):
        return frames
    return frames
