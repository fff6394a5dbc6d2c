"""Exact frames of any chunk: the same, bit for bit, as in one decode of the whole video.

Decoding starts at the last keyframe at or before the wanted frame. Frames displayed before that
keyframe lack their references (open GOP) and are dropped. From the keyframe on, every frame must
come with the time stamp that the index has, and neither container nor decoder may find damage.
Where anything is wrong, the keyframe span is examined by itself (`annotate.video.damage`): its
sound frames are given, the others are marked, and decoding goes on at the next keyframe.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from annotate.domain.arrays import IntArray
from annotate.domain.errors import ChangedError
from annotate.domain.video import (
    AnyFrame,
    Chunk,
    DamagedFrame,
    DamageReason,
    Frame,
    VideoIndex,
)
from annotate.video.damage import Span, examined, sound_frames
from annotate.video.feed import Feed, number_of
from annotate.video.file import PLAIN, Reading, VideoFile, fingerprint
from annotate.video.in_order import BrokenError, frames_in_order
from annotate.video.marks import marked
from annotate.video.picture import RgbConverter
from annotate.video.pixel_aspects import PixelAspects

# Codecs whose decoders obey, packet by packet, what is to be skipped; AV1's decoder runs ahead.
SKIPPING_CODECS = frozenset({"h264", "hevc", "mpeg2video", "mpeg4"})
NOT_INDEXED = "The file has changed since it was submitted: submit it again."


def decode(
    path: Path,
    index: VideoIndex,
    chunk: Chunk,
    *,
    asked: IntArray | None = None,
    reading: Reading = PLAIN,
    deinterlace: bool = False,
    planes: bool = False,
) -> Iterator[Frame]:
    """The sound frames of `chunk` in order; arguments and errors as in `decode_with_damage`."""
    frames = decode_with_damage(
        path, index, chunk, asked=asked, reading=reading, deinterlace=deinterlace, planes=planes
    )
    return (frame for frame in frames if isinstance(frame, Frame))


def decode_with_damage(
    path: Path,
    index: VideoIndex,
    chunk: Chunk,
    *,
    asked: IntArray | None = None,
    reading: Reading = PLAIN,
    deinterlace: bool = False,
    planes: bool = False,
) -> Iterator[AnyFrame]:
    """The frames of `chunk` in order, damaged ones marked as such. Others are decoded where needed,
    never converted. Which frames are damaged does not depend on the chunk.

    Args:
        path: of the video.
        index: what `probe` found at `path`.
        chunk: positions among the `asked` frames.
        asked: (M,) int64, increasing: indices of the frames that the job annotates; by default all.
        reading: how the file is read. Where frames are counted, one thread decodes.
        deinterlace: of frames that hold two moments, only the first one is shown.
        planes: pictures are sampled from the decoder's planes where they can be; else they are
            exact RGB.

    Raises:
        ChangedError: the file is not the one of the index.
        VideoError: it takes more of this host than the limits allow.
        HostError: the file cannot be read now.
        ValueError: the chunk reaches beyond the video.
    """
    counted = np.arange(len(index)) if asked is None else asked
    if chunk.stop > len(counted):
        raise ValueError(f"{chunk} reaches beyond {len(counted)} frames")
    if not len(index.keyframes):
        # With more threads, a decoder rejects packets later than it is given them.
        reading = replace(reading, threads=1)
    video = VideoFile(path, index.stream, reading)
    if video.size_bytes != index.size_bytes:
        raise ChangedError(f"{path} is not the file that was submitted", NOT_INDEXED)
    wanted = counted[chunk.start : chunk.stop]
    with video:
        converter = RgbConverter(index.display, deinterlace=deinterlace, planes=planes)
        pictures = _Pictures(video, index, converter)
        if len(index.keyframes):
            yield from _ByTime(video, index, pictures, wanted, asked).frames()
        else:
            yield from _by_count(video, index, pictures, wanted)


class _Pictures:
    """What becomes of decoded frames of one video; keeps the tables of the conversion."""

    def __init__(self, video: VideoFile, index: VideoIndex, converter: RgbConverter) -> None:
        self._index = index
        self._aspects = PixelAspects(video, index.pixel_aspect)
        self._converter = converter

    def sound(self, number: int, frame: VideoFrame) -> AnyFrame:
        """The picture of a sound frame."""
        pts = int(self._index.pts[number])
        converter = self._converter
        try:
            aspect = self._aspects.of(frame)
            picture = converter.picture(frame, aspect)
            return Frame(number, pts, picture, converter.own_size(frame, aspect))
        except av.FFmpegError:  # damage can change the format of a picture
            return DamagedFrame(number, pts, "not decoded")

    def of(self, number: int, frame: VideoFrame | None, reason: DamageReason | None) -> AnyFrame:
        """The picture of a frame, if it is there and nothing is wrong with it."""
        if frame is None or reason is not None:
            return DamagedFrame(number, int(self._index.pts[number]), reason or "not decoded")
        return self.sound(number, frame)


class _ByTime:
    """The `frames`, found by their time stamps."""

    def __init__(
        self,
        video: VideoFile,
        index: VideoIndex,
        pictures: _Pictures,
        frames: IntArray,
        asked: IntArray | None,
    ) -> None:
        """Prepares to decode from the last keyframe before the first of the `frames`.

        Args:
            asked: as in `decode`. Where these are not all frames, those that no other one is
                predicted from are skipped: the same ones whatever the chunk, or damage would depend
                on it.
        """
        self._video = video
        self._index = index
        self._pictures = pictures
        self._wanted: deque[int] = deque(frames.tolist())
        self._start = _keyframe_before(index, self._wanted[0])
        self._needed: frozenset[int] | None = None
        if asked is not None and index.codec in SKIPPING_CODECS:
            near = asked[(asked >= self._start) & (asked <= frames[-1])]
            self._needed = frozenset(near.tolist())
        self._span: Span | None = None
        self._unchanged = False

    def frames(self) -> Iterator[AnyFrame]:
        """All of them, in order."""
        while True:
            broken_at = yield from self._straight_on()
            if broken_at is None:
                return
            if not self._begins_elsewhere(broken_at):
                yield from self._of_span()
                if not self._wanted:
                    return
                self._start = _keyframe_before(self._index, self._wanted[0])
            self._video.rewind()

    def _straight_on(self) -> Generator[AnyFrame, None, int | None]:
        """The next ones, until anything is wrong; returns the frame where it is, if it is."""
        try:
            frames = frames_in_order(self._video, self._index, self._start, self._needed)
            for number, frame in frames:
                if number == self._wanted[0]:
                    yield self._pictures.sound(self._wanted.popleft(), frame)
                    if not self._wanted:
                        return None
        except BrokenError as broken:
            return broken.frame
        return self._wanted[0]

    def _begins_elsewhere(self, broken_at: int) -> bool:
        """Whether to go straight on from another keyframe, rather than by an examined span."""
        here = _keyframe_before(self._index, self._wanted[0])
        if not self._unchanged:
            _check_unchanged(self._video, self._index)
            self._unchanged = True
        if self._span is not None and self._span.first == here:
            return False
        start = here
        if broken_at >= here or start == self._start:
            self._span = examined(self._video, self._index, here)
            # Without damage, a mark of the container was wrong.
            start = self._start if self._span.damaged else self._span.start
        elsewhere, self._start = start != self._start, start
        return elsewhere

    def _of_span(self) -> Iterator[AnyFrame]:
        """The wanted frames of the examined span."""
        span, wanted = self._span, self._wanted
        if span is None:
            return
        sound = sound_frames(self._video, self._index, span)
        while wanted and wanted[0] < span.stop:
            number = wanted.popleft()
            reason = span.damaged.get(number)
            frame = None
            if reason is None:
                frame = next((frame for found, frame in sound if found == number), None)
            yield self._pictures.of(number, frame, reason)


def _by_count(
    video: VideoFile, index: VideoIndex, pictures: _Pictures, frames: IntArray
) -> Iterator[AnyFrame]:
    """The `frames`, counted from the file's beginning."""
    wanted = deque(frames.tolist())
    lost = frozenset(index.lost.tolist())
    for number, (frame, reason) in enumerate(_counted(video, lost)):
        if number == wanted[0]:
            yield pictures.of(wanted.popleft(), frame, reason)
            if not wanted:
                return
    _check_unchanged(video, index)
    for number in wanted:
        yield pictures.of(number, None, "not decoded")


def _counted(
    video: VideoFile, lost: frozenset[int]
) -> Iterator[tuple[VideoFrame | None, DamageReason | None]]:
    """Every frame of the file, with what is wrong with it; None for those that are lost."""
    known = _KnownDamage()
    for frame in _with_gaps(known.frames(video), lost):
        yield frame, "not decoded" if frame is None else known.reason(frame)


class _KnownDamage:
    """What is damaged so far, in the order of decoding: frames carry the numbers of their packets,
    since their time stamps may be wrong.
    """

    def __init__(self) -> None:
        # Of damaged packets, and of sound keyframes that came out; both rise.
        self._damaged: list[int] = []
        self._keys: list[int] = []
        # The last frame that came out lacks what it is predicted from.
        self._astray = False

    def frames(self, video: VideoFile) -> Iterator[VideoFrame]:
        """Every frame that the decoder gives."""
        for fed in Feed(video, numbered=True).of(marked(video, video.packets())):
            if fed.packet is not None and fed.damaged:
                self._damaged.append(number_of(fed.packet))
            yield from fed.frames

    def reason(self, frame: VideoFrame) -> DamageReason | None:
        """What is wrong with the next frame."""
        number = number_of(frame)
        at = bisect_left(self._damaged, number)
        if frame.is_corrupt or number in self._damaged[at : at + 1]:
            if number not in self._damaged[at : at + 1]:
                self._damaged.insert(at, number)
            return "corrupt"
        if frame.key_frame:
            insort(self._keys, number)
            self._astray = False
            return None
        key = bisect_left(self._keys, number)
        since = self._keys[key - 1] if key else -1
        # What is displayed before a keyframe and decoded after it may need frames before that. What
        # comes out after such a frame, and was decoded before it, comes in a wrong order.
        self._astray = self._astray or bool(at and self._damaged[at - 1] > since)
        return "reference lost" if self._astray else None


def _with_gaps(frames: Iterator[VideoFrame], lost: frozenset[int]) -> Iterator[VideoFrame | None]:
    """The frames, and None at the places of those that are lost."""
    for place in count():
        frame = None if place in lost else next(frames, None)
        if frame is None and place not in lost:
            return
        yield frame


def _keyframe_before(index: VideoIndex, frame: int) -> int:
    """The last keyframe at or before a frame."""
    return int(index.keyframes[index.keyframes.searchsorted(frame, "right") - 1])


def _check_unchanged(video: VideoFile, index: VideoIndex) -> None:
    """Reads all bytes of the file, so that errors of the disk, which FFmpeg hides, do not look like
    damage.

    Raises:
        ChangedError: the file is not the one of the index.
        HostError: it cannot be read now.
    """
    if fingerprint(video.path) != index.fingerprint:
        raise ChangedError(f"{video.path} is not the file that was submitted", NOT_INDEXED)
