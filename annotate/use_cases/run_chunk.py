"""Makes the part of one chunk: decodes its frames and runs both models on them."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from socket import gethostname
from typing import TypeAlias

from annotate.domain.errors import AnnotateError, ChangedError, HostError, VideoError
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.poses import Poses
from annotate.domain.settings import Settings
from annotate.domain.video import (
    AnyFrame,
    CrowdedRange,
    FittedRange,
    Frame,
    VideoIndex,
    damaged_ranges,
    fitted_ranges,
)
from annotate.domain.work import WorkUnit
from annotate.inference import CPUS
from annotate.numeric.selection import ALL_FRAMES, selected_frames
from annotate.pipeline import PoseEstimator
from annotate.pipeline.prefetch import prefetch
from annotate.queue.heartbeats import Beats, ChunkHeartbeats
from annotate.queue.metrics import ChunkFigures
from annotate.queue.patience import with_patience
from annotate.store import Store
from annotate.store.source_video import local_source
from annotate.use_cases.stopwatch import Stopwatch
from annotate.video import Reading, decode_with_damage, hardware_device

_Made: TypeAlias = tuple[Poses, list[FittedRange], list[CrowdedRange]]


def run_chunk(
    store: Store,
    unit: WorkUnit,
    settings: Settings,
    estimator: Callable[[], PoseEstimator],
    beats: Beats,
) -> ChunkFigures | None:
    """Makes the part of a chunk, unless it is in the store.

    Returns:
        What it took; None where it was there.

    Args:
        settings: of this host.
        estimator: loads the models, or returns the loaded ones.
        beats: where heartbeats are written.

    Raises:
        VideoError: the video is damaged, as its bytes show twice.
        ChangedError: the file is not the one that was submitted.
        HostError: the file is away, or cannot be read; or the models cannot be loaded.
        StoreError: the store cannot be read or written.
        CancelledJobError: the job was cancelled.
    """
    job, video, chunk = unit.job, unit.video, unit.require_chunk()
    results = store.results(job.recipe, video)
    if results.has_part(chunk):
        return None
    stages = Stopwatch()
    read_index = partial(store.read_index, video.fingerprint, job.recipe.selection)
    index = with_patience(read_index, settings)
    pipeline = with_patience(partial(_loaded, estimator), settings)
    heart = ChunkHeartbeats(store, beats, unit, pipeline)
    make = partial(_poses, store, unit, settings, index, heart, stages)
    try:
        poses, fitted, crowded = with_patience(partial(_with_proof, make), settings, heart.waiting)
        facts = {
            "recipe": job.recipe.digest,
            "fingerprint": video.fingerprint,
            "provider": pipeline.provider,
            "precision": pipeline.precision,
            "placement": pipeline.placement,
        }
        damaged = damaged_ranges(poses.frame_index, poses.pts, poses.damage)
        if damaged:
            # First: once the part is there, the chunk is done.
            with_patience(partial(results.write_damage, chunk, damaged), settings, heart.waiting)
        if fitted:
            note = partial(results.write_notes, chunk, fitted, "fitted")
            with_patience(note, settings, heart.waiting)
        if crowded:
            note = partial(results.write_notes, chunk, crowded, "crowded")
            with_patience(note, settings, heart.waiting)
        with stages.of("write"):
            with_patience(partial(results.write_part, chunk, poses, facts), settings, heart.waiting)
    finally:
        heart.stop()
    frames, people = len(poses.frame_index), len(poses.score)
    return ChunkFigures(frames, people, pipeline.provider, stages.spent_s)


def _loaded(estimator: Callable[[], PoseEstimator]) -> PoseEstimator:
    """The pipeline. Whatever happens while models are loaded is not the video's fault.

    Raises:
        HostError: the models cannot be loaded.
    """
    try:
        return estimator()
    except AnnotateError:
        raise
    except Exception as error:
        raise HostError(
            f"the models cannot be loaded on the host {gethostname()}: {error}",
            "Run `annotate doctor` there; the same command then goes on.",
        ) from error


def _with_proof(make: Callable[[bool], _Made]) -> _Made:
    """What `make` makes of a chunk. FFmpeg hides errors of the disk, which then look like damage,
    so the video counts as damaged only where it fails again after all its bytes were read.

    Args:
        make: its argument says whether all bytes are read first.
    """
    try:
        return make(False)
    except ChangedError:
        raise
    except VideoError:
        return make(True)


def _poses(
    store: Store,
    unit: WorkUnit,
    settings: Settings,
    index: VideoIndex,
    heart: ChunkHeartbeats,
    stages: Stopwatch,
    read_again: bool,
) -> _Made:
    """The poses of a chunk, and which of its frames were fitted into another size, or show more
    people than are annotated.
    """
    sizes: list[tuple[int, tuple[int, int] | None]] = []
    crowded: list[int] = []
    chunk, selection, pipeline = unit.require_chunk(), unit.job.recipe.selection, heart.pipeline
    asked = None if selection == ALL_FRAMES else selected_frames(index, selection)
    source = local_source(store, settings, unit.video, index, heart.fetching, read_again=read_again)
    with stages.entered("open", source) as path:
        reading = Reading(device=_device(path, index, settings), limits=settings.limits)
        frames = decode_with_damage(
            path,
            index,
            chunk,
            asked=asked,
            reading=reading,
            deinterlace=unit.job.recipe.deinterlace,
            planes=pipeline.takes_planes,
        )
        frames = _ahead(_noting_sizes(heart.count(frames), sizes), pipeline.provider)
        with stages.of("models"):
            poses = pipeline.run(
                stages.each("decode", frames), index, first=chunk.start, crowded=crowded
            )
    return poses, fitted_ranges(sizes), _crowded_range(crowded)


def _crowded_range(frames: list[int]) -> list[CrowdedRange]:
    """The crowded frames of a chunk, if it has some: the detector runs on some frames only."""
    if not frames:
        return []
    most = PipelineSettings().most_people
    return [CrowdedRange(frames[0], frames[-1] + 1, len(frames), most)]


def _device(path: Path, index: VideoIndex, settings: Settings) -> str | None:
    """The hardware decoder that this host is to use for the video, if it has one."""
    if settings.hwaccel != "auto":
        return None
    return hardware_device(path, index.stream, settings.limits)


def _noting_sizes(
    frames: Iterator[AnyFrame], sizes: list[tuple[int, tuple[int, int] | None]]
) -> Iterator[AnyFrame]:
    """The same frames; their own sizes are added to `sizes`."""
    for frame in frames:
        sizes.append((frame.index, frame.own_size if isinstance(frame, Frame) else None))
        yield frame


def _ahead(frames: Iterator[AnyFrame], provider: str) -> Iterator[AnyFrame]:
    """Decodes ahead where an accelerator would wait for frames. On the CPU there is one process a
    core, and a second thread costs 10% of core time: pictures move from one cache to another.
    """
    return frames if provider in CPUS else prefetch(frames)
