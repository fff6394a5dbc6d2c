"""All thresholds of the two-stage pipeline that change its answer."""

from dataclasses import asdict, dataclass

from annotate.domain.digests import digest_of
from annotate.domain.skeleton import oks_constants


@dataclass(frozen=True)
class PipelineSettings:
    """What is between the models. Its digest is part of a job's recipe: parts that were made with
    other values do not count as done.

    Attributes:
        code_version: raise it when code changes the pipeline's answer to the same frames.

        late_s: seconds by which a frame may be late and still count as on time, where a job asks
            for frames per second: frame rates are rarely exact.

        finest_tile: side of the finest tiles, as a fraction of the longer image side: 320 px of
            1920.
        tile_overlap: neighbouring tiles share at least this fraction of their side.
        tile_step: from level to level, tiles become smaller by at most this factor. It is about the
            range of sizes in which the detector finds a person, so that no size falls between two
            levels.
        tile_min_score: least score of a detection in a tile, where the pack's own is lower: a head,
            a foot or a lamp that fills a small tile is easily taken for a person.
        same_roi_iou: ROIs that overlap more are of the same person. What this misses costs a run of
            the landmark model, and is then removed as a duplicate pose.

        most_people: at most so many people are tracked in a frame: those that are tracked already,
            then those with the surest detections. It bounds the time and the memory of a picture,
            such as noise, in which a detector sees people everywhere; no crowd of which people can
            be told apart has so many.

        settled_iou: a newly detected person is looked at again where the ROI that the pose gives
            overlaps the first one by less.
        same_pose_oks: poses that are more alike (object keypoint similarity) are duplicates.
        turned_iou: where the picture is turned, boxes that overlap a better one by more than this
            are of the same person: of different views, they differ more than of one.
        turn_gain: a pose in another rotation counts where the mean visibility of its keypoints is
            more than so many times that in the known one. Without it, blurred and half hidden
            people are taken for turned ones.
        turn_again: a tracked person is looked at in all rotations again
            when the mean visibility of their keypoints falls below this fraction of the most that
            it was since the last such look.
        part_size: a pose around a joint of another one, and smaller than this fraction of it, is a
            body part and not a person.

        remembered_frames: people are forgotten every so many frames (rounded up to a multiple of
            `detect_every`), so that chunks can begin there. A person that the detector misses is
            then lost until the detector sees them again: 300 frames are 5 or 10 seconds.
        track_back_frames: a new person is tracked backwards through at most so many frames. On made
            scenes of people who cross, 10 save a quarter of all misses for a tenth more runs of the
            landmark model; 20 save no more, and all of them are kept in memory.
        occluded_s: a person who disappears is searched for so many seconds.
        min_seen_s: only a person who was seen for so many seconds before is searched for.
        motion_s: the motion of the last so many seconds predicts the position.
        drawn_s: the last so many seconds before a person disappears do not: poses are drawn towards
            the person in front before the occlusion is complete.
        appearance_poses: the median appearance of so many last poses is compared.
        min_appearances: with fewer poses than this, appearance is not compared.
        match_distance: a person found again is at most this far from the predicted position, in
            sides of the ROI.
        match_appearance: and their appearance differs by at most this many steps of colour.
        new_person_trust: in [0, 1]: how much a newly detected pose is trusted where it duplicates a
            pose of a tracked person, whose trust falls with distance and change of appearance.

        anchor_iou: a detected box is of a tracked person if it overlaps their last one, or their
            keypoints' box, by at least this.
        neighbour_overlap: two people overlap if the common part of their boxes is more than this
            fraction of the smaller one.
        box_margin: of people who overlap, the crop is black outside a person's box times this.
        painted_visibility: keypoints of a person in front with a higher visibility are painted
            over in the crops of those behind.
        hidden_visibility: keypoints of a person behind that lie where the crop is painted over get
            at most this visibility: the merge does not count them, exports label them as hidden.
        min_shown: a person who overlaps with others is not seen if their crop shows fewer than so
            many of COCO's keypoints.
        limb_width, head_radius: of what is painted, in the longer side of the keypoints' box.
        front_memory: in [0, 1]: of people who overlap, the one with the surest keypoints is in
            front; this much of the earlier frames' sureness is kept in each frame.

        trunk_down, trunk_across: where the colours of the trunk are sampled: fractions from the
            shoulders to the hips, and from the left to the right side.
        thigh_down: likewise, fractions from the hips to the knees.
    """

    code_version: int = 20

    late_s: float = 1e-3

    finest_tile: float = 1 / 6
    tile_overlap: float = 0.2
    tile_step: float = 2.6
    tile_min_score: float = 0.6
    same_roi_iou: float = 0.6
    most_people: int = 500

    settled_iou: float = 0.9
    same_pose_oks: float = 0.5
    turned_iou: float = 0.45
    turn_gain: float = 1.2
    turn_again: float = 0.75
    part_size: float = 0.2

    remembered_frames: int = 300
    track_back_frames: int = 10
    occluded_s: float = 1.5
    min_seen_s: float = 0.2
    motion_s: float = 1.0
    drawn_s: float = 0.1
    appearance_poses: int = 25
    min_appearances: int = 3
    match_distance: float = 0.15
    match_appearance: float = 15.0
    new_person_trust: float = 0.4

    anchor_iou: float = 0.3
    neighbour_overlap: float = 0.1
    box_margin: float = 1.25
    painted_visibility: float = 0.25
    hidden_visibility: float = 0.2
    min_shown: int = 6
    limb_width: float = 0.11
    head_radius: float = 0.074
    front_memory: float = 0.9

    trunk_down: tuple[float, ...] = (0.15, 0.35, 0.55, 0.75)
    trunk_across: tuple[float, ...] = (0.3, 0.5, 0.7)
    thigh_down: tuple[float, ...] = (0.25, 0.5, 0.75)

    @property
    def digest(self) -> str:
        """16 hex digits over all values, and those of OKS."""
        return digest_of({**asdict(self), **oks_constants()})[:16]
