"""Telling how far the reading of a file is."""

from collections.abc import Callable

from annotate.video.opening import BLOCK, Packets


class Meter:
    """How far the passes over a file are, told in steps of `BLOCK` bytes."""

    def __init__(self, size: int, progress: Callable[[int, int], None] | None) -> None:
        """`size` of the file in bytes; `progress` gets bytes done and bytes of all passes."""
        self._size = size
        self._total = 2 * size
        self._before = 0
        self._told = 0
        self._progress = progress

    def at(self, position: int) -> None:
        """The present pass has come to byte `position` of the file."""
        done = self._before + min(position, self._size)
        if done >= self._told + BLOCK:
            self._tell(done)

    def pass_done(self) -> None:
        """The present pass has ended; the next begins."""
        self._before += self._size
        self._tell(self._before)

    def watched(self, packets: Packets) -> Packets:
        """The same packets: one pass over the file."""
        for packet in packets:
            if packet.pos is not None:
                self.at(packet.pos)
            yield packet
        self.pass_done()

    def watched_once_more(self, packets: Packets) -> Packets:
        """The same packets: a pass that was not foreseen."""
        self._total += self._size
        yield from self.watched(packets)

    def _tell(self, done: int) -> None:
        self._told = done
        if self._progress is not None:
            self._progress(done, self._total)
