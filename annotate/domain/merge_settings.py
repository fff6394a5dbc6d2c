"""Every threshold of the merge, and the digest of them all.

Times are in seconds. Lengths are in body heights, unless the comment says pixels. Differences of
appearance are root mean squares over the colours, in steps of 0 to 255.
"""

from dataclasses import asdict, dataclass

from annotate.domain.digests import digest_of
from annotate.domain.skeleton import oks_constants


@dataclass(frozen=True)
class PoseSettings:
    """Which keypoints and poses of one frame count."""

    # Keypoints with a lower visibility count neither in similarities nor in scores.
    min_visibility: float = 0.2
    # Landmarks with a lower presence do not widen the box of a pose.
    min_presence: float = 0.5
    # The margin of a box about its landmarks, as a fraction of each side.
    box_margin: float = 0.1
    # Of two poses of one frame with a higher OKS, the worse one is a duplicate and is dropped.
    duplicate_oks: float = 0.7
    # With a higher OKS than this, the worse one may be a duplicate: it is kept, but suspect.
    near_duplicate_oks: float = 0.4
    # A pose may be a limb taken for a person if another box covers this fraction of its box,
    limb_inside: float = 0.9
    # and if it is less tall than this fraction of the other box.
    limb_height: float = 0.75
    # A pose is crowded while another box covers more than this fraction of its box.
    crowded_overlap: float = 0.15


@dataclass(frozen=True)
class TrackletSettings:
    """Which poses of neighbouring frames surely show the same person."""

    # The weight of OKS in the similarity of two poses; the rest is the IoU of buffered boxes.
    oks_weight: float = 0.6
    # COCO's sigmas are multiplied by this, since people move between frames.
    oks_sigma_scale: float = 2.0
    # Boxes grow by this fraction of their sides on each side before their IoU is taken.
    box_buffer: float = 0.3
    # Poses of neighbouring frames with at least this similarity are linked,
    clear_similarity: float = 0.7
    # if any other pose is less similar by at least this.
    clear_margin: float = 0.15
    # From this similarity on, two people are so close that one may be taken for the other.
    touch_similarity: float = 0.35


@dataclass(frozen=True)
class SwapSettings:
    """Where a tracklet goes over from one person to another."""

    # The appearance so many seconds before is compared with that after each pose,
    window_s: float = 0.4
    # but of at most so many poses: memory must not grow with a time divided by a frame's time.
    max_window_poses: int = 120
    # On each side of a swap there are at least so many poses.
    min_poses: int = 3
    # A larger difference of appearance, in steps of colour, is another person's.
    min_difference: float = 15.0
    # The light changes what a person looks like, too. A swap is therefore only looked for where
    # shoulders and hips move, within that time and from one pose to the next, by more than so many
    # times their usual step,
    least_steps: float = 2.5
    # which is taken to be at least this, in sides of the ROI,
    min_step: float = 0.002
    # or where the hips of another pose are nearer than this, in sides of the ROI.
    close: float = 0.6
    # A swap is sure if they move by more than so many usual steps
    sure_steps: float = 4.0
    # and the appearance changes by more than so many times its usual scatter before and after,
    sure_scatters: float = 4.0
    # which is taken to be at least so many steps of colour.
    min_scatter: float = 2.0


@dataclass(frozen=True)
class TrackerSettings:
    """Which tracklets continue a track within a moment."""

    # A tracklet that is less similar to the track's predicted pose does not continue it.
    min_similarity: float = 0.3
    # A tracklet whose best score is lower starts no track. Scores of another kind of model are of
    # another scale: a job takes this from its pack, whose digest is in the recipe.
    min_start_score: float = 0.4
    # A track ends when its person is unseen for longer than this, in seconds,
    max_unseen_s: float = 0.1
    # and for longer than so many times the usual time between frames.
    max_unseen_steps: float = 1.5
    # The velocity of a track is taken over so many last seconds.
    velocity_window_s: float = 0.15
    # The appearance of few poses tells nothing: a comparison needs at least so many.
    min_appearance_poses: int = 3

    def unseen_s(self, step_s: float) -> float:
        """For how many seconds a person may be unseen where frames are `step_s` apart."""
        return max(self.max_unseen_s, self.max_unseen_steps * step_s)


@dataclass(frozen=True)
class LinkSettings:
    """Which tracks are one person, before and after a gap, and which tracks are dropped."""

    # Tracks shorter than 0.2 s, with all tracks linked to them, are dropped, unless they reach both
    # ends of the frames that are annotated and not damaged.
    min_track_s: float = 0.2
    # Tracks shorter than 2 s are dropped as limbs or duplicates, where more than 0.2 s are shown,
    max_suspect_s: float = 2.0
    # if at least this fraction of their poses are suspect.
    min_suspect_fraction: float = 0.5
    # Tracks shorter than that, with all tracks linked to them, are dropped, too, if their box holds
    # at least this fraction of the box of one other track
    double_holds: float = 0.8
    # in at least this fraction of their poses.
    double_fraction: float = 0.7
    # The longest gap in seconds between the end of a track and the start of the next one.
    max_gap_s: float = 5.0
    # For so many seconds the end of a track may overlap the start of the next one: two poses of one
    # body, of which the later track's is taken.
    max_overlap_s: float = 0.15
    # The greatest cost of a link.
    max_cost: float = 16.0
    # The weight of a link in an ambiguous place: where a person appeared or vanished close by.
    ambiguous_weight: float = 0.5
    # How far a person usually is from the expected place, in heights,
    place: float = 0.08
    # and how much farther for each second unseen, in heights a second.
    drift: float = 0.25
    # How fast people usually move where their velocity is unknown, in heights a second.
    speed: float = 0.6
    # How much the velocity usually changes, in heights a second.
    turn: float = 0.5
    # The greatest cost of a change of velocity: people do turn back.
    max_turn_cost: float = 5.0
    # How much the logarithm of a person's size usually differs.
    growth: float = 0.25
    # How much the logarithms of bone lengths usually differ.
    bones: float = 0.4
    # Bones are taken for at least this long, in heights.
    min_bone: float = 0.01
    # How much the appearance of one person usually differs, in steps of colour.
    appearance: float = 12.0
    # The greatest cost of a difference of appearance: light changes.
    max_appearance_cost: float = 16.0
    # What equal appearance takes off the cost.
    appearance_gain: float = 6.0
    # The appearance at an end of a track is that of poses that are not crowded, if there are so
    # many.
    min_clear_poses: int = 3
    # Motion, size and appearance at an end of a track are taken over so many seconds.
    end_window_s: float = 1.0
    # Poses that spread over so many seconds (standard deviation) tell half of their velocity.
    velocity_spread_s: float = 0.045
    # The weight of a velocity of zero in the mean of the velocities before and after.
    standstill_weight: float = 0.1
    # Tracks shorter than so many seconds tell no motion: they only fill gaps between others.
    min_motion_s: float = 0.15
    # Tracks take turns on one body only where no other pose is nearer than so many heights.
    min_apart: float = 0.5
    # A track fills a gap if it is nearer to the straight way across it than so many `place`.
    max_fill_places: float = 2.0
    # The side of an upright person's ROI, in heights.
    roi_per_height: float = 1.35


@dataclass(frozen=True)
class OcclusionSettings:
    """Which poses of a track are rejected because people hide each other."""

    # Poses are checked while they are crowded, and for so many seconds before and after.
    check_s: float = 0.1
    # The other poses within so many seconds before and after are trusted.
    trust_s: float = 2.0
    # A check needs so many trusted poses on each side.
    min_trusted: int = 3
    # A curve is laid through so many of them, spread over their time.
    curve_samples: int = 24
    # Shoulders and hips may be so far from the curve, in heights,
    max_distance: float = 0.04
    # or so many times as far as the trusted ones are.
    max_distance_ratio: float = 3.0
    # Poses off the curve are the person's own if shoulders and hips move from frame to frame, all
    # the way from the trusted poses before to those after, by no more than this, in heights: poses
    # that two people are mixed in come or go with a jump.
    max_step: float = 0.025
    # The appearance may differ by so many steps of colour from the trusted poses.
    max_difference: float = 20.0
    # The length from hips to shoulders, in heights.
    trunk_per_height: float = 0.3


@dataclass(frozen=True)
class LeftRightSettings:
    """Which poses of a track have left and right exchanged."""

    # What an exchanged pose costs a second, as a way of the keypoints in heights.
    cost_per_s: float = 0.04
    # Over longer steps than so many seconds, motion tells less and an exchange costs no more.
    max_step_s: float = 0.1
    # The longest way from one frame to the next that counts, in heights.
    max_way: float = 0.3
    # A face that is narrower than so many shoulder lengths may be none,
    face_width: float = 0.325
    # by one step for each of these shoulder lengths.
    face_width_step: float = 0.05
    # It is a face by one step for each of these shoulder lengths that the nose is below the ears,
    nose_drop_step: float = 0.04
    # by at most so many steps where the nose is below,
    max_steps_below: float = 3.0
    # and at most so many steps less where it is above.
    max_steps_above: float = 1.0


@dataclass(frozen=True)
class SmoothingSettings:
    """How the poses of a track are smoothed and its gaps filled."""

    # Gaps up to so many seconds are filled; the smoother starts afresh after longer ones.
    max_gap_s: float = 1.0
    # In gaps longer than so many seconds, a straight line counts too: limbs do not swing on.
    straight_after_s: float = 0.33
    # The weight of that line, where a pose that was seen weighs about 1.
    straight_weight: float = 0.02
    # Landmarks are compared with their neighbours within so many seconds before and after,
    outlier_window_s: float = 0.1
    # but with at most so many on each side: time must not grow with a time divided by a frame's.
    max_outlier_neighbours: int = 25
    # An outlier is farther from their median than so many robust standard deviations,
    outlier_sigmas: float = 3.0
    # than this in heights of the pose,
    min_outlier: float = 0.01
    # and than so many pixels.
    min_outlier_px: float = 1.0
    # The cut-off is at most this fraction of the mean frame rate.
    max_cutoff_per_fps: float = 0.4
    # Landmarks weigh the square of their visibility, but of no less than this.
    min_confidence: float = 0.05
    # Poses that are so many seconds away no longer move a smoothed one by a millionth.
    memory_s: float = 2.0
    # Poses that are more than so many frames away from a block are not used to smooth it, however
    # little time that is.
    max_memory_frames: int = 2000


@dataclass(frozen=True)
class MergeSettings:
    """How poses become tracks. The digest is part of a job: tracks that were made with other values
    do not count as done.
    """

    # Raise it when code changes the merge's answer to the same parts.
    code_version: int = 19
    # The frequency in Hz at which the smoother's response is one half; None leaves poses as they
    # are and gaps open.
    smooth_hz: float | None = 6.0
    # Blocks begin at the multiples of so many frames.
    block_frames: int = 1024
    # A block is finished with at most so many blocks before and after it, however little time that
    # is: memory must not grow with a time divided by a frame's time.
    max_window_blocks: int = 16
    # Similarities and costs are rounded to this fraction of 1, so that equal ones are equal on all
    # processors.
    rounding_steps: float = 1e6
    pose: PoseSettings = PoseSettings()
    tracklet: TrackletSettings = TrackletSettings()
    swap: SwapSettings = SwapSettings()
    tracker: TrackerSettings = TrackerSettings()
    link: LinkSettings = LinkSettings()
    occlusion: OcclusionSettings = OcclusionSettings()
    left_right: LeftRightSettings = LeftRightSettings()
    smoothing: SmoothingSettings = SmoothingSettings()

    @property
    def digest(self) -> str:
        """16 hex digits over all values, and those of OKS."""
        return digest_of({**asdict(self), **oks_constants()})[:16]

    @property
    def look_ahead_s(self) -> float:
        """How many seconds after a block its tracks may still depend on.

        Tracks are decided on as far as the smoother sees; what follows those must be known.
        """
        return (
            self.smoothing.memory_s
            + max(self.link.max_gap_s, self.link.max_suspect_s, self.occlusion.trust_s)
            + self.tracker.max_unseen_s
            + self.link.end_window_s
        )

    @property
    def look_back_s(self) -> float:
        """How many seconds before a block its tracks may still depend on."""
        return max(self.smoothing.memory_s, self.link.max_gap_s + self.link.end_window_s)
