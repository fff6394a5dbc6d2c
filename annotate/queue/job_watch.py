"""The status of a job, looked at again and again, without reading all of a large job each time."""

from collections.abc import Iterable, Iterator
from itertools import islice

from annotate.domain.job import Job
from annotate.domain.work import Heartbeat
from annotate.queue.job_status import JobStatus, VideoStatus, living, video_status
from annotate.store import Store

# How many videos are read at each look: the first ones that are not finished, as work goes on in
# order, and some of all in turn, as others may work, retry or delete meanwhile.
FRONT, IN_TURN = 64, 64


class JobWatch:
    """Follows a job. A look reads the videos that workers are at and a limited number of others."""

    def __init__(self, store: Store, job: Job) -> None:
        self._store = store
        self._job = job
        distinct = {video.fingerprint: video for video in reversed(job.videos)}
        order = dict.fromkeys(video.fingerprint for video in job.videos)
        self._videos = [distinct[fingerprint] for fingerprint in order]
        self._last: list[VideoStatus] = []
        self._turn = 0

    def look(self, heartbeats: Iterable[Heartbeat] = ()) -> JobStatus:
        """How far the job is; what is said of videos that no one works on may be some looks old.

        Args:
            heartbeats: as for `job_status`.
        """
        return self._read(living(self._store, heartbeats), whole=not self._last)

    def look_at_all(self, heartbeats: Iterable[Heartbeat] = ()) -> JobStatus:
        """How far the job is now."""
        return self._read(living(self._store, heartbeats), whole=True)

    def _read(self, beats: list[Heartbeat], *, whole: bool) -> JobStatus:
        places = range(len(self._videos)) if whole else set(self._due(beats))
        self._last = [
            video_status(self._store, self._job, video, beats)
            if place in places
            else self._last[place]
            for place, video in enumerate(self._videos)
        ]
        return JobStatus(self._job, tuple(self._last))

    def _due(self, beats: list[Heartbeat]) -> Iterator[int]:
        at_work = {beat.fingerprint for beat in beats}
        for place, last in enumerate(self._last):
            if last.running or last.video.fingerprint in at_work:
                yield place
        open_ones = (place for place, last in enumerate(self._last) if not last.finished)
        yield from islice(open_ones, FRONT)
        for _ in range(min(IN_TURN, len(self._videos))):
            self._turn = (self._turn + 1) % len(self._videos)
            yield self._turn
