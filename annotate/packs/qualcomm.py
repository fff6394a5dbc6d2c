"""The pack `qualcomm-mediapipe-pose`: AI Hub's MediaPipe-Pose-Estimation, 25 landmarks, upper body.

The descriptions of tensors come from the asset's metadata. The other constants are those of
`qai_hub_models.models.mediapipe_pose` (`model.py`, `app.py`) and of the model that it exports,
`BlazePose` and `BlazePoseLandmark` of zmurez/MediaPipePyTorch.

The landmarks have the order of BlazePose's first 25. MediaPipe's graph of that time calls number 11
the right shoulder, but it is the person's left one (issue 1101 of google-ai-edge/mediapipe). That
graph does not read the fourth column; here it is the logit of visibility, as in all later models.
"""

from annotate.domain.detector_kinds import Ssd
from annotate.domain.landmark_kinds import BlazePose
from annotate.domain.model_spec import DetectorSpec, LandmarkSpec
from annotate.domain.roi_rules import RoiFromPoints
from annotate.packs.asset import Asset
from annotate.packs.asset_stage import StageMetadata
from annotate.packs.built import Built, Published

MODEL_ID = "mediapipe_pose"
TITLE = "MediaPipe-Pose-Estimation"
NAME = "qualcomm-mediapipe-pose"
SKELETON = "blazepose-25"
LANDMARKS = 25
BOX_VALUES = 12  # centre, size, four points
COLUMNS = ("x", "y", "z", "visibility")
_DETECTOR, _LANDMARK = "pose_detector", "pose_landmark_detector"


def mediapipe_pose(asset: Asset) -> Published:
    """Both models of the asset.

    Raises:
        PackError: they are not those of MediaPipe-Pose-Estimation.
    """
    detector, landmark = asset.stage(_DETECTOR), asset.stage(_LANDMARK)
    return Published(
        asset.named(NAME),
        asset.source,
        detector=Built(_detector_spec(detector), asset.models[_DETECTOR]),
        landmark=Built(_landmark_spec(landmark), asset.models[_LANDMARK]),
        skeleton=SKELETON,
    )


def _detector_spec(stage: StageMetadata) -> DetectorSpec:
    boxes = sorted(name for name in stage.outputs if name.startswith("box_coords"))
    scores = sorted(name for name in stage.outputs if name.startswith("box_scores"))
    common = stage.common(boxes + scores)
    width, height = common["size"]
    if width != height:
        raise stage.unfit(f"its picture is {width} x {height}, which is not a square")
    decoder = Ssd(
        boxes=tuple(boxes),
        scores=tuple(scores),
        strides=(8, 16, 16, 16),
        anchor_offset=0.5,
        box_scale=float(width),
        score_clip=100.0,
        nms="hard",
        nms_iou=0.3,
    )
    for names, values in ((boxes, BOX_VALUES), (scores, 1)):
        shapes = [stage.outputs[name].shape for name in names]
        anchors = sum(shape[1] for shape in shapes if len(shape) == 3)
        if anchors != decoder.anchors(width) or any(shape[::2] != (1, values) for shape in shapes):
            raise stage.unfit(
                f"{names} {shapes} are not {values} values for {decoder.anchors(width)} anchors"
            )
    return DetectorSpec(
        **common,
        decoder=decoder,
        min_score=0.75,
        roi=RoiFromPoints(centre=2, tip=3, scale=1.5),
    )


def _landmark_spec(stage: StageMetadata) -> LandmarkSpec:
    stage.expect("landmarks", (1, LANDMARKS, len(COLUMNS)))
    stage.expect("scores", (1,))
    return LandmarkSpec(
        **stage.common(["landmarks", "scores"]),
        decoder=BlazePose(
            landmarks="landmarks",
            columns=COLUMNS,
            # The exported model divides all four columns by 256, even the logits of visibility.
            landmarks_scale=256.0,
            confidence_scale=256.0,
            logits=True,
            flag="scores",
        ),
        count=LANDMARKS,
        min_score=0.5,
    )
