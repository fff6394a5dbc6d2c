"""Every threshold of the merge, in seconds and in fractions of a person's size."""

from dataclasses import dataclass

_STEPS_LOST = 1.5  # of a video with few frames a second, for which a track may be unseen


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
        inside_height: what lies inside somebody's box may be a part of him if it is less tall than
            this share of it.
        inside_s: it is, if that goes on for most of its track, and the track is shorter than this.
            The same goes for doubles.
        duplicate_oks: two poses of one frame that are more alike than this are one person.
        double_oks: if they are more alike than this, the worse one may be no person.

        clear_similarity: a pose that is so like one of the frame before clearly continues it, if
        clear_margin: no other pose comes as near as this to that similarity.
        touch_similarity: from here on two poses of neighbouring frames are so close that, where
            either person appears or vanishes, one may be taken for the other.
        least_similarity: below it a pose is not the track's next one.
        birth_score: poses below it do not make a track by themselves.
        lost_s: a track that is unseen for longer has ended, unless frames are farther apart.
        velocity_s: how far back the motion of a track is looked at.

        least_s: shorter tracks are dropped.
        link_s: the longest gap between the end of a track and the start of another that may be
            the same person.
        link_overlap_s: for so long the end of a track may be seen beside the start of another that
            is the same person: two poses of one body, of which the later track's is taken.
        link_cost: the greatest cost of taking them for the same.
        link_doubt: what a link counts, of a clear one, where somebody appeared or vanished
            close by.
        link_place, link_drift: how far from where he is expected somebody usually is, in heights,
            and by how much more for each second unseen.
        link_speed, link_turn: how large a velocity usually is where it is unknown, and how much it
            changes, in heights a second.
        link_turn_most: the most that a change of velocity costs: people do turn back.
        link_growth, link_bones: how much the logarithms of size, and of the lengths of bones,
            usually differ.
        link_least_s: shorter tracks tell no motion, and only fill gaps between others.
        link_motion_s: how much of a track tells its motion and size at an end.
        link_appearance: how much the clothes of one person usually differ, in steps of colour.
        link_appearance_most: the most that clothes cost: light changes.
        link_appearance_gain: what it is worth that they are the same.
        appearance_s, appearance_change: where colours differ by more than so many steps of colour
            before and after, for so long, a run has slid to somebody else.

        crowd_overlap: a pose is doubted while another box covers this share of its own,
        doubt_s: and so long before and after.
        trust_s: poses that make no doubt, so long before and after, tell what to expect.
        trust_off: the farthest that doubted shoulders and hips may be from there, in heights,
        trust_spread: or in multiples of how far the trusted ones are.
        appearance_odd: the most that doubted clothes may differ, in steps of colour.
        mirror_per_s: what a mirrored pose costs a second, as a way of the keypoints in heights.
        mirror_most: the longest way that counts from one frame to the next, in heights.
        face_width: a face that is less wide than this may be none, in lengths of the shoulders,
        face_width_step: by one step for so much.
        nose_drop_step: for each of these lengths that a nose is below the ears, the face is one by
            a step, to at most nose_below and, where it is above them, minus nose_above steps.

        gap_s: shorter gaps are filled; at longer ones the smoother starts afresh.
        curve_s: in longer ones a straight line between the poses before and after counts, too: over
            so long, limbs do not go on as they were swinging.
        fill_weight: of that line, where a pose that was seen weighs about 1.
    """

    smooth_hz: float | None = 6.0

    oks_share: float = 0.6
    oks_sigma_scale: float = 2.0
    least_visibility: float = 0.2
    box_buffer: float = 0.3
    duplicate_oks: float = 0.7
    double_oks: float = 0.4
    inside_height: float = 0.75
    inside_s: float = 2.0

    clear_similarity: float = 0.7
    clear_margin: float = 0.15
    touch_similarity: float = 0.35
    least_similarity: float = 0.3
    birth_score: float = 0.4
    lost_s: float = 0.1
    velocity_s: float = 0.15

    least_s: float = 0.2
    link_s: float = 5.0
    link_overlap_s: float = 0.15
    link_cost: float = 16.0
    link_doubt: float = 0.5
    link_place: float = 0.08
    link_drift: float = 0.25
    link_speed: float = 0.6
    link_turn: float = 0.5
    link_turn_most: float = 5.0
    link_growth: float = 0.25
    link_bones: float = 0.4
    link_least_s: float = 0.15
    link_motion_s: float = 1.0
    link_appearance: float = 12.0
    link_appearance_most: float = 16.0
    link_appearance_gain: float = 6.0
    appearance_s: float = 0.4
    appearance_change: float = 15.0

    crowd_overlap: float = 0.15
    doubt_s: float = 0.1
    trust_s: float = 2.0
    trust_off: float = 0.04
    trust_spread: float = 3.0
    appearance_odd: float = 20.0
    mirror_per_s: float = 0.04
    mirror_most: float = 0.3
    face_width: float = 0.325
    face_width_step: float = 0.05
    nose_drop_step: float = 0.04
    nose_below: float = 3.0
    nose_above: float = 1.0

    gap_s: float = 1.0
    curve_s: float = 0.33
    fill_weight: float = 0.02
    outlier_s: float = 0.1
    outlier_floor: float = 0.01

    def reach_s(self, step_s: float) -> float:
        """For how long a track may be unseen before it is lost, where frames are `step_s` apart."""
        return max(self.lost_s, _STEPS_LOST * step_s)
