"""Suspicious moments: places in the tracks of a video at which a person should look."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

MomentKind: TypeAlias = Literal[
    "limb lengths",
    "size",
    "jump",
    "left and right",
    "two tracks on one body",
    "begins in mid-picture",
    "ends in mid-picture",
    "gap",
    "low confidence",
    "filled in",
    "damaged",
]
MOMENT_KINDS: tuple[MomentKind, ...] = get_args(MomentKind)


@dataclass(frozen=True)
class Moment:
    """A range of frames of a video in which the annotation may be wrong.

    Attributes:
        kind: what is suspicious.
        track: whose pose it is; None where it is about all people of the frames.
        first_frame, last_frame: source indices of the first and the last frame of it.
        frame: the one to look at first.
        severity: in (0, 1]: how much it matters, and how far it is beyond what is usual.
        words: what it is, for people, in a line.
        other: a second track that it is about, or None.
    """

    kind: MomentKind
    track: int | None
    first_frame: int
    last_frame: int
    frame: int
    severity: float
    words: str
    other: int | None = None


@dataclass(frozen=True)
class MomentSettings:
    """When something is suspicious. Nothing that is annotated depends on it.

    Times are in seconds, lengths in body heights, changes of lengths in natural logarithms. "Quiet"
    are five tracks of people who walk, step and balance, over 100 frames each, looked at frame by
    frame and right; a "slide" is a track that goes over from one person to another.
    """

    # Moments of one kind and track that are closer are one.
    join_s: float = 0.3
    # A pose that comes later than so many usual steps after the one before does not follow it.
    max_step_ratio: float = 1.5
    # Keypoints with a lower visibility do not count in similarities, as in the merge.
    min_visibility: float = 0.2

    # The bones' lengths (world landmarks) are medians over so many seconds, and compared with the
    # track's. Quiet: at most 0.11 in the median over the bones; a slide: 0.25.
    bones_window_s: float = 0.33
    bones_change: float = 0.18
    # Shorter changes than so many seconds are noise.
    bones_least_s: float = 0.1
    # Medians over more poses than this take long and tell no more.
    bones_max_poses: int = 61
    # A bone is taken to be at least so long, in metres.
    min_bone_m: float = 0.01
    # A track is compared with itself from so many seconds on.
    bones_min_s: float = 1.0

    # The change of a body's size in the picture within so many seconds. Quiet: at most 0.14; a
    # slide from a man in front to a woman behind: 0.27.
    size_lag_s: float = 0.3
    size_change: float = 0.25

    # Hips that move faster than so many heights a second jump: the fastest sprint on record peaks
    # at 12.3 m/s, 6.3 heights of that man, and people in videos are slower.
    jump_speed: float = 5.0
    # At high frame rates noise alone is that fast. Quiet: at most 0.028 from frame to frame.
    jump_way: float = 0.08
    # After longer steps a way tells little.
    jump_max_step_s: float = 0.5

    # Shoulders and hips that lie, after so many seconds, nearer to their mirror image than to
    # themselves by this ratio, and moved by at least so much: an exchange seen from the front moves
    # them by 0.17, and a person who turns about within 0.5 s by 0.10.
    swap_lag_s: float = 0.2
    swap_ratio: float = 0.5
    swap_way: float = 0.11

    # Two poses of a frame with a higher OKS are one body: COCO's evaluation takes 0.5 for a match,
    same_body_oks: float = 0.5
    # if they stay so alike for so many seconds: people who pass are that near for a moment.
    same_body_s: float = 0.15

    # Tracks that begin so many seconds after the video does, or end before it, are looked at.
    edge_s: float = 0.3
    # A box that is so near to the picture's border, as a fraction of its shorter side, is at it.
    border: float = 0.02
    # Another track that ended so many seconds before, the longest gap that the merge links over,
    link_s: float = 5.0
    # and so near, may be the same person.
    link_way: float = 1.0

    # The merge fills gaps of up to 1 s; the person after a longer one was linked over it.
    gap_s: float = 1.0

    # Scores are flag times mean visibility. Quiet tracks are above 0.85 in nearly all frames.
    low_score: float = 0.5
    low_score_s: float = 0.5

    # From so many seconds on, the smoother fills gaps with straight lines: limbs do not swing on.
    filled_s: float = 0.33


# How much a moment of each kind matters to whoever uses the tracks, in (0, 1].
WEIGHTS: dict[MomentKind, float] = {
    "limb lengths": 1.0,
    "two tracks on one body": 1.0,
    "jump": 0.9,
    "left and right": 0.9,
    "size": 0.8,
    "begins in mid-picture": 0.7,
    "ends in mid-picture": 0.6,
    "gap": 0.6,
    "low confidence": 0.6,
    "filled in": 0.5,
    "damaged": 0.4,
}
