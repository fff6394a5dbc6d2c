"""What every pack finds of labelled people on photographs, and what that costs.

    python -m tests.benchmarks.real_people [--data FOLDER] [--packs FOLDER] [NAME ...]

Every image is a video of one frame that goes through `annotate submit --people all --detect-every 1
--smooth off` and the export; pycocotools compares that with the labels. `--data` is a folder of
images with `person_keypoints.json`, `--packs` one of installed packs. It takes a minute or two a
pack.
"""

import argparse
import contextlib
import io
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from annotate.domain.pack import read_pack
from annotate.domain.settings import settings_from
from annotate.inference import load_models
from annotate.pipeline import PoseEstimator
from annotate.video.writer import Encoding, VideoWriter
from tests.command import Host

Content = dict[str, Any]
# Places in what COCOeval sums up for keypoints.
AP, AR, RECALL = 0, 5, 6
# Poses with a smaller score do not count for the precision.
SURE = 0.05
# Pixels lose nothing but the rounding of the colours.
LOSSLESS = Encoding(codec="libx264", pix_fmt="yuv444p", options={"crf": "0", "preset": "fast"})


@dataclass(frozen=True)
class Found:
    """Figures of one pack.

    Attributes:
        ap, ar, recall: COCO's; recall at OKS 0.5.
        precision: of the poses of sure score those that are a labelled person at OKS 0.5.
        image_ms: core time for an image.
    """

    ap: float
    ar: float
    recall: float
    precision: float
    image_ms: float

    def row(self, name: str) -> str:
        figures = f"{self.ap:.3f} | {self.ar:.3f} | {self.recall:.3f} | {self.precision:.3f}"
        return f"| {name} | {figures} | {self.image_ms:.0f} |"


def rgb(file: Path) -> NDArray[np.uint8]:
    bgr = cv2.imread(str(file))
    assert bgr is not None, f"{file} cannot be read"
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8)


def write_videos(data: Path, folder: Path) -> None:
    """A video of one frame for each image, with the name of that."""
    folder.mkdir()
    for file in sorted(data.glob("*.jpg")):
        with VideoWriter(folder / f"{file.stem}.mp4", LOSSLESS) as video:
            video.write(rgb(file))


def predictions(pack: Path, videos: Path, labels: Content, scratch: Path) -> list[Content]:
    """COCO results of a pack for the labelled images, through the program."""
    host = Host(scratch / "store", pack.parent, scratch)
    options = ("--people", "all", "--detect-every", "1", "--smooth", "off")
    host.run("submit", videos, "--pack", pack.name, *options)
    exported: Content = json.loads(host.exported("people.json"))
    host.run("export", "--results", "--out", "results.json")
    images = {Path(image["file_name"]).stem: image["id"] for image in labels["images"]}
    of_video = {video["id"]: images[Path(video["name"]).stem] for video in exported["videos"]}
    of_image = {image["id"]: of_video[image["video_id"]] for image in exported["images"]}
    results: list[Content] = json.loads((scratch / "results.json").read_text())
    return [{**one, "image_id": of_image[one["image_id"]]} for one in results]


def core_ms(pack: Path, data: Path) -> float:
    """Core time of the two stages for an image, in milliseconds."""
    estimator = PoseEstimator(load_models(read_pack(pack), pack), people="all")
    pictures = [rgb(file) for file in sorted(data.glob("*.jpg"))]
    began = time.process_time()
    for picture in pictures:
        estimator.poses(picture)
    return (time.process_time() - began) * 1e3 / len(pictures)


def figures(truth: COCO, results: list[Content], image_ms: float) -> Found:
    evaluation = COCOeval(truth, truth.loadRes(results), "keypoints")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    sure = [one for one in results if one["score"] >= SURE]
    strict = COCOeval(truth, truth.loadRes(sure), "keypoints")
    strict.params.iouThrs = np.array([0.5])
    strict.evaluate()
    whole = [one for one in strict.evalImgs if one and one["aRng"] == strict.params.areaRng[0]]
    matched = np.concatenate([one["dtMatches"][0] > 0 for one in whole])
    ignored = np.concatenate([one["dtIgnore"][0] for one in whole]).astype(bool)
    precision = float(matched[~ignored].mean())
    ap, ar, recall = (float(evaluation.stats[place]) for place in (AP, AR, RECALL))
    return Found(ap, ar, recall, precision, image_ms)


def measured(pack: Path, data: Path) -> Found:
    """Figures of the pack in a folder on labelled images."""
    labels = json.loads((data / "person_keypoints.json").read_text())
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
        scratch = Path(name)
        write_videos(data, scratch / "videos")
        results = predictions(pack, scratch / "videos", labels, scratch)
        return figures(COCO(str(data / "person_keypoints.json")), results, core_ms(pack, data))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(__file__).parents[3] / "shared" / "data" / "people"
    parser.add_argument("names", nargs="*", help="packs; by default all that are installed")
    parser.add_argument("--data", type=Path, default=beside, help="images and their labels")
    parser.add_argument("--packs", type=Path, default=settings_from().packs, help="their folder")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print("| pack | COCO AP | AR | recall at OKS 0.5 | precision | core-ms an image |")
    print("|---|---|---|---|---|---|")
    names = arguments.names or sorted(folder.name for folder in arguments.packs.iterdir())
    for name in names:
        found = measured(arguments.packs / name, arguments.data)
        print(found.row(name), flush=True)


if __name__ == "__main__":
    main()
