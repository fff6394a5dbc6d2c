"""Which videos of a watched place are complete: their size and time have stayed the same."""

from collections.abc import Sequence

from annotate.domain.images import ImageSequence
from annotate.store.bucket_videos import BucketVideo, Source

# Address of a video, and what changes when it is written: another one is a new video.
Arrival = tuple[str, str]


class Arrivals:
    """Remembers since when each video has been as it is."""

    def __init__(self, settle_s: float) -> None:
        """Files are complete that have stayed the same for `settle_s` seconds."""
        self._settle_s = settle_s
        self._since: dict[Arrival, float] = {}

    def complete(self, videos: Sequence[Source], now_s: float) -> dict[Arrival, Source]:
        """The videos that are complete, in their order.

        Args:
            videos: all that are there now.
            now_s: seconds of a clock that never goes back.
        """
        there = {arrival: video for video in videos if (arrival := _arrival(video)) is not None}
        self._since = {arrival: self._since.get(arrival, now_s) for arrival in there}
        return {
            arrival: video
            for arrival, video in there.items()
            # An object appears in a bucket when it is complete.
            if isinstance(video, BucketVideo) or now_s - self._since[arrival] >= self._settle_s
        }


def _arrival(video: Source) -> Arrival | None:
    """What changes while a video is being written; None where it has gone."""
    if isinstance(video, BucketVideo):
        return str(video), video.state
    try:
        files = video.paths if isinstance(video, ImageSequence) else [video]
        states = [path.stat() for path in files]
    except OSError:
        return None
    size = sum(state.st_size for state in states)
    return str(video), f"{size} {max(state.st_mtime_ns for state in states)}"
