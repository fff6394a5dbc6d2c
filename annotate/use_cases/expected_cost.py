"""What annotating videos is expected to cost on this host, before it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from annotate.domain.arrays import IntArray
from annotate.domain.job import Recipe
from annotate.domain.pack import Pack, read_pack
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.video import Chunk, VideoIndex
from annotate.numeric.chunking import chunk_frames, cut, decoded_frames, restart_every
from annotate.numeric.cost_constants import NPU_CARDS
from annotate.numeric.costs import (
    Cost,
    HostSpeed,
    VideoLoad,
    estimate,
    model_core_ms,
    npu_factor,
    npu_ms,
    wall_s,
)
from annotate.video.describe import Recording

if TYPE_CHECKING:
    from annotate.use_cases.people_sample import PeopleSample  # it loads models

# Chunks are planned for a usual video, before any model was timed.
_USUAL = VideoLoad(
    codec="h264",
    stored_pixels=1920 * 1080,
    width=1920,
    height=1080,
    frames=1000,
    decoded=1000,
    decoded_bytes=1000 * 8e3,
)
_USUAL_PEOPLE = 1.5


@dataclass(frozen=True)
class NpuTime:
    """What the models take on an NPU.

    Attributes:
        soc: its product name.
        model_ms: of a run of each model, by its stage.
        scaled: some of these are no figures of a card, but scaled from one.
        npu_s: of all runs.
    """

    soc: str
    model_ms: Mapping[str, float]
    scaled: bool
    npu_s: float


@dataclass(frozen=True, eq=False)
class ExpectedCost:
    """What a job is expected to cost.

    Attributes:
        recipe: the pack and the options.
        host: how fast this host is.
        sample: how many people a frame has.
        cost: of the job.
        further_core_s: what one more person in every frame would add.
        video_core_s: of each video alone, start and end not included.
        processes: of this host that work: no more than there are chunks.
        chunks: that the videos are cut into.
        npus: the same runs on NPUs.
    """

    recipe: Recipe
    host: HostSpeed
    sample: "PeopleSample"
    cost: Cost
    further_core_s: float
    video_core_s: Sequence[float]
    processes: int
    chunks: int
    npus: Sequence[NpuTime]

    @property
    def wall_s(self) -> float:
        """Seconds until it is done, where nothing else works on the host."""
        return wall_s(self.cost, self.processes, self.chunks)


@dataclass(frozen=True, eq=False)
class Wanted:
    """A video, how it is stored, and the indices (M,) int64 of the frames that are annotated."""

    index: VideoIndex
    recording: Recording
    frames: IntArray


def expected_cost(
    videos: Sequence[Wanted],
    folder: Path,
    recipe: Recipe,
    host: HostSpeed,
    sample: "PeopleSample",
    processes: int,
) -> ExpectedCost:
    """What annotating these videos with the pack in `folder` is expected to cost.

    Args:
        sample: how many people a frame has.
        processes: of this host, at most.
    """
    people = sample.a_frame
    pack = read_pack(folder)
    frames = sum(len(video.frames) for video in videos)
    target = chunk_frames(max(1, frames), processes, frame_core_s(pack, folder, recipe))
    loads = [_load(video, target, recipe) for video in videos]
    chunks = sum(load.chunks for load in loads)
    started = min(processes, chunks)
    cost, further = (
        estimate(loads, pack, recipe, host, count, started) for count in (people, people + 1)
    )
    alone = [estimate([load], pack, recipe, host, people, 0) for load in loads]
    return ExpectedCost(
        recipe=recipe,
        host=host,
        sample=sample,
        cost=cost,
        further_core_s=further.total_core_s - cost.total_core_s,
        video_core_s=[one.total_core_s - one.core_s["start"] for one in alone],
        processes=started,
        chunks=chunks,
        npus=_npu_times(pack, folder, cost.runs),
    )


def frame_core_s(pack: Pack, folder: Path, recipe: Recipe) -> float:
    """Expected seconds of one core for a frame of 1080p with one or two people, by the sizes of the
    models in `folder`: nothing is timed. It sets the length of chunks.
    """
    sizes = {stage: _size(folder, pack, stage) for stage in pack.stages}
    model_ms = {
        stage: model_core_ms(sizes[stage], spec.size[0] * spec.size[1])
        for stage, spec in pack.stages.items()
    }
    cost = estimate([_USUAL], pack, recipe, HostSpeed(model_ms), _USUAL_PEOPLE)
    return cost.chunks_core_s / cost.frames


def _size(folder: Path, pack: Pack, stage: str) -> int:
    return (folder / pack.stages[stage].file).stat().st_size


def _npu_times(pack: Pack, folder: Path, runs: Mapping[str, float]) -> list[NpuTime]:
    sizes = {stage: _size(folder, pack, stage) for stage in pack.stages}
    scaled = any(npu_factor(pack.stages[stage], sizes[stage]) is not None for stage in runs)
    found = []
    for card in NPU_CARDS:
        ms = {stage: npu_ms(card, pack.stages[stage], sizes[stage]) for stage in runs}
        seconds = sum(count * ms[stage] for stage, count in runs.items()) / 1e3
        found.append(NpuTime(card.title, ms, scaled, seconds))
    return found


def _load(video: Wanted, target: int, recipe: Recipe) -> VideoLoad:
    index, stored = video.index, video.recording
    restart = restart_every(recipe.detect_every, PipelineSettings().remembered_frames)
    chunks: Sequence[Chunk] = cut(video.frames, index.keyframes, target, restart)
    decoded = decoded_frames(video.frames, index.keyframes, chunks)
    return VideoLoad(
        codec=index.codec,
        stored_pixels=stored.width * stored.height,
        width=index.width,
        height=index.height,
        frames=len(video.frames),
        decoded=decoded,
        decoded_bytes=index.size_bytes * decoded / max(1, len(index)),
        chunks=len(chunks),
    )
