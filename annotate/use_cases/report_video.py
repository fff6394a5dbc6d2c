"""What a report tells of one video, from one pass over its tracks."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.errors import AnnotateError
from annotate.domain.job import Job, JobVideo
from annotate.domain.look import Look
from annotate.domain.moments import Moment, MomentSettings
from annotate.domain.names import printable
from annotate.domain.progress import Progress
from annotate.domain.settings import Settings
from annotate.domain.tracks import Tracks
from annotate.domain.video import Chunk, VideoIndex
from annotate.numeric.angles import AngleReader, TrackAngles
from annotate.numeric.moments import Watched, find_moments
from annotate.numeric.pose_facts import FactsReader, PoseFacts
from annotate.numeric.ranges import runs_of
from annotate.numeric.selection import selected_frames
from annotate.numeric.timeline import Timeline, TimelineReader
from annotate.queue.job_status import VideoStatus
from annotate.render.charts import thumbnail
from annotate.render.report_page import Bar, ShownMoment, Summary, VideoReport
from annotate.store import Store
from annotate.store.source_video import local_source
from annotate.use_cases.draw import drawn_people
from annotate.use_cases.final_tracks import (
    damaged_frames,
    final_tracks,
    missing_mask,
    track_list,
    tracks_skeleton,
)
from annotate.video import Reading, decode

# Bins of time in charts: about a pixel each on a phone, three on a screen;
_BINS = 300
# but no more than so few frames fit into: a bin between two frames would be blank.
_FRAMES_PER_BIN = 3
# Tracks in the chart of tracks, the longest ones.
_TRACKS = 40
# Tracks whose joint angles are shown, the longest ones.
_ANGLE_TRACKS = 6
# Suspicious moments that are listed.
_MOMENTS = 150


@dataclass(frozen=True, eq=False)
class _Read:
    """A video's tracks, reduced."""

    timeline: Timeline
    facts: PoseFacts | None
    moments: list[Moment]
    angles: TrackAngles


class VideoReporter:
    """Makes the reports of a job's videos."""

    def __init__(
        self, store: Store, settings: Settings, job: Job, pictures: int, progress: Progress
    ) -> None:
        """Prepares.

        Args:
            pictures: that a video's report holds at most.
            progress: gets what is done of the present video.
        """
        self._store, self._settings, self._job = store, settings, job
        self._pictures, self._progress = pictures, progress

    def report(self, status: VideoStatus, notes: Sequence[str]) -> VideoReport:
        """The report of a video, which need not have tracks.

        Raises:
            StoreError: the store cannot be read.
        """
        video = status.video
        index = self._store.read_index(video.fingerprint, self._job.recipe.selection)
        report = VideoReport(printable(video.name), status.state, _facts(index), notes)
        if not self._store.results(self._job.recipe, video).has_tracks(self._job.merge_digest):
            return report
        frames = selected_frames(index, self._job.recipe.selection)
        read = self._read(status, index, frames)
        chosen = sorted(read.moments, key=lambda one: -one.severity)[:_MOMENTS]
        pictures, reason = self._drawn(status, index, chosen[: self._pictures])
        time_s = index.player_s
        tracks, hidden = _bars(read.facts)
        return replace(
            report,
            summary=_summary(read, index.time_s[frames], hidden + len(tracks)),
            timeline=read.timeline,
            tracks=tracks,
            hidden_tracks=hidden,
            angles=read.angles,
            moments=[
                ShownMoment(one, float(time_s[one.frame]), pictures.get(one.frame, ""))
                for one in chosen
            ],
            all_moments=len(read.moments),
            no_pictures=reason,
        )

    def _read(self, status: VideoStatus, index: VideoIndex, frames: IntArray) -> _Read:
        """One pass over the tracks."""
        job, video = self._job, status.video
        skeleton, time_s = tracks_skeleton(self._store, job), index.time_s[frames]
        settings, size = MomentSettings(), (index.width, index.height)
        line = TimelineReader(
            frames, time_s, min(_BINS, max(len(frames) // _FRAMES_PER_BIN, 1)), skeleton
        )
        angles = AngleReader(self._longest(video), line.edges_s, skeleton, size)
        reader, found = FactsReader(skeleton, size, settings), []
        for block in final_tracks(self._store, job, video):
            if len(block):
                line.add(block)
                angles.add(block)
                found.append(reader.facts(block))
                done = block.frame_index[-1] / len(index)
                self._progress(f"Reading tracks of {video.name}", float(done))
        facts = PoseFacts.concat(found) if found else None
        damaged = damaged_frames(self._store, job, video)
        known = ~missing_mask(self._store, job, index, len(frames))
        for one in damaged:
            known &= (frames < one.start) | (frames >= one.stop)
        moments = find_moments(facts, Watched(frames, time_s, damaged), settings)
        return _Read(line.timeline(known), facts, moments, angles.means())

    def _longest(self, video: JobVideo) -> list[int]:
        """Ids of the tracks with most poses."""
        tracks = track_list(self._store, self._job, video)
        longest = np.argsort(-tracks.poses, kind="stable")[:_ANGLE_TRACKS]
        return sorted(tracks.track_id[longest].tolist())

    def _drawn(
        self, status: VideoStatus, index: VideoIndex, moments: Sequence[Moment]
    ) -> tuple[dict[int, str], str]:
        """Pictures of the moments' frames, by frame; and why there are none, or empty."""
        wanted = sorted({one.frame for one in moments if one.kind != "damaged"})
        if not wanted:
            return {}, ""
        video, pictures = status.video, {}
        skeleton = tracks_skeleton(self._store, self._job)
        try:
            with ExitStack() as stack:
                path = stack.enter_context(
                    local_source(self._store, self._settings, video, index, self._reading)
                )
                people = _rows_at(final_tracks(self._store, self._job, video), wanted)
                reading = Reading(limits=self._settings.limits)
                for place, frame in enumerate(wanted):
                    self._progress(f"Drawing moments of {video.name}", place / len(wanted))
                    for one in decode(path, index, Chunk(frame, frame + 1), reading=reading):
                        rgb = np.ascontiguousarray(one.rgb)
                        shown = drawn_people(rgb, people.get(frame), skeleton, Look(), None)
                        pictures[frame] = thumbnail(shown)
        except AnnotateError as error:
            return pictures, f"There are no pictures of some moments: {error.message}."
        return pictures, ""

    def _reading(self, done: int, total: int) -> None:
        self._progress("Reading the video", done / max(total, 1))


def _rows_at(blocks: Iterator[Tracks], frames: Sequence[int]) -> dict[int, Tracks]:
    """The poses of some frames; frames without people are not among them."""
    found = {}
    for block in blocks:
        for frame in frames:
            start, stop = np.searchsorted(block.frame_index, [frame, frame + 1])
            if stop > start:
                found[frame] = block.take(np.arange(start, stop))
    return found


def _facts(index: VideoIndex) -> list[tuple[str, str]]:
    return [
        ("size", f"{index.width} x {index.height}"),
        ("frames", f"{len(index):,}"),
        ("frames a second", f"{index.fps:.2f}".rstrip("0").rstrip(".")),
        ("codec", index.codec),
        ("fingerprint", index.fingerprint[:16]),
    ]


def _summary(read: _Read, time_s: np.ndarray, tracks: int) -> Summary:
    people = read.timeline.people
    some = len(people) > 0
    return Summary(
        frames=len(people),
        seconds=float(time_s[-1] - time_s[0]),
        median=float(np.median(people)) if some else 0.0,
        most=int(people.max(initial=0)),
        empty=float((people == 0).mean()) if some else 0.0,
        tracks=tracks,
        moments=len(read.moments),
        worst=max((one.severity for one in read.moments), default=0.0),
    )


def _bars(facts: PoseFacts | None) -> tuple[list[tuple[int, list[Bar]]], int]:
    """The tracks with most poses, by id, and how many others there are."""
    if facts is None:
        return [], 0
    ids, counts = np.unique(facts.track, return_counts=True)
    shown = set(ids[np.argsort(-counts, kind="stable")][:_TRACKS].tolist())
    gap_s = MomentSettings().gap_s
    bars = [(number, _stretches(own, gap_s)) for number, own in facts.by_track() if number in shown]
    return bars, len(ids) - len(shown)


def _stretches(own: PoseFacts, gap_s: float) -> list[Bar]:
    """The track between its gaps, and over them what is filled in."""
    cuts = np.flatnonzero(np.diff(own.time_s) > gap_s) + 1
    edges = [0, *cuts.tolist(), len(own)]
    bars = []
    for start, stop in pairwise(edges):
        for filled in (False, True):
            for first, last in runs_of(own.filled[start:stop] == filled):
                end = min(start + last, stop - 1)
                bars.append(Bar(float(own.time_s[start + first]), float(own.time_s[end]), filled))
    return bars
