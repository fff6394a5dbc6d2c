"""BlazePose: MediaPipe's own two Pose models, 33 landmarks, whole body.

This program may not ship the weights: they come from MediaPipe's official wheel. The constants are
those of MediaPipe's graphs `pose_detection_cpu`, `pose_detection_to_roi`,
`pose_landmark_by_roi_cpu` and `tensors_to_pose_landmarks_and_segmentation`.
"""

import hashlib
from pathlib import Path
from typing import Literal

from annotate.domain.detector_kinds import Ssd
from annotate.domain.landmark_kinds import BlazePose
from annotate.domain.model_spec import DetectorSpec, LandmarkSpec
from annotate.domain.pack import Pack
from annotate.domain.roi_rules import RoiFromPoints
from annotate.packs.built import Built, write_pack
from annotate.packs.convert import convert
from annotate.packs.wheel import Member

NAME = "blazepose-full"
SKELETON = "blazepose-33"
REQUIREMENT = "mediapipe==0.10.21"
# MediaPipe's model_complexity 0, 1 and 2.
Size = Literal["lite", "full", "heavy"]

DETECTOR = Member(
    "mediapipe/modules/pose_detection/pose_detection.tflite",
    "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
)
LANDMARK = Member(
    "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
    "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
)


def build_pack(detector_tflite: bytes, landmark_tflite: bytes, folder: Path) -> Pack:
    """Write the pack into the existing empty `folder` and return its description.

    Raises:
        PackError: a model cannot be converted.
        OSError: the folder is not writable.
    """
    detector = convert_detector(detector_tflite)
    landmark = convert_landmark(landmark_tflite, "full")
    pack = Pack(NAME, SKELETON, REQUIREMENT, detector.spec, landmark.spec)
    write_pack(folder, pack, (detector, landmark))
    return pack


def convert_detector(tflite: bytes) -> Built[DetectorSpec]:
    """The model that finds people by their faces, the same in every pack.

    Raises:
        PackError: the model cannot be converted.
    """
    model = convert(
        tflite, "pose_detection", "image", {"boxes": "Identity", "scores": "Identity_1"}
    )
    return Built(_detector_spec("pose_detection.onnx", model), model)


def convert_landmark(tflite: bytes, size: Size) -> Built[LandmarkSpec]:
    """The landmark model of one size; they differ in their weights only.

    Raises:
        PackError: the model cannot be converted.
    """
    # The segmentation is left out: without its branch the model takes half the time.
    model = convert(
        tflite,
        f"pose_landmark_{size}",
        "image",
        {
            "landmarks": "Identity",
            "flag": "Identity_1",
            "heatmap": "Identity_3",
            "world": "Identity_4",
        },
    )
    return Built(_landmark_spec(f"pose_landmark_{size}.onnx", model), model)


def _detector_spec(file: str, model: bytes) -> DetectorSpec:
    return DetectorSpec(
        file=file,
        sha256=hashlib.sha256(model).hexdigest(),
        input="image",
        layout="NHWC",
        size=(224, 224),
        value_range=(-1.0, 1.0),
        decoder=Ssd(
            boxes=("boxes",),
            scores=("scores",),
            strides=(8, 16, 32, 32, 32),
            anchor_offset=0.5,
            box_scale=224.0,
            score_clip=100.0,
            nms="weighted",
            nms_iou=0.3,
        ),
        min_score=0.5,
        roi=RoiFromPoints(centre=0, tip=1, scale=1.25),
    )


def _landmark_spec(file: str, model: bytes) -> LandmarkSpec:
    return LandmarkSpec(
        file=file,
        sha256=hashlib.sha256(model).hexdigest(),
        input="image",
        layout="NHWC",
        size=(256, 256),
        value_range=(0.0, 1.0),
        border="replicate",
        decoder=BlazePose(
            landmarks="landmarks",
            columns=("x", "y", "z", "visibility", "presence"),
            landmarks_scale=1.0,
            logits=True,
            flag="flag",
            heatmap="heatmap",
            heatmap_window=9,
            heatmap_min=0.5,
            world="world",
        ),
        count=33,
        min_score=0.5,
        next_roi=RoiFromPoints(centre=33, tip=34, scale=1.25),
    )
