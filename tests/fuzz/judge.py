"""Reads a damaged video as the program does, and compares the result with a plain decode."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from annotate.domain.errors import VideoError
from annotate.domain.video import AnyFrame, Chunk, Frame, VideoIndex
from annotate.video import decode_with_damage, probe

# The side in pixels of the blocks in which pictures are compared, and the mean difference in grey
# levels between them: it is smaller for pictures of one frame.
BLOCK, SAME_PICTURE = 8, 4.0

# A chunk begins at so many places, and has so many frames.
CUTS, CUT_FRAMES = 4, 3


@dataclass(frozen=True)
class Verdict:
    """What came of a mutation.

    Attributes:
        number: of the mutation.
        video, kind: which video was damaged, and how.
        outcome: `read`, `refused`, `crash` or `hang`.
        plain: number of frames that a plain decode gives.
        silent: of these, the number that the program neither gives nor lists.
        other: number of frames that the program gives as sound, with the picture of another one.
        cut: number of frames that come out otherwise where a chunk begins at them.
        message: of a refusal or a crash.
        seconds: that the program took.
    """

    number: int
    video: str
    kind: str
    outcome: str
    plain: int = 0
    silent: int = 0
    other: int = 0
    cut: int = 0
    message: str = ""
    seconds: float = 0.0

    @property
    def is_fault(self) -> bool:
        """Whether this must not be."""
        return self.outcome in ("crash", "hang") or self.silent + self.other + self.cut > 0


@dataclass(frozen=True)
class Plain:
    """A frame of a plain decode: its time stamp, and its picture as it is stored."""

    pts: int | None
    rgb: NDArray[np.uint8]


def plain_decode(path: Path, *, hold: bool = False) -> list[Plain]:
    """All frames that PyAV gives, packet by packet, from the first to the last.

    Args:
        hold: every frame keeps its memory, so that none is made in the memory of an earlier one.
    """
    frames: list[Plain] = []
    held = []
    with (
        suppress(av.FFmpegError, IndexError),
        av.open(str(path), metadata_errors="replace") as container,
    ):
        stream = container.streams.best("video")
        if not isinstance(stream, VideoStream):
            return frames
        stream.thread_count = 1
        for packet in container.demux(stream):
            with suppress(av.FFmpegError):
                for frame in packet.decode():
                    if hold:
                        held.append(frame)
                    frames.append(
                        Plain(frame.pts, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
                    )
    return frames


def judged(path: Path, sound: Sequence[Plain], case: tuple[int, str, str]) -> Verdict:
    """The verdict about a damaged file; exceptions that are not of the program's own are crashes.

    Args:
        path: of the damaged file.
        sound: the frames that were in it before it was damaged.
        case: the number of the mutation, the name of the video, and the kind of damage.
    """
    plain = plain_decode(path)
    settled = _settled(plain, plain_decode(path, hold=True))
    verdict = Verdict(*case, "read", len(plain))
    began = time.monotonic()
    try:
        index = probe(path)
        frames = list(decode_with_damage(path, index, Chunk(0, len(index))))
        verdict = replace(
            verdict,
            silent=_silent(index, plain),
            other=_other(index, frames, settled, sound),
            cut=_cut(path, index, frames, settled),
        )
    except VideoError as error:
        verdict = replace(verdict, outcome="refused", message=error.message)
    except Exception as error:  # noqa: BLE001 - any other one is what is looked for
        verdict = replace(verdict, outcome="crash", message=repr(error))
    return replace(verdict, seconds=time.monotonic() - began)


def _settled(plain: Sequence[Plain], again: Sequence[Plain]) -> list[Plain | None]:
    """The frames that come out of two decodes the same, None for the others: where damage keeps a
    decoder from a part of the picture, that part shows what was in the memory before.
    """
    pairs = zip_longest(plain, again)
    return [one if one and two and _same(one.rgb, two.rgb) else None for one, two in pairs]


def _silent(index: VideoIndex, plain: Sequence[Plain]) -> int:
    """How many frames of the plain decode are not in the index."""
    if not len(index.keyframes):
        return max(0, len(plain) - len(index))
    return len({one.pts for one in plain} - set(index.pts.tolist()) - {None})


def _other(
    index: VideoIndex,
    frames: Sequence[AnyFrame],
    plain: Sequence[Plain | None],
    sound: Sequence[Plain],
) -> int:
    """How many frames show neither what the plain decode shows in their place, nor what the sound
    video shows there.
    """
    shown = [one for one in frames if isinstance(one, Frame) and one.own_size is None]
    if index.rotation or index.mirrored or index.pixel_aspect != 1:
        return 0  # the plain pictures are as stored
    known = [one for one in plain if one is not None]
    if not len(index.keyframes):
        return max(0, _out_of_order(shown, known) - (len(plain) - len(known)))
    places: dict[int | None, list[Plain]] = {one.pts: [] for one in known}
    for one in (*known, *sound):
        places.get(one.pts, []).append(one)
    return sum(
        frame.pts in places and not any(_same(frame.rgb, one.rgb) for one in places[frame.pts])
        for frame in shown
    )


def _cut(
    path: Path, index: VideoIndex, frames: Sequence[AnyFrame], plain: Sequence[Plain | None]
) -> int:
    """How many frames at the beginnings of some chunks are not as in one decode of all."""
    known = all(plain)
    starts = sorted({len(frames) * part // CUTS for part in range(1, CUTS)})
    different = 0
    for start in starts:
        chunk = Chunk(start, min(start + CUT_FRAMES, len(frames)))
        for one, whole in zip(
            decode_with_damage(path, index, chunk), frames[start : chunk.stop], strict=True
        ):
            different += not _equal(one, whole, picture=known)
    return different


def _equal(one: AnyFrame, other: AnyFrame, *, picture: bool) -> bool:
    if isinstance(one, Frame) and isinstance(other, Frame):
        return not picture or bool((one.rgb == other.rgb).all())
    return one == other


def _out_of_order(shown: Sequence[Frame], plain: Sequence[Plain]) -> int:
    """How many frames do not follow in the order of the plain decode."""
    place = other = 0
    for frame in shown:
        found = (at for at in range(place, len(plain)) if _same(frame.rgb, plain[at].rgb))
        at = next(found, None)
        other += at is None
        place = place if at is None else at + 1
    return other


def _same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether they show the same, however the decoded colours became RGB."""
    if one.shape != other.shape:
        return False
    return bool(np.abs(_coarse(one) - _coarse(other)).mean() < SAME_PICTURE)


def _coarse(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The means of the blocks of a picture, so that its noise does not matter."""
    rows, columns = (np.arange(0, side, BLOCK) for side in rgb.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(rgb, rows, axis=0, dtype=np.float64), columns, axis=1)
    return sums / BLOCK**2
