"""Seconds and peak memory of an export of very many poses, read from a tracks file.

    python -m tests.benchmarks.export_scale [--poses 1000000] [--people 4] [--folder FOLDER]
        [--format NAME]...

The tracks file holds so many people in every frame, in blocks as the merge writes them, and takes
about 2 GB of FOLDER for a million poses. Each format is written by a separate process, on one
core; making the tracks file does not count. C3D counts to 65,535 frames, so for a million poses it
needs 16 people. The aim for a million poses: under 60 s and 300 MB.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from annotate.domain.merge_settings import MergeSettings
from annotate.domain.skeleton import SKELETONS
from annotate.domain.tracks import Tracks
from annotate.formats.base import Dataset, DatasetVideo, PoseBlock
from annotate.formats.poses import pose_blocks
from annotate.formats.registry import find_format, format_names
from annotate.store import LocalFiles
from annotate.store.results import VideoResults
from annotate.use_cases.export import write

BLOCK_FRAMES = MergeSettings().block_frames
WIDTH, HEIGHT, FPS = 1920, 1080, 30
SKELETON = SKELETONS["blazepose-33"]
# Of `ru_maxrss`, which macOS counts in bytes.
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def made_tracks(frames: int, people: int) -> Iterator[Tracks]:
    """Blocks of random poses; a tenth of them filled, keypoints in and out of the picture."""
    random = np.random.default_rng(0)
    for start in range(0, frames, BLOCK_FRAMES):
        frame = np.repeat(np.arange(start, min(start + BLOCK_FRAMES, frames)), people)
        rows = len(frame)
        landmarks = random.random((rows, len(SKELETON.landmarks), 5), np.float32)
        landmarks[:, :, :3] *= (1.05 * WIDTH, 1.05 * HEIGHT, WIDTH)
        filled = random.random(rows) < 0.1
        yield Tracks(
            frame_index=frame,
            pts=frame * 512,
            time_s=frame / FPS,
            track_id=np.tile(np.arange(1, people + 1), rows // people),
            score=np.where(filled, 0, random.random(rows, np.float32)).astype(np.float32),
            bbox=random.random((rows, 4), np.float32) * 1000,
            filled=filled,
            raw=np.where(filled[:, None, None], np.nan, landmarks).astype(np.float32),
            smoothed=landmarks,
            raw_world=landmarks[:, :, :3],
            smoothed_world=landmarks[:, :, :3],
        )


def make(folder: Path, frames: int, people: int) -> None:
    """Files the tracks."""
    results = VideoResults(LocalFiles(folder), "recipe", "video")
    blocks = made_tracks(frames, people)
    results.write_tracks("merge", blocks, len(SKELETON.landmarks), {}, world_axes=3)


def made_dataset(folder: Path, name: str, frames: int) -> Dataset:
    """The tracks file as the format of that name gets it."""
    results = VideoResults(LocalFiles(folder), "recipe", "video")
    file_format = find_format(name)
    keypoints, world = file_format.keypoint_sets[0], file_format.has_world
    places = keypoints.places(SKELETON)

    def poses() -> Iterator[PoseBlock]:
        blocks = results.read_tracks("merge", raw=False, world=world)
        return pose_blocks(blocks, frame, 0, places, size)

    frame, size = np.arange(frames), (WIDTH, HEIGHT)
    video = DatasetVideo(
        id=1,
        name="made.mp4",
        folder="made",
        width=WIDTH,
        height=HEIGHT,
        fps=FPS,
        frames=frame,
        pts=frame * 512,
        time_s=frame / FPS,
        missing=np.zeros(frames, np.bool_),
        images=frame + 1,
        tracks=results.read_track_list("merge"),
        track_offset=0,
        poses=poses,
    )
    return Dataset((video,), keypoints, np.ones(len(places), np.bool_))


def export(folder: Path, name: str, frames: int) -> None:
    """Writes one file and prints its row of the table."""
    pa.set_cpu_count(1)
    file_format, dataset = find_format(name), made_dataset(folder, name, frames)
    out = folder / f"{name}{file_format.suffix}"
    wall, cpu = time.perf_counter(), time.process_time()
    write(file_format, dataset, out, force=False)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT / 1e6
    size = sum(file.stat().st_size for file in (out, *out.rglob("*")) if file.is_file()) / 1e6
    print(f"{name:14} {wall:8.1f} {cpu:14.1f} {peak:9.0f} {size:8.0f}", flush=True)


def main() -> None:
    """Prints a row a format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--poses", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=4, help="in every frame")
    parser.add_argument("--folder", type=Path, help="where to work; default: the system's folder")
    parser.add_argument("--format", action="append", help="only this one")
    arguments = parser.parse_args()
    people, frames = arguments.people, arguments.poses // arguments.people
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        maker = context.Process(target=make, args=(Path(folder), frames, people))
        maker.start()
        maker.join()
        print(f"{frames * people:,} poses in {frames:,} frames")
        print(f"{'format':14} {'seconds':>8} {'core-seconds':>14} {'peak MB':>9} {'MB':>8}")
        for name in arguments.format or format_names():
            process = context.Process(target=export, args=(Path(folder), name, frames))
            process.start()
            process.join()


if __name__ == "__main__":
    main()
