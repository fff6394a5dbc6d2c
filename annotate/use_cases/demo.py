"""A made scene through the whole program: render, annotate, export, draw, compare."""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import orjson

from annotate.domain.arrays import FloatArray
from annotate.domain.job import Job
from annotate.domain.progress import Progress
from annotate.domain.skeleton import coco_keypoints
from annotate.domain.video import Chunk
from annotate.evaluate import (
    DetectionCounts,
    Pck,
    count_all,
    count_by_height,
    count_tracks,
    match_poses,
    measure_pck,
    read_predictions,
    read_truth,
)
from annotate.render.overlay import draw_poses
from annotate.store import Store
from annotate.synthetic.coco import truth_to_coco
from annotate.synthetic.demo import demo_scene
from annotate.synthetic.film import render_video
from annotate.use_cases.final_tracks import final_tracks, tracks_skeleton
from annotate.use_cases.output import make_folder, output_file
from annotate.video import VideoWriter, decode, probe
from annotate.video.writer import Encoding


@dataclass(frozen=True)
class DemoAccuracy:
    """The figures of `annotate evaluate` that need no extra library.

    Attributes:
        detections: of people that are at least partly visible.
        pck: PCK@0.2 of the people found.
        people, tracks: number of tracks of the truth, and of the answer.
    """

    detections: DetectionCounts
    pck: Pck
    people: int
    tracks: int


def make_scene(video: Path, truth: Path, seconds: float, progress: Progress) -> None:
    """Renders the demo's video, and writes its truth as COCO.

    Raises:
        UsageError, OutputError, VideoError: the files cannot be written.
    """
    make_folder(video.parent)
    known = render_video(demo_scene(seconds), video, progress=lambda f: progress("Rendering", f))
    with output_file(truth, (), force=True) as file:
        file.write(orjson.dumps(truth_to_coco(known, video.name)))


def measure_accuracy(predictions: Path, truth: Path) -> DemoAccuracy:
    """Compares an export of the demo's video with its truth, both COCO files.

    Raises:
        UsageError: a file cannot be read.
    """
    known = read_truth(truth)
    poses = read_predictions(predictions, known).poses
    matches = match_poses(known, poses)
    return DemoAccuracy(
        detections=count_all(count_by_height(known.people, poses, matches)),
        pck=measure_pck(known, poses, matches),
        people=count_tracks(known.people, known.images),
        tracks=count_tracks(poses, known.images),
    )


def draw_overlay(store: Store, job: Job, video: Path, out: Path, progress: Progress) -> None:
    """Draws the poses of the job's only video into a copy of it."""
    skeleton = tracks_skeleton(store, job)
    poses: dict[int, list[tuple[int, FloatArray]]] = defaultdict(list)
    for block in final_tracks(store, job, job.videos[0]):
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
