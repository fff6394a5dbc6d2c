"""What annotating videos is expected to cost: seconds of cores, runs of models, bytes on disk.

Every step has a constant (`annotate.numeric.cost_constants`) that is multiplied by how often it is
done. What cannot be known before is how many people the frames show: it is an argument.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from annotate.domain.detector_kinds import Ssd
from annotate.domain.job import Recipe
from annotate.domain.landmark_kinds import BlazePose
from annotate.domain.model_spec import LandmarkSpec, ModelSpec
from annotate.domain.pack import Pack
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.numeric.cost_constants import (
    CARD_LANDMARK_BYTES,
    CARD_LANDMARK_PIXELS,
    MEASURED,
    CostConstants,
    NpuCard,
)
from annotate.numeric.geometry import tile_rois

LANDMARK = "landmark"


@dataclass(frozen=True)
class VideoLoad:
    """What of a video matters for its cost.

    Attributes:
        codec: FFmpeg's name.
        stored_pixels: of a frame as it is stored.
        width, height: of the displayed frame in pixels.
        frames: that are annotated.
        decoded: frames that are decoded for them.
        decoded_bytes: of the file, that hold those.
        chunks: that it is cut into.
    """

    codec: str
    stored_pixels: int
    width: int
    height: int
    frames: int
    decoded: int
    decoded_bytes: float
    chunks: int = 1


@dataclass(frozen=True)
class HostSpeed:
    """How fast a host is.

    Attributes:
        model_ms: of a run of each model, by its stage: core time, or time of the accelerator.
        slowness: time that all else takes, in times of the host of the constants.
        accelerated: the models run on an accelerator and take no core time.
    """

    model_ms: Mapping[str, float]
    slowness: float = 1.0
    accelerated: bool = False


@dataclass(frozen=True)
class Cost:
    """What is expected of a job. All of it grows linearly with frames and with people.

    Attributes:
        frames: that are annotated.
        poses: people in them.
        core_s: seconds of one core, by step: `start`, `decoding`, `models`, `between` (the models)
            and `merge`.
        accelerator_s: seconds of an accelerator, where one runs the models.
        export_s: seconds of one core for an export as COCO.
        runs: of each model, by its stage.
        disk_b: bytes, by what holds them: `parts`, `tracks`, and `coco` (an export).
    """

    frames: int
    poses: float
    core_s: Mapping[str, float] = field(default_factory=dict)
    accelerator_s: float = 0.0
    export_s: float = 0.0
    runs: Mapping[str, float] = field(default_factory=dict)
    disk_b: Mapping[str, float] = field(default_factory=dict)

    @property
    def total_core_s(self) -> float:
        """Seconds of one core, an export not included."""
        return sum(self.core_s.values())

    @property
    def chunks_core_s(self) -> float:
        """The same for the chunks alone."""
        return sum(self.core_s[step] for step in ("decoding", "models", "between"))


def estimate(
    videos: Sequence[VideoLoad],
    pack: Pack,
    recipe: Recipe,
    host: HostSpeed,
    people: float,
    processes: int = 1,
    constants: CostConstants = MEASURED,
) -> Cost:
    """What annotating these videos is expected to cost.

    Args:
        people: poses in a frame, in the mean.
        processes: that start and load the models.
    """
    runs = _runs(videos, pack, recipe, people, constants)
    poses = people * sum(video.frames for video in videos)
    frames = sum(video.frames for video in videos)
    models_s = sum(count * host.model_ms[stage] for stage, count in runs.items()) / 1e3
    views = sum(count for stage, count in runs.items() if stage != LANDMARK)
    between_ms = (
        constants.frame_ms * frames
        + constants.view_ms * views
        + constants.look_ms * runs[LANDMARK]
        + constants.part_pose_us / 1e3 * poses
    )
    pictures_s = sum(_pictures_s(video, recipe, constants) for video in videos)
    values = pose_values(pack.landmark)
    merge_us = poses * (constants.merge_pose_us + constants.merge_value_us * values)
    core_s = {
        "start": constants.start_s
        + processes * constants.process_s
        + len(videos) * constants.video_s,
        "decoding": sum(_decoding_s(video, constants) for video in videos),
        "between": between_ms / 1e3 + pictures_s,
        "merge": merge_us / 1e6,
    }
    here = {step: seconds * host.slowness for step, seconds in core_s.items()}
    export_us = constants.export_frame_us * frames + constants.export_pose_us * poses
    return Cost(
        frames=frames,
        poses=poses,
        core_s=MappingProxyType({**here, "models": 0.0 if host.accelerated else models_s}),
        accelerator_s=models_s if host.accelerated else 0.0,
        export_s=export_us / 1e6 * host.slowness,
        runs=MappingProxyType(runs),
        disk_b=MappingProxyType(_disk_b(videos, pack.landmark, poses, constants)),
    )


def wall_s(cost: Cost, processes: int, chunks: int, constants: CostConstants = MEASURED) -> float:
    """Expected seconds until a job is done, where nothing else works on the host: chunks are done
    at the same time, each by one process; start and merge are not shared.
    """
    alone_s = cost.total_core_s - cost.chunks_core_s - (processes - 1) * constants.process_s
    return alone_s + cost.chunks_core_s / max(1, min(processes, chunks))


def model_core_ms(size_bytes: int, pixels: int, constants: CostConstants = MEASURED) -> float:
    """Expected milliseconds of one core for a run of a model that was not timed.

    Args:
        size_bytes: of its file.
        pixels: of its input.
    """
    return constants.model_byte_pixel_ns * size_bytes * pixels / 1e6


def npu_ms(card: NpuCard, spec: ModelSpec, size_bytes: int) -> float:
    """Milliseconds of a run of a model on an NPU.

    Args:
        size_bytes: of its file.
    """
    factor = npu_factor(spec, size_bytes)
    if factor is not None:
        return card.landmark_ms * factor
    return card.detector_ms if isinstance(spec.decoder, Ssd) else card.landmark_ms


def npu_factor(spec: ModelSpec, size_bytes: int) -> float | None:
    """How much longer than the landmark model of the cards a model takes, by its file and input;
    None where the cards have the model itself, or one of its kind.
    """
    if isinstance(spec.decoder, (Ssd, BlazePose)):
        return None
    width, height = spec.size
    return size_bytes * width * height / CARD_LANDMARK_BYTES / CARD_LANDMARK_PIXELS


def pose_values(landmark: LandmarkSpec) -> int:
    """How many numbers a pose has that tell something.

    Models without world landmarks know neither depth nor presence, whose columns hold one number.
    """
    world = landmark.world_axes
    return landmark.count * (5 + world if world else 3)


def views_of(pack: Pack, recipe: Recipe, width: int, height: int) -> int:
    """How many pictures each detector of a pack sees of a frame of that size."""
    if not pack.is_tiled(recipe.people):
        return recipe.rotations
    return len(tile_rois(width, height, max(pack.detector.size), PipelineSettings()))


def _runs(
    videos: Sequence[VideoLoad],
    pack: Pack,
    recipe: Recipe,
    people: float,
    constants: CostConstants,
) -> dict[str, float]:
    """Runs of each model, by its stage."""
    views = sum(
        video.frames / recipe.detect_every * views_of(pack, recipe, video.width, video.height)
        for video in videos
    )
    looks = constants.looks_tracked
    if recipe.detect_every == 1:
        # In MediaPipe's mode no one is looked at twice.
        twice = pack.landmark.second_look and recipe.people == "all"
        looks = constants.looks_twice if twice else constants.looks_alone
        looks *= recipe.rotations  # those who are tracked are seen in the rotation that is known
    poses = people * sum(video.frames for video in videos)
    return {**dict.fromkeys(pack.detectors(recipe.people), views), LANDMARK: looks * poses}


def _decoding_s(video: VideoLoad, constants: CostConstants) -> float:
    cost = constants.decode.get(video.codec, constants.decode[""])
    pixels = video.decoded * video.stored_pixels
    whole_s = (cost.pixel_ns * pixels + cost.byte_ns * video.decoded_bytes) / 1e9
    others = 1 - video.frames / max(1, video.decoded)
    return whole_s * (1 - others * (1 - cost.skipped))


def _pictures_s(video: VideoLoad, recipe: Recipe, constants: CostConstants) -> float:
    as_mediapipe = recipe.people == "near" and recipe.detect_every == 1
    pixel_ns = constants.picture_pixel_ns if as_mediapipe else constants.planes_pixel_ns
    return pixel_ns * video.frames * video.width * video.height / 1e9


def _disk_b(
    videos: Sequence[VideoLoad], landmark: LandmarkSpec, poses: float, constants: CostConstants
) -> dict[str, float]:
    values = pose_values(landmark)
    frames = sum(video.frames for video in videos)
    parts = sum(video.chunks for video in videos) + len(videos)  # an index each, too
    return {
        "parts": constants.file_b * parts
        + constants.index_frame_b * frames
        + constants.part_value_b * values * poses,
        "tracks": constants.file_b * len(videos) + constants.tracks_value_b * values * poses,
        "coco": constants.coco_frame_b * frames + constants.coco_pose_b * poses,
    }
