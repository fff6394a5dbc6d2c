"""Mutations are read in a child process, so that a crash or a hang of a decoder ends only that."""

import multiprocessing
import os
import resource
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import av

from tests.fuzz.judge import Plain, Verdict, judged, plain_decode
from tests.fuzz.mutations import KINDS, mutated
from tests.made_videos import LAYOUTS

# The small videos, two of each container.
VIDEOS: Mapping[str, Sequence[str]] = {
    "mp4": ("H.264 with B-frames in MP4", "HEVC with open GOPs in MP4"),
    "mkv": ("H.264 in MKV", "AV1 in MKV"),
    "webm": ("VP9 in WebM", "VP8 in WebM"),
    "ts": ("H.264 in MPEG-TS with a late start", "MPEG-2 with open GOPs in MPEG-TS"),
    "avi": ("MPEG-4 with B-frames in AVI", "Motion JPEG in AVI"),
    "flv": ("H.264 in FLV", "H.264 in FLV"),
}
# Seconds after which reading a video of 50 frames counts as a hang.
HANG_S = 60.0
# Bytes of memory that the child may take: what asks for more is a crash.
MEMORY = 4 * 2**30


def fuzzed(numbers: Iterable[int], folder: Path) -> Iterator[Verdict]:
    """The verdicts about the mutations of these numbers, made in `folder`."""
    context = multiprocessing.get_context("spawn")
    left = deque(numbers)
    while left:
        ours, theirs = context.Pipe()
        child = context.Process(target=_read, args=(theirs, tuple(left), folder))
        child.start()
        theirs.close()
        try:
            for verdict in _received(ours):
                left.popleft()
                yield verdict
            if left:
                outcome = "hang" if child.is_alive() and not ours.poll() else "crash"
                at = left.popleft()
                yield Verdict(at, *_case(at), outcome, message=f"of the process {child.exitcode}")
        finally:
            child.kill()
            child.join()


def _received(pipe: Connection) -> Iterator[Verdict]:
    """The verdicts of a child, until it has ended or hangs."""
    try:
        while pipe.poll(HANG_S):
            yield pipe.recv()
    except EOFError:
        return


def _case(number: int) -> tuple[str, str]:
    """The name of the video, and the kind of damage, of that number."""
    names = list(VIDEOS.values())[number % len(VIDEOS)]
    round_ = number // len(VIDEOS)
    kinds = list(KINDS)
    return names[round_ // len(kinds) % len(names)], kinds[round_ % len(kinds)]


def _read(pipe: Connection, numbers: Sequence[int], folder: Path) -> None:
    """Sends the verdict about each number."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.environ["SVT_LOG"] = "0"  # the AV1 encoder talks
    av.logging.set_level(None)
    sound: dict[str, tuple[bytes, list[Plain]]] = {}
    for number in numbers:
        name, kind = _case(number)
        layout = LAYOUTS[name]
        if name not in sound:
            made = layout.make(folder / f"sound{layout.suffix}").path
            sound[name] = made.read_bytes(), plain_decode(made)
        data, frames = sound[name]
        path = folder / f"{number}{layout.suffix}"
        path.write_bytes(mutated(data, kind, number))
        pipe.send(judged(path, frames, (number, name, kind)))
        path.unlink()
