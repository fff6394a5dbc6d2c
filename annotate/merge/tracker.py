"""Which tracklet continues which track: only where tracklets begin must people be told apart.

A person who is lost for longer than a moment is left to the linker, which sees both sides of the
gap.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from annotate.domain.arrays import IntArray
from annotate.domain.merge_settings import MergeSettings
from annotate.merge.open_track import OpenTrack, usual_appearance
from annotate.merge.pose_table import NONE, PoseTable
from annotate.merge.tracklets import Tracklets, find_tracklets, similarity
from annotate.numeric.similarity import appearance_distance


class Tracker:
    """Follows people through the blocks of one video, given in order."""

    def __init__(self, settings: MergeSettings) -> None:
        self._settings = settings
        self._open: list[OpenTrack] = []
        self._started = 0
        self._max_unseen_s = settings.tracker.max_unseen_s
        # The last frame of the block before, and the tracks of its poses.
        self._last: PoseTable | None = None
        self._last_tracks: list[OpenTrack | None] = []

    def follow(self, block: PoseTable) -> PoseTable:
        """The block with the track of each pose, NONE where it belongs to none, and with the poses
        that are ambiguous.
        """
        table = block if self._last is None else PoseTable.concat([self._last, block])
        carried = len(self._last_tracks)
        frame_s = table.poses.time_s
        if len(frame_s) > 1:
            step_s = float(np.median(np.diff(frame_s)))
            self._max_unseen_s = self._settings.tracker.unseen_s(step_s)
        tracklets = find_tracklets(table, self._max_unseen_s, self._settings)
        tracks = self._tracks(table, tracklets)
        self._last = table.between(len(frame_s) - 1, len(frame_s))
        last = tracklets.of[len(table) - len(self._last) :]
        self._last_tracks = [tracks[tracklet] for tracklet in last]
        numbers = np.array([NONE if t is None else t.number for t in tracks], np.int64)
        return replace(
            block,
            track=numbers[tracklets.of][carried:],
            ambiguous=tracklets.ambiguous_poses[carried:],
        )

    def _tracks(self, table: PoseTable, tracklets: Tracklets) -> list[OpenTrack | None]:
        """The track of each tracklet."""
        # Step 1: tracklets that begin in the last frame of the block before keep their tracks.
        carried = len(self._last_tracks)
        tracks = [*self._last_tracks, *[None] * (len(tracklets) - carried)]
        for tracklet, track in enumerate(self._last_tracks):
            if track is not None:
                self._extend(track, table, tracklets, tracklet, carried=True)
        # Step 2: the others continue a track or start one, frame by frame.
        frames = table.frame[tracklets.first[carried:]]
        for new in np.split(
            np.arange(carried, len(tracklets)), np.flatnonzero(np.diff(frames)) + 1
        ):
            continued = self._continued(table, tracklets, new) if len(new) else {}
            for tracklet in new.tolist():
                track = continued.get(tracklet) or self._start(table, tracklets.rows(tracklet))
                tracks[tracklet] = track
                if track is not None:
                    self._extend(track, table, tracklets, tracklet)
        return tracks

    def _continued(
        self, table: PoseTable, tracklets: Tracklets, new: IntArray
    ) -> dict[int, OpenTrack]:
        """The tracks that the tracklets `new`, which begin in one frame, continue."""
        time_s = float(table.time_s[tracklets.first[new[0]]])
        self._open = [t for t in self._open if time_s - t.last_s <= self._max_unseen_s]
        # Skip tracks that are already inside a tracklet at this time.
        waiting = [track for track in self._open if track.last_s < time_s]
        clear = new[~tracklets.ambiguous[new]]
        if not waiting or not len(clear):
            return {}
        matches = _matches(waiting, table, tracklets, clear, self._settings)
        return {int(clear[pose]): waiting[place] for place, pose in matches}

    def _start(self, table: PoseTable, rows: IntArray) -> OpenTrack | None:
        """A new track, if one of its poses is good enough."""
        if table.score[rows].max() < self._settings.tracker.min_start_score:
            return None
        track = OpenTrack(self._started)
        self._started += 1
        self._open.append(track)
        return track

    def _extend(
        self,
        track: OpenTrack,
        table: PoseTable,
        tracklets: Tracklets,
        tracklet: int,
        *,
        carried: bool = False,
    ) -> None:
        """Continues the track by a tracklet; if it is carried over, without its first pose."""
        if tracklets.ends[tracklet]:
            self._open.remove(track)
        rows = tracklets.rows(tracklet)[carried:]
        if len(rows):
            track.extend(table, rows, self._settings)


def _matches(
    tracks: list[OpenTrack],
    table: PoseTable,
    tracklets: Tracklets,
    new: IntArray,
    settings: MergeSettings,
) -> Iterator[tuple[int, int]]:
    """Places of the tracks, and of the tracklets `new`, that belong together: the assignment with
    the greatest similarity in all.
    """
    # Step 1: the similarity of the tracks' predicted poses with the first ones of the tracklets.
    rows = tracklets.first[new]
    time_s = float(table.time_s[rows[0]])
    shift = np.array([track.shift(time_s) for track in tracks], np.float32)
    alike = similarity(
        (np.stack([track.keypoints for track in tracks]) + shift[:, None])[:, None],
        table.keypoints[rows][None],
        np.stack([track.visible for track in tracks])[:, None] & table.visible[rows][None],
        (np.stack([track.box for track in tracks]) + np.tile(shift, 2))[:, None],
        table.box[rows][None],
        settings.tracklet,
    )
    alike = np.rint(alike * settings.rounding_steps) / settings.rounding_steps
    # Step 2: a different appearance is another person's.
    heads = np.stack([_first_appearance(table, tracklets.rows(t), settings) for t in new.tolist()])
    tails = np.stack([track.appearance(settings) for track in tracks])
    changed = appearance_distance(tails[:, None], heads[None]) > settings.swap.min_difference
    # Step 3: the assignment.
    good = (alike >= settings.tracker.min_similarity) & ~changed
    a, b = linear_sum_assignment(np.where(good, -alike, 0))
    yield from zip(a[good[a, b]].tolist(), b[good[a, b]].tolist(), strict=True)


def _first_appearance(table: PoseTable, rows: IntArray, settings: MergeSettings) -> NDArray[Any]:
    """(6,) the usual appearance in the first second of a tracklet."""
    time_s = table.time_s[rows]
    near = time_s < time_s[0] + settings.link.end_window_s
    return usual_appearance(table.appearance[rows[near]], settings.tracker)
