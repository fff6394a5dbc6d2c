"""One run of `annotate review`: the job, and the videos of it that were opened."""

import threading
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from annotate.domain.edits import Edit
from annotate.domain.errors import AnnotateError, EditError, UsageError
from annotate.domain.job import Job, JobVideo
from annotate.domain.settings import Settings
from annotate.queue.job_status import JobStatus, job_status
from annotate.review.adding import MAX_FRAMES, PersonFinder, Pointed
from annotate.review.filling import filled
from annotate.review.opened import OpenVideo
from annotate.review.player_source import PlayerSource
from annotate.store import Store
from annotate.use_cases.edits import author_here

_POINT = "Draw a box around the person, or click the middle of the hips, then the top of the head."


@dataclass(frozen=True, eq=False)
class Reviewed:
    """A video that was opened: its tracks, and what the browser plays."""

    tracks: OpenVideo
    source: PlayerSource


class Session:
    """The job that is reviewed. Several threads may use it."""

    def __init__(self, store: Store, settings: Settings, job: Job) -> None:
        self.job = job
        self._store, self._settings = store, settings
        self._author = author_here()
        self._lock = threading.Lock()
        self._videos: dict[int, Reviewed] = {}
        self._finder = PersonFinder(store, settings, job)
        self.made = 0  # edits, by this run

    def status(self) -> JobStatus:
        """How far the job is."""
        return job_status(self._store, self.job)

    def video(self, number: int) -> Reviewed:
        """A video by its place in the job, opened at the first call.

        Raises:
            UsageError: the job has no such video, or it has no tracks yet.
            StoreError: the store cannot be read.
        """
        with self._lock:
            if number not in self._videos:
                self._videos[number] = self._opened(number)
            return self._videos[number]

    def open_ahead(self, number: int) -> None:
        """Opens a video in a thread of its own, before the page asks for it."""

        def work() -> None:
            with suppress(AnnotateError, OSError):  # the page will be told
                self.video(number)

        threading.Thread(target=work, daemon=True).start()

    def add(self, number: int, kind: object, change: object, after: object) -> Edit:
        """Files a change of a video; errors as for `OpenVideo.add`."""
        edit = self.video(number).tracks.add(kind, change, after)
        self.made += 1
        return edit

    def add_person(self, number: int, given: dict[str, object], after: int) -> Edit:
        """Lets the model find a person at two points, and adds the poses.

        Args:
            number: of the video.
            given: `frame`; `hips` and `head`, or `corners` of a box, two points (x, y) each;
                `track`, an id, to give the poses to it; `alone`, to look in this frame only.
            after: as for `add`.

        Raises:
            EditError: the request is not valid, or the model finds no person.
        """
        video = self.video(number)
        frame, track = given.get("frame"), given.get("track")
        if type(frame) is not int or not 0 <= frame < len(video.tracks.index):
            raise EditError("there is no such frame", "Load the page again.")
        pointed = _pointed(given)
        near = video.tracks.poses(max(0, frame - MAX_FRAMES), frame + MAX_FRAMES + 1)
        if type(track) is int:
            near = near.take(near.track_id != track)
        with video.source.source() as path:
            found = self._finder.find(
                path, video.tracks.index, near, frame, pointed, alone=bool(given.get("alone"))
            )
        view = video.tracks.view()
        ref = None if type(track) is not int else video.tracks.ref(view, track, frame)
        made = video.tracks.free_id(view) if ref is None else None
        edit = video.tracks.add_change(found.change(ref, made), after)
        self.made += 1
        return edit

    def fill(self, number: int, given: dict[str, object], after: int) -> Edit:
        """Fills frames of a track evenly from pose to pose.

        Args:
            number: of the video.
            given: `track`, and its frames from `start` to before `stop`; see `filled`.
            after: as for `add`.

        Raises:
            EditError: the request is not valid, or there is nothing to fill from.
        """
        opened = self.video(number).tracks
        track, start, stop = (given.get(name) for name in ("track", "start", "stop"))
        if not isinstance(track, int) or not isinstance(start, int) or not isinstance(stop, int):
            raise EditError("the request names no track or frames", "Load the page again.")
        if not 0 <= start < stop <= len(opened.index):
            raise EditError("there are no such frames", "Load the page again.")
        change = filled(opened, opened.view(), track, start, stop)
        edit = opened.add_change(change, after)
        self.made += 1
        return edit

    def close(self) -> None:
        """Closes all files, once a video that is being opened is open."""
        with self._lock:
            videos = [*self._videos.values()]
        for video in videos:
            video.tracks.close()
            video.source.close()

    def _opened(self, number: int) -> Reviewed:
        if not 0 <= number < len(self.job.videos):
            raise UsageError(f"the job has no video {number}", "Load the page again.")
        video: JobVideo = self.job.videos[number]
        if not self._store.results(self.job.recipe, video).has_tracks(self.job.merge_digest):
            raise UsageError(f"{video.name} has no tracks yet", "See `annotate status`.")
        tracks = OpenVideo(self._store, self.job, video, self._author)
        return Reviewed(tracks, PlayerSource(self._store, self._settings, video, tracks.index))


def _pointed(given: dict[str, object]) -> Pointed:
    """Where a request says that the person is.

    Raises:
        EditError: it does not say.
    """
    corners = given.get("corners")
    is_box = isinstance(corners, list) and len(corners) == 2
    hips_and_head = [given.get("hips"), given.get("head")]
    two = corners if isinstance(corners, list) and is_box else hips_and_head
    points = np.array([_point(one) for one in two], np.float32)
    if (points[0] == points[1]).any() if is_box else (points[0] == points[1]).all():
        raise EditError("the box is empty" if is_box else "hips and head are one point", _POINT)
    return Pointed(points, is_box)


def _point(given: object) -> tuple[float, float]:
    """The x and y of a point in a request.

    Raises:
        EditError: it is none.
    """
    if isinstance(given, list) and len(given) == 2:
        x, y = given
        if type(x) in (int, float) and type(y) in (int, float) and abs(x) + abs(y) < 1e6:
            return float(x), float(y)
    raise EditError("a point is missing", _POINT)
