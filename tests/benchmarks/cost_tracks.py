"""What it takes to write parts, to merge them and to export tracks, and the files' sizes."""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from pathlib import Path

import numpy as np

from annotate.domain.merge_settings import MergeSettings
from annotate.domain.poses import Poses
from annotate.domain.skeleton import SKELETONS
from annotate.domain.video import Chunk
from annotate.formats.registry import find_format
from annotate.merge.merge import merge
from annotate.store import LocalFiles
from annotate.store.results import VideoResults
from annotate.use_cases.export import write
from tests.benchmarks.export_scale import made_dataset, make
from tests.benchmarks.fits import fitted
from tests.benchmarks.merge_scale import SIZE, two_minutes

PARTS = 3
COCO = "coco"
# Frames and people of the exports.
EXPORTS = ((6000, 1), (6000, 4), (1500, 4))


@dataclass(frozen=True)
class Took:
    """What some poses took: seconds of one core, and bytes."""

    part_s: float
    merge_s: float
    part_b: int
    tracks_b: int


def measure_tracks(_videos: list[Path], repeats: int) -> Iterator[tuple[str, float]]:
    """Microseconds and bytes of a pose."""
    few, many = _least("coco-17", 0, repeats), _least("blazepose-33", 3, repeats)
    poses, few_values, many_values = PARTS * len(two_minutes().score), 17 * 3, 33 * (5 + 3)
    yield "part_pose_us", many.part_s / poses * 1e6
    value_us = (many.merge_s - few.merge_s) / poses / (many_values - few_values) * 1e6
    yield "merge_value_us", value_us
    yield "merge_pose_us", many.merge_s / poses * 1e6 - many_values * value_us
    yield "part_value_b", many.part_b / poses / many_values
    yield "tracks_value_b", many.tracks_b / poses / many_values
    yield from _exports(repeats)


def _least(skeleton: str, world_axes: int, repeats: int) -> Took:
    took = [_written(skeleton, world_axes) for _ in range(repeats)]
    part_s, merge_s = min(one.part_s for one in took), min(one.merge_s for one in took)
    return replace(took[0], part_s=part_s, merge_s=merge_s)


def _written(name: str, world_axes: int) -> Took:
    skeleton = SKELETONS[name]
    once = _as(two_minutes(), len(skeleton.landmarks), world_axes)
    frames = len(once.frame_index)
    chunks = [Chunk(n * frames, (n + 1) * frames) for n in range(PARTS)]
    parts = [_moved(once, chunk.start) for chunk in chunks]
    with tempfile.TemporaryDirectory() as folder:
        results = VideoResults(LocalFiles(Path(folder)), "recipe", "video")
        part_s = _core_s(lambda: [*map(results.write_part, chunks, parts, repeat({}))])
        blocks = merge(map(results.read_part, chunks), MergeSettings(), skeleton, SIZE)
        landmarks = len(skeleton.landmarks)
        merge_s = _core_s(lambda: results.write_tracks("merge", blocks, landmarks, {}, world_axes))
        sizes = [(Path(folder) / results.part_key(chunk)).stat().st_size for chunk in chunks]
        tracks_b = (Path(folder) / results.tracks_key("merge")).stat().st_size
    return Took(part_s, merge_s, sum(sizes), tracks_b)


def _as(poses: Poses, landmarks: int, world_axes: int) -> Poses:
    """The poses with fewer landmarks, with noise in all columns, and in metres too."""
    random = np.random.default_rng(0)
    kept = poses.landmarks[:, :landmarks].copy()
    kept[:, :, 2:] += random.normal(0, 0.1, kept[:, :, 2:].shape)
    world = random.normal(0, 0.5, (*kept.shape[:2], world_axes)).astype(np.float32)
    return replace(poses, landmarks=kept, world=world)


def _moved(poses: Poses, start: int) -> Poses:
    return replace(
        poses,
        frame_index=poses.frame_index + start,
        pts=poses.pts + start * 3000,
        time_s=poses.time_s + start / 30,
    )


def _core_s(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def _exports(repeats: int) -> Iterator[tuple[str, float]]:
    work, took, sizes = [], [], []
    for frames, people in EXPORTS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make(folder, frames, people)
            out = folder / "people.json"
            dataset, coco = made_dataset(folder, COCO, frames), find_format(COCO)
            export = partial(write, coco, dataset, out, force=True)
            took.append(min(_core_s(export) for _ in range(repeats)))
            sizes.append(float(out.stat().st_size))
            work.append((frames, frames * people))
    frame_s, pose_s = fitted(work, took)
    frame_b, pose_b = fitted(work, sizes)
    yield "export_frame_us", frame_s * 1e6
    yield "export_pose_us", pose_s * 1e6
    yield "coco_frame_b", float(frame_b)
    yield "coco_pose_b", float(pose_b)
