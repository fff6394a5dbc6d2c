"""AI Hub's models that find the keypoints of one person in a crop, and its person detectors.

What AI Hub's metadata says of the input of RTMPose-Body2d and LiteHRNet, RGB in [0, 1], is not what
their graphs take: they begin (`model.py` of each in `qai_hub_models`) by exchanging red and blue,
and subtract means in 0-255. After that the network wants red first, as MMPose trains it; so the
input is BGR in 0-255, which is also what `RTMPosebody2dApp` feeds. HRNetPose scales RGB in [0, 1]
as HRNet was trained. YOLOX multiplies by 255 and was trained on BGR. RTMDet is fed as in AI Hub's
evaluation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from annotate.domain.detector_kinds import FinalBoxes
from annotate.domain.landmark_kinds import HeatMap, SimCC
from annotate.domain.model_spec import Channels
from annotate.domain.skeleton import SKELETONS
from annotate.packs.asset import Asset
from annotate.packs.asset_stage import Common, StageMetadata
from annotate.packs.built import Built, Published
from annotate.packs.top_down import keypoint_spec, person_box_spec, why_not_simcc

_LABELS = "class_idx"


@dataclass(frozen=True)
class TopDownAsset:
    """A model that AI Hub publishes in a zip of its own.

    Attributes:
        title: of its page.
        channels, high: order of the colours of its input, and the value that 255 becomes.
        decoder: the kind of its outputs.
        skeleton: of its keypoints; empty for a person detector.
    """

    title: str
    channels: Channels
    high: float
    decoder: SimCC | HeatMap | FinalBoxes
    skeleton: str = ""


_BOXES = FinalBoxes("boxes", "scores", _LABELS, nms_iou=0.6)

# By AI Hub's name of the model.
TOP_DOWN: Mapping[str, TopDownAsset] = MappingProxyType(
    {
        "rtmpose_body2d": TopDownAsset(
            "RTMPose-Body2d", "BGR", 255.0, SimCC("pred_x", "pred_y"), "wholebody-133"
        ),
        "hrnet_pose": TopDownAsset("HRNetPose", "RGB", 1.0, HeatMap("heatmaps"), "coco-17"),
        "litehrnet": TopDownAsset("LiteHRNet", "BGR", 255.0, HeatMap("heatmaps"), "coco-17"),
        "yolox": TopDownAsset("YOLOX", "BGR", 1.0, _BOXES),
        "rtmdet": TopDownAsset("RTMDet", "RGB", 1.0, _BOXES),
    }
)


def top_down(asset: Asset) -> Published:
    """The only model of the asset.

    Raises:
        PackError: it is not the model that AI Hub publishes under that name.
    """
    known = TOP_DOWN[asset.model_id]
    stage = asset.stage(asset.model_id)
    model = asset.models[asset.model_id]
    common = _common(stage, known)
    name = asset.named(f"qualcomm-{asset.model_id.replace('_', '-')}")
    decoder = known.decoder
    match decoder:
        case FinalBoxes():
            _check_boxes(stage)
            detector = Built(person_box_spec(common, decoder), model)
            return Published(name, asset.source, detector=detector)
        case SimCC():
            _check_simcc(stage, decoder, common["size"], known.skeleton)
        case HeatMap():
            _check_heatmap(stage, decoder, common["size"], known.skeleton)
    count = len(SKELETONS[known.skeleton].landmarks)
    landmark = Built(keypoint_spec(common, decoder, count), model)
    return Published(name, asset.source, landmark=landmark, skeleton=known.skeleton)


def _common(stage: StageMetadata, known: TopDownAsset) -> Common:
    values = (0.0, known.high)
    stage.check_reach(values)
    common = stage.common(known.decoder.outputs, labels=_LABELS)
    return {**common, "value_range": values, "channels": known.channels}


def _check_boxes(stage: StageMetadata) -> None:
    _, rows, _ = stage.expect("boxes", (1, None, 4))
    stage.expect("scores", (1, rows))
    stage.expect(_LABELS, (1, rows))


def _check_simcc(
    stage: StageMetadata, decoder: SimCC, size: tuple[int, int], skeleton: str
) -> None:
    count = len(SKELETONS[skeleton].landmarks)
    x, y = (stage.expect(name, (1, count, None)) for name in decoder.outputs)
    if why := why_not_simcc(x, y, size):
        raise stage.unfit(why)


def _check_heatmap(
    stage: StageMetadata, decoder: HeatMap, size: tuple[int, int], skeleton: str
) -> None:
    count = len(SKELETONS[skeleton].landmarks)
    _, _, rows, columns = stage.expect(decoder.heatmap, (1, count, None, None))
    if rows * size[0] != columns * size[1]:
        raise stage.unfit(f"its {columns} x {rows} cells have other proportions than its picture")
