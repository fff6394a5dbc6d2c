"""What `pack.json` says of models that find the keypoints of one person in a crop of their box, and
of the detectors that find those boxes, whoever published them.

The constants of following and of scores are those that were measured best with MoveNet and YOLOX.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from annotate.domain.detector_kinds import FinalBoxes
from annotate.domain.landmark_kinds import HeatMap, SimCC
from annotate.domain.model_spec import DetectorSpec, LandmarkSpec
from annotate.domain.roi_rules import RoiFromBox, RoiFromKeypoints
from annotate.domain.skeleton import SKELETONS

# The crop about a person's box, in sides of the box: `GetBBoxCenterScale` of MMPose, and HRNet.
ROI_SCALE = 1.25
# Grey of the detectors' inputs outside the picture, which lies at the top left: as YOLOX and RTMDet
# are trained.
GREY = 114

# Skeletons of models for people, by the number of their keypoints.
SKELETON_OF: Mapping[int, str] = MappingProxyType(
    {
        len(skeleton.landmarks): name
        for name, skeleton in SKELETONS.items()
        if name in ("coco-17", "halpe-26", "wholebody-133")
    }
)


def keypoint_spec(common: Mapping[str, Any], decoder: SimCC | HeatMap, count: int) -> LandmarkSpec:
    """A landmark model.

    Args:
        common: the fields of `ModelSpec` besides the decoder.
        count: of its keypoints.
    """
    return LandmarkSpec(
        **common,
        decoder=decoder,
        count=count,
        # Every pose that a detection leads to counts, with the detection's score. The model's own
        # score is for people who are tracked without a detection.
        min_score=0.0,
        score="detection",
        min_start_score=0.0,
        next_roi=RoiFromKeypoints(scale=ROI_SCALE),
        second_look=False,
    )


def person_box_spec(
    common: Mapping[str, Any], decoder: FinalBoxes, roi_scale: float = ROI_SCALE
) -> DetectorSpec:
    """A person detector; arguments as in `keypoint_spec`."""
    return DetectorSpec(
        **common,
        grey=GREY,
        decoder=decoder,
        padding="top-left",
        min_score=0.1,
        min_new_score=0.3,
        roi=RoiFromBox(roi_scale),
    )


def why_not_simcc(x: Sequence[int], y: Sequence[int], size: tuple[int, int]) -> str:
    """Why outputs of these shapes are not the distributions (1, k, n) and (1, k, m) of keypoints
    over the columns and rows of a crop that is `size` wide and high; empty where they are.
    """
    if len(x) != 3 or len(y) != 3 or x[1] != y[1]:
        return f"its outputs are {tuple(x)} and {tuple(y)}, not two distributions a keypoint"
    if x[2] * size[1] != y[2] * size[0]:
        return f"{x[2]} and {y[2]} bins do not divide a crop of {size[0]} x {size[1]} evenly"
    return ""
