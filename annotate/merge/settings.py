"""Every threshold of the merge, in seconds and in fractions of a person's size."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MergeSettings:
    """How poses become tracks.

    Attributes:
        smooth_hz: frequency at which the smoother's response is one half; None leaves poses as
            they are and gaps open.
        oks_share: weight of OKS in the similarity of two poses; the rest is buffered IoU.
        oks_sigma_scale: COCO's sigmas are multiplied by it, since people move between frames.
        least_visibility: keypoints below it do not count in similarities and scores.
        box_buffer: boxes grow by this fraction on each side before their overlap is taken.
        least_similarity: below it a pose is not the track's next one.
        duplicate_oks: two poses of one frame that are more alike than this are one person.
        birth_score: a pose below it does not begin a track.
        fresh_s: a track unseen for longer is lost, and waits for what the others leave.
        slack_per_s: by this factor more is allowed for motion for each second unseen.
        lost_s: a track that is unseen for longer has ended.
        velocity_s: how far back the motion of a track is looked at.
        half_life_s: in which a lost track's predicted speed halves.
        least_s: shorter tracks are dropped.
        gap_s: shorter gaps are filled; at longer ones the smoother starts afresh.
        outlier_s: half the window in which outliers are looked for.
        outlier_floor: the least deviation of an outlier, as a fraction of a person's height.
    """

    smooth_hz: float | None = 6.0
    oks_share: float = 0.6
    oks_sigma_scale: float = 2.0
    least_visibility: float = 0.2
    box_buffer: float = 0.3
    least_similarity: float = 0.3
    duplicate_oks: float = 0.7
    birth_score: float = 0.4
    fresh_s: float = 0.15
    slack_per_s: float = 1.0
    lost_s: float = 2.0
    velocity_s: float = 0.15
    half_life_s: float = 0.5
    least_s: float = 0.2
    gap_s: float = 0.33
    outlier_s: float = 0.1
    outlier_floor: float = 0.01
