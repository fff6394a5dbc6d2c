"""A made scene through the whole program: render, annotate, export, draw, compare."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import orjson

from annotate.domain.arrays import FloatArray
from annotate.domain.job import Job
from annotate.domain.skeleton import SKELETONS, coco_keypoints
from annotate.domain.tracks import Tracks
from annotate.domain.video import Chunk
from annotate.render.overlay import draw_poses
from annotate.store import LocalFiles, Store
from annotate.synthetic.coco import truth_to_coco
from annotate.synthetic.demo import demo_scene
from annotate.synthetic.film import render_video
from annotate.synthetic.truth import Truth
from annotate.use_cases.nearness import Nearness, nearness
from annotate.video import VideoWriter, decode, probe
from annotate.video.writer import Encoding

Progress = Callable[[str, float], None]


def make_scene(folder: Path, seconds: float, progress: Progress) -> tuple[Path, Truth]:
    """Renders the demo's video and writes its truth as COCO beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    video = folder / "demo.mp4"
    scene = demo_scene(seconds)
    truth = render_video(scene, video, progress=lambda share: progress("Rendering", share))
    LocalFiles(folder).write("truth.json", orjson.dumps(truth_to_coco(truth, video.name)))
    return video, truth


def compare(store: Store, job: Job, truth: Truth) -> Nearness:
    """How near the job's answer for its only video comes to the truth."""
    skeleton = SKELETONS[store.read_pack(job.recipe.pack).skeleton]
    return nearness(truth, _tracks(store, job), skeleton)


def draw_overlay(store: Store, job: Job, video: Path, out: Path, progress: Progress) -> None:
    """Draws the job's answer for its only video into a copy of it."""
    skeleton = SKELETONS[store.read_pack(job.recipe.pack).skeleton]
    poses: dict[int, list[tuple[int, FloatArray]]] = defaultdict(list)
    for block in _tracks(store, job):
        keypoints = coco_keypoints(block.smoothed, skeleton)
        for frame, track, points in zip(block.frame_index, block.track_id, keypoints, strict=True):
            poses[int(frame)].append((int(track), points))
    index = probe(video)
    with VideoWriter(out, Encoding(fps=Fraction(index.fps).limit_denominator(1001))) as writer:
        for frame in decode(video, index, Chunk(0, len(index))):
            tracks = [track for track, _ in poses[frame.index]]
            points = np.array([p for _, p in poses[frame.index]], np.float32).reshape(-1, 17, 4)
            writer.write(draw_poses(frame.rgb, points[:, :, :2], points[:, :, 2], tracks))
            progress("Drawing", (frame.index + 1) / len(index))


def _tracks(store: Store, job: Job) -> Iterable[Tracks]:
    return store.results(job.recipe, job.videos[0]).read_tracks(job.merge_digest)
