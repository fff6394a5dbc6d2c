"""Reports how far a file has been read."""

from annotate.domain.progress import ByteProgress
from annotate.video.file import Packets

# Progress is reported after at least so many bytes.
REPORT_BYTES = 2**20


class ReadProgress:
    """Counts bytes over several passes over a file and reports them now and then."""

    def __init__(self, size_bytes: int, passes: int, report: ByteProgress | None) -> None:
        """`report` is called with the bytes read so far and the bytes of all `passes`."""
        self._size = size_bytes
        self._total = passes * size_bytes
        self._earlier_passes = 0
        self._reported = 0
        self._report = report

    def at(self, position: int) -> None:
        """The present pass has come to byte `position` of the file."""
        done = self._earlier_passes + min(position, self._size)
        if done >= self._reported + REPORT_BYTES:
            self._report_bytes(done)

    def end_pass(self) -> None:
        """The present pass has ended; the next one begins."""
        self._earlier_passes += self._size
        self._report_bytes(self._earlier_passes)

    def add_pass(self) -> None:
        """One more pass is needed than was expected."""
        self._total += self._size

    def count(self, packets: Packets) -> Packets:
        """The same packets, as one pass over the file."""
        for packet in packets:
            if packet.pos is not None:
                self.at(packet.pos)
            yield packet
        self.end_pass()

    def _report_bytes(self, done: int) -> None:
        self._reported = done
        if self._report is not None:
            self._report(done, self._total)
