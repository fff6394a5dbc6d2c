"""What the steps of the work cost, as measured: the constants of `annotate.numeric.costs`.

`python -m tests.benchmarks.cost_constants VIDEO...` measures all but the NPUs' times again, and
prints each beside the value that is held here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class DecodeCost:
    """What a decoder takes of one core.

    Attributes:
        pixel_ns: nanoseconds for a pixel of the stored frame.
        byte_ns: and for a byte of the file.
        skipped: share of that which a frame takes that is not annotated: the decoder leaves those
            out that no other frame is made of.
    """

    pixel_ns: float
    byte_ns: float
    skipped: float = 1.0


@dataclass(frozen=True, kw_only=True)
class CostConstants:
    """Times are of one core of the host that they were measured on.

    Attributes:
        yardstick_ms: of `annotate.use_cases.host_speed.yardstick_ms`, which compares hosts.
        model_byte_pixel_ns: of a convolutional model, where it was not timed: its multiplications
            grow with the bytes of its file and with the pixels that it sees.
        decode: by codec; `""` for all others.
        picture_pixel_ns: to make a frame RGB, in MediaPipe's mode, for a displayed pixel.
        planes_pixel_ns: to have the planes of a frame instead, from which crops are else taken.
        frame_ms: all else that a frame takes.
        view_ms: before and after a run of a detector.
        look_ms: before and after a run of the landmark model.
        looks_alone: runs of the landmark model for a pose, where every frame is looked at alone.
        looks_twice: the same where new people are looked at twice, and searched for in tiles.
        looks_tracked: the same where people are tracked from frame to frame.
        part_pose_us: to write a pose into a part.
        merge_pose_us, merge_value_us: to merge a pose, and each of its numbers.
        export_frame_us, export_pose_us: to write a frame and a pose as COCO.
        start_s: of a job, however long.
        process_s: of a worker process, models loaded.
        video_s: of a video.
        file_b: bytes of a part, of a tracks file and of an index, without their rows.
        index_frame_b: bytes of a frame in an index and a part.
        part_value_b, tracks_value_b: bytes of a number of a pose.
        coco_frame_b, coco_pose_b: bytes of a frame and of a pose in COCO.
    """

    yardstick_ms: float
    model_byte_pixel_ns: float
    decode: Mapping[str, DecodeCost]
    picture_pixel_ns: float
    planes_pixel_ns: float
    frame_ms: float
    view_ms: float
    look_ms: float
    looks_alone: float
    looks_twice: float
    looks_tracked: float
    part_pose_us: float
    merge_pose_us: float
    merge_value_us: float
    export_frame_us: float
    export_pose_us: float
    start_s: float
    process_s: float
    video_s: float
    file_b: float
    index_frame_b: float
    part_value_b: float
    tracks_value_b: float
    coco_frame_b: float
    coco_pose_b: float


@dataclass(frozen=True)
class NpuCard:
    """The times of MediaPipe-Pose on an NPU, as AI Hub's card of the model has them.

    Attributes:
        title: of the SoC.
        detector_ms, landmark_ms: of a run of the float models.
    """

    title: str
    detector_ms: float
    landmark_ms: float


# AI Hub's card of MediaPipe-Pose-Estimation: precompiled QNN ONNX, float.
NPU_CARDS = (
    NpuCard("Snapdragon X Elite", 0.892, 0.792),
    NpuCard("Snapdragon X2 Elite", 0.492, 0.490),
    NpuCard("QCS8550", 0.862, 0.767),
    NpuCard("IQ-9075", 1.473, 1.188),
)
# Bytes and pixels of the card's landmark model: other models are taken to be as much slower as
# their files and inputs are larger.
CARD_LANDMARK_BYTES, CARD_LANDMARK_PIXELS = 12_200_000, 256 * 256

# Two virtual cores of an AMD EPYC (Zen 4, AVX-512, VNNI) of a shared host, 2026-11-29.
MEASURED = CostConstants(
    yardstick_ms=7.7,
    model_byte_pixel_ns=1.6e-5,
    decode=MappingProxyType(
        {
            "h264": DecodeCost(1.24, 120.0, skipped=0.5),
            "hevc": DecodeCost(1.59, 249.0),
            "vp9": DecodeCost(1.37, 149.0),
            "av1": DecodeCost(0.64, 86.0),
            "mpeg4": DecodeCost(0.40, 15.7),
            "mpeg2video": DecodeCost(0.25, 19.4),
            "mjpeg": DecodeCost(1.17, 8.6),
            "prores": DecodeCost(1.19, 13.2),
            "": DecodeCost(1.5, 100.0),
        }
    ),
    picture_pixel_ns=0.55,
    planes_pixel_ns=0.02,
    frame_ms=0.9,
    view_ms=0.65,
    look_ms=1.7,
    looks_alone=1.05,
    looks_twice=4.0,
    looks_tracked=1.03,
    part_pose_us=5.4,
    merge_pose_us=21.5,
    merge_value_us=0.081,
    export_frame_us=2.9,
    export_pose_us=24.3,
    start_s=1.75,
    process_s=0.31,
    video_s=0.06,
    file_b=4000.0,
    index_frame_b=20.0,
    part_value_b=3.71,
    tracks_value_b=7.23,
    coco_frame_b=155.0,
    coco_pose_b=642.0,
)
