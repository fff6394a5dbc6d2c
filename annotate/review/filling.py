"""Poses of a person where the models see nothing: evenly from one pose of the track to the next."""

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.changes import AddPoses
from annotate.domain.errors import EditError
from annotate.edits.added import packed
from annotate.review.opened import OpenVideo, View

# The most frames that one edit fills: what a person did in longer ones is a guess.
_MOST_FRAMES = 300


def filled(opened: OpenVideo, view: View, track: int, start: int, stop: int) -> AddPoses:
    """The edit that fills the frames `[start, stop)` of a track, and the gaps at their ends.

    Landmarks go straight, in time, from the last pose before to the first one after; where there is
    only one of them, it stays as it is. Poses that the track has in these frames are replaced.

    Raises:
        EditError: the track has no pose outside these frames, or they are too many.
    """
    rows = view.tracks.rows
    known = np.unique(rows.frame[rows.track == track])
    before, after = known[known < start], known[known >= stop]
    first = int(before[-1]) + 1 if len(before) else start
    last = int(after[0]) if len(after) else stop
    frames = np.arange(first, last)
    frames = frames[opened.annotated[first:last]]
    ends = [*before[-1:].tolist(), *after[:1].tolist()]
    if not ends or not len(frames):
        raise EditError(f"track {track} has no pose to fill from", "Choose fewer frames.")
    if len(frames) > _MOST_FRAMES:
        raise EditError(
            f"these are {len(frames)} frames, and at most {_MOST_FRAMES} are filled at once",
            "Set a shorter range, or add the person in the middle.",
        )
    return _change(opened, view, track, frames, ends)


def _change(
    opened: OpenVideo, view: View, track: int, frames: IntArray, ends: list[int]
) -> AddPoses:
    """The edit; `ends` are one or two frames in which the track has a pose."""
    poses = [opened.poses(end, end + 1) for end in ends]
    poses = [one.take(one.track_id == track) for one in poses]
    points = [np.concatenate([one.smoothed, one.smoothed_world], axis=2)[0] for one in poses]
    time_s = opened.index.time_s
    span = max(float(time_s[ends[-1]] - time_s[ends[0]]), 1e-9)
    share = ((time_s[frames] - time_s[ends[0]]) / span).clip(0, 1)[:, None, None]
    between = ((1 - share) * points[0] + share * points[-1]).astype(np.float32)
    score = round(min(float(one.score[0]) for one in poses), 4)
    return AddPoses(
        track=opened.ref(view, track, ends[0]),
        made=None,
        frames=tuple(frames.tolist()),
        scores=(score,) * len(frames),
        landmarks=between.shape[1],
        axes=between.shape[2] - 5,
        data=packed(between),
    )
