"""What the page is told about a job and a video, as JSON-able fields."""

from dataclasses import asdict
from typing import Any

import numpy as np

from annotate.domain.edits import Edit
from annotate.domain.job import Job
from annotate.domain.keypoint_sets import KEYPOINT_SETS
from annotate.domain.moments import Moment
from annotate.domain.names import printable
from annotate.domain.skeleton import Skeleton
from annotate.numeric.ranges import runs_of
from annotate.queue.job_status import JobStatus
from annotate.review.opened import OpenVideo, View

# How many edits of the history the page shows.
SHOWN_EDITS = 200
# A video whose annotated frames are in more pieces than this was annotated at a lower rate.
_MOST_RUNS = 1


def described_job(status: JobStatus) -> dict[str, Any]:
    """The job and its videos, each once."""
    job: Job = status.job
    # Duplicates have no status of their own, but a number in the job.
    numbers = {video.fingerprint: n for n, video in reversed([*enumerate(job.videos)])}
    videos = []
    for one in status.videos:
        state = one.state if not one.merged else "ready"
        number = numbers[one.video.fingerprint]
        videos.append({"number": number, "name": printable(one.video.name), "state": state})
    return {"job": job.id, "videos": videos}


def described_video(opened: OpenVideo) -> dict[str, Any]:
    """What does not change while a video is reviewed."""
    index, skeleton = opened.index, opened.basis.skeleton
    return {
        "name": printable(opened.video.name),
        "width": index.width,
        "height": index.height,
        "frames": len(index),
        "sparse": len(runs_of(opened.annotated)) > _MOST_RUNS,
        "fps": index.fps,
        "unseen": [asdict(one) for one in opened.unseen],
        "landmarks": list(skeleton.landmarks),
        "edges": _edges(skeleton),
    }


def described_view(view: View) -> dict[str, Any]:
    """The tracks and edits as they are now."""
    tracks, names = view.tracks.outline.track_list, view.tracks.names
    rows = zip(
        tracks.track_id.tolist(),
        tracks.first_frame.tolist(),
        tracks.last_frame.tolist(),
        tracks.poses.tolist(),
        strict=True,
    )
    reasons = {left.edit.number: left.reason for left in view.tracks.not_applied}
    return {
        "last": view.last,
        "tracks": [
            {"id": track, "name": names.get(track, ""), "first": a, "last": b, "poses": poses}
            for track, a, b, poses in rows
        ],
        "reviewed": [[int(a), int(b)] for a, b in runs_of(view.tracks.reviewed)],
        "reviewed_frames": int(np.count_nonzero(view.tracks.reviewed)),
        "edits": [
            {
                "number": edit.number,
                "author": edit.author,
                "time": edit.time,
                "text": in_words(edit),
                "undone": edit.number in view.undone,
                "not_applied": reasons.get(edit.number),
            }
            for edit in view.edits[-SHOWN_EDITS:]
        ],
    }


def described_moment(moment: Moment) -> dict[str, Any]:
    """A place to check."""
    return {
        "track": moment.track,
        "frame": moment.frame,
        "first": moment.first_frame,
        "last": moment.last_frame,
        "weight": moment.severity,
        "words": moment.words,
    }


# What edits do, in a few words; `_fields` says what stands in the braces.
_WORDS = {
    "name": "track {track} named {name}",
    "merge": "track {other} merged into {track}",
    "split": "track {track} split at frame {frame}",
    "swap_tracks": "tracks {track} and {other} swapped from frame {frame}",
    "delete": "track {track} deleted, frames {start} to {last}",
    "add": "{poses} added to track {track}",
    "move": "{keypoint} of {track} moved, frame {at}",
    "hide": "{keypoint} of {track} marked {seen}, frame {at}",
    "swap_sides": "left and right of {track} swapped from frame {start} to {last}",
    "review": "frames {start} to {last} {done}",
    "undo": "edit {edit} undone",
}


def in_words(edit: Edit) -> str:
    """What an edit does, in a few words for people.

    >>> from annotate.domain.changes import MarkReviewed
    >>> in_words(Edit(1, "ann", "", "", MarkReviewed(0, 5)))
    'frames 0 to 4 reviewed'
    """
    return _WORDS[edit.change.kind].format(**_fields(edit))


def _fields(edit: Edit) -> dict[str, Any]:
    own = edit.to_fields()["change"]
    count = len(own.get("frames", ()))
    track, stop = own.pop("track", None) or {}, own.get("stop")
    return {
        **own,
        "track": track.get("track", own.get("made")),
        "at": track.get("frame"),
        "other": (own.get("other") or {}).get("track"),
        "poses": "1 pose" if count == 1 else f"{count} poses",
        "last": "the end" if stop is None else stop - 1,
        "keypoint": own.get("keypoint", "").replace("_", " "),
        "seen": "hidden" if own.get("hidden") else "visible",
        "done": "reviewed" if own.get("reviewed") else "not reviewed",
    }


def _edges(skeleton: Skeleton) -> list[list[int]]:
    """Pairs of landmarks that are drawn as limbs."""
    known = {name: place for place, name in enumerate(skeleton.landmarks)}
    keypoints = max(KEYPOINT_SETS.values(), key=lambda one: len(known.keys() & set(one.names)))
    names = [(keypoints.names[a], keypoints.names[b]) for a, b in keypoints.edges]
    return [[known[a], known[b]] for a, b in names if a in known and b in known]
