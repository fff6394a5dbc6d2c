"""The frames of a video from a keyframe on, as long as they come as the index has them."""

from collections import deque
from collections.abc import Iterator

from av.video.frame import VideoFrame

from annotate.domain.video import VideoIndex
from annotate.video.damage import packets_from
from annotate.video.feed import Feed
from annotate.video.file import VideoFile


class BrokenError(Exception):
    """Something is wrong with the frames; `frame` is the first that was not given."""

    def __init__(self, frame: int) -> None:
        super().__init__(frame)
        self.frame = frame


def frames_in_order(
    video: VideoFile, index: VideoIndex, start: int, needed: frozenset[int] | None
) -> Iterator[tuple[int, VideoFrame]]:
    """Each frame from keyframe `start` on with its index, until anything is wrong.

    A frame is given once all that were decoded before it have come out sound, too.

    Args:
        video: just opened or rewound.
        needed: frames that may not be missing, and others may be skipped; None: all are needed.

    Raises:
        BrokenError: a frame is missing or not sound, or container or decoder find damage.
    """
    packets = packets_from(video, index, start)
    if packets is None:
        raise BrokenError(start)
    pts = None if needed is None else frozenset(index.pts[sorted(needed)].tolist())
    order = _Order(index, start, needed)
    for packet, damaged, frames in Feed(video, pts).of(packets):
        if damaged:
            raise order.broken()
        if packet is not None:
            order.feed(packet.pts)
        for frame in frames:
            order.take(frame)
            yield from order.settled()
        if order.complete:
            yield from order.rest()
            return
    raise order.broken()


class _Order:
    """Compares decoded frames with the index, and holds them until what was decoded before them has
    come out: frames that damage makes unsound may come out before that damage shows.
    """

    def __init__(self, index: VideoIndex, start: int, needed: frozenset[int] | None) -> None:
        self._index = index
        self._start = start
        self._needed = needed
        self._expected = start
        # The time stamps of packets in the order of decoding, from the first that may still give a
        # frame; those of packets before it; and the frames that came out.
        self._fed: deque[int] = deque()
        self._passed: set[int] = set()
        self._held: deque[tuple[int, VideoFrame]] = deque()

    @property
    def complete(self) -> bool:
        """Whether all frames of the video came out."""
        return self._expected == len(self._index)

    def feed(self, pts: int | None) -> None:
        """A packet with that time stamp goes into the decoder."""
        if pts is not None:
            self._fed.append(pts)

    def take(self, frame: VideoFrame) -> None:
        """A frame came out. It is left out where it is displayed before the expected one.

        Raises:
            BrokenError: it comes after the expected frame, or is not sound.
        """
        pts = self._index.pts
        if frame.pts is None or self.complete or frame.pts < pts[self._expected]:
            return
        self._skip(frame.pts)
        at = self._expected
        # Containers mark frames as keyframes that are not. Started there, the decoder gives
        # frames that are nearly right, or leaves the first ones out (H.264 intra refresh).
        no_start = at == self._start > 0 and not frame.key_frame
        if frame.pts > pts[at] or no_start or frame.is_corrupt:
            raise self.broken()
        self._expected += 1
        self._held.append((at, frame))
        while self._fed and self._fed[0] <= frame.pts:
            self._passed.add(self._fed.popleft())

    def _skip(self, pts: int) -> None:
        """Goes on to the frame with that time stamp, or the first before it that is needed."""
        if self._needed is not None:
            last = len(self._index) - 1
            while self._expected not in self._needed and self._expected < last:
                if pts <= self._index.pts[self._expected]:
                    return
                self._expected += 1

    def settled(self) -> Iterator[tuple[int, VideoFrame]]:
        """The frames that wait for no other one."""
        while self._held and self._held[0][1].pts in self._passed:
            self._passed.remove(self._held[0][1].pts or 0)
            yield self._held.popleft()

    def rest(self) -> Iterator[tuple[int, VideoFrame]]:
        """All frames that wait; nothing was wrong up to the end."""
        while self._held:
            yield self._held.popleft()

    def broken(self) -> BrokenError:
        """The error that names the first frame that was not given."""
        return BrokenError(self._held[0][0] if self._held else self._expected)
