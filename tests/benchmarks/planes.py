"""Whether crops from the decoder's planes find people as well as crops of exact RGB.

    python -m tests.benchmarks.planes [--data FOLDER] [--packs FOLDER] [--scale 1 3] [NAME]

Every labelled photograph is an H.264 video of one frame in 4:2:0, as it is and enlarged, which is
decoded both ways and goes through the same models with `--people all`. A pack and a scale take
about a quarter of a minute.
"""

import argparse
import contextlib
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from annotate.domain.merge_settings import MergeSettings
from annotate.domain.pack import read_pack
from annotate.domain.settings import settings_from
from annotate.domain.skeleton import SKELETONS, coco_keypoints
from annotate.domain.video import Chunk
from annotate.inference import Models, load_models
from annotate.merge.pose_table import pose_scores
from annotate.pipeline import PoseEstimator
from annotate.video import decode, probe
from annotate.video.writer import Encoding, VideoWriter
from tests.benchmarks.real_people import Content, rgb

ENCODING = Encoding(codec="libx264", pix_fmt="yuv420p", options={"crf": "18", "preset": "fast"})
WAYS = {"exact RGB": False, "planes": True}
# Of the twelve figures of COCOeval for keypoints.
AP, AR50 = 0, 6


def write_video(photo: Path, scale: float, path: Path) -> tuple[float, float]:
    """Writes a video of one frame; returns how much wider and higher it is than the photograph."""
    picture = rgb(photo)
    height, width = picture.shape[:2]
    size = int(width * scale) // 2 * 2, int(height * scale) // 2 * 2
    with VideoWriter(path, ENCODING) as video:
        larger = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
        video.write(larger.astype(np.uint8))
    return size[0] / width, size[1] / height


def results(
    models: Models, photo: Path, scale: float, folder: Path, image: int
) -> Iterator[tuple[str, Content]]:
    """COCO results of a photograph, each with its way."""
    path, skeleton = folder / "video.mp4", SKELETONS[models.pack.skeleton]
    larger = write_video(photo, scale, path)
    index = probe(path)
    for way, planes in WAYS.items():
        estimator = PoseEstimator(models, people="all", detect_every=5)
        poses = estimator.run(decode(path, index, Chunk(0, 1), planes=planes), index)
        keypoints = coco_keypoints(poses.landmarks, skeleton)
        scores = pose_scores(keypoints, poses.score, MergeSettings().pose.min_visibility)
        for points, score in zip(keypoints, scores.tolist(), strict=True):
            shown = np.column_stack([points[:, :2] / larger, 2 * (points[:, 2] > 0)])
            yield (
                way,
                {
                    "image_id": image,
                    "category_id": 1,
                    "keypoints": shown.ravel().tolist(),
                    "score": score,
                },
            )


def figures(labels: Path, found: list[Content]) -> Any:
    """(12,) float64 of COCOeval."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(labels))
        judged = COCOeval(truth, truth.loadRes(found), "keypoints")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return judged.stats


def main() -> None:
    """Prints a row for each pack, scale and way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    beside = Path(__file__).parents[3] / "shared" / "data" / "people"
    parser.add_argument("names", nargs="*", help="packs; by default all that are installed")
    parser.add_argument("--data", type=Path, default=beside, help="images and their labels")
    parser.add_argument("--packs", type=Path, default=settings_from().packs, help="their folder")
    parser.add_argument("--scale", type=float, nargs="+", default=[1.0, 3.0])
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    labels = arguments.data / "person_keypoints.json"
    images = json.loads(labels.read_text())["images"]
    print("| pack | scale | way | COCO AP | recall at OKS 0.5 |\n|---|---|---|---|---|")
    for name in arguments.names or sorted(one.name for one in arguments.packs.iterdir()):
        models = load_models(read_pack(arguments.packs / name), arguments.packs / name)
        for scale in arguments.scale:
            by_way: dict[str, list[Content]] = {way: [] for way in WAYS}
            with tempfile.TemporaryDirectory() as folder:
                for image in images:
                    photo = arguments.data / image["file_name"]
                    for way, one in results(models, photo, scale, Path(folder), image["id"]):
                        by_way[way].append(one)
            for way, found in by_way.items():
                stats = figures(labels, found)
                print(f"| {name} | {scale:g} | {way} | {stats[AP]:.3f} | {stats[AR50]:.3f} |")


if __name__ == "__main__":
    main()
