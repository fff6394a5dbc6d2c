"""What every pack finds of labelled people on photographs, and what that costs.

    python -m tests.benchmarks.real_people [--data FOLDER] [--packs FOLDER] [--people near] [NAME]

Every image is a video of one frame that goes through `annotate submit --people all --detect-every 1
--smooth off` and the export; `annotate evaluate` compares that with the labels. `--data` is a
folder of images with `person_keypoints.json`, `--packs` one of installed packs. It takes a minute
or two a pack.
"""

import argparse
import contextlib
import io
import json
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from annotate.domain.options import People
from annotate.domain.pack import read_pack
from annotate.domain.settings import settings_from
from annotate.evaluate import Evaluation, evaluate, read_predictions, read_truth
from annotate.evaluate.intervals import Interval
from annotate.inference import load_models
from annotate.pipeline import PoseEstimator
from annotate.video.writer import Encoding, VideoWriter
from tests.command import Host

Content = dict[str, Any]
# Poses with a smaller score do not count for the precision.
SURE = 0.05
# Ends of the bands of height that the table has, in pixels.
BANDS = (0, 80, 240, 10_000)
# Pixels lose nothing but the rounding of the colours.
LOSSLESS = Encoding(codec="libx264", pix_fmt="yuv444p", options={"crf": "0", "preset": "fast"})


@dataclass(frozen=True)
class Found:
    """Figures of one pack.

    Attributes:
        evaluation: of all poses.
        recall: COCO's, at OKS 0.5.
        precision: of the poses of sure score those that are a labelled person at OKS 0.5.
        image_ms: core time for an image.
    """

    evaluation: Evaluation
    recall: float
    precision: float
    image_ms: float

    @property
    def ap(self) -> float:
        """COCO's AP of keypoints."""
        return self.evaluation.average_precision.ap or 0.0

    def row(self, name: str) -> str:
        """A row of the table: figures with their 90% intervals, and recall by height."""
        one, sure = self.evaluation, self.evaluation.intervals
        cells = (
            f"{self.ap:.3f} {_interval(sure.ap)}",
            f"{one.average_precision.ar or 0:.3f} {_interval(sure.ar)}",
            f"{self.recall:.3f} {_interval(sure.recall)}",
            *(f"{_recall(one, low, high):.2f}" for low, high in pairwise(BANDS)),
            f"{self.precision:.3f}",
            f"{self.image_ms:.0f}",
        )
        return f"| {name} | {' | '.join(cells)} |"


def _interval(pair: Interval) -> str:
    return f"({pair[0]:.2f}-{pair[1]:.2f})" if pair else ""


def _recall(evaluation: Evaluation, low: int, high: int) -> float:
    bands = [band for band in evaluation.by_height if low <= band.low < high]
    return sum(band.found for band in bands) / max(sum(band.people for band in bands), 1)


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


def predictions(
    pack: Path, videos: Path, labels: Content, scratch: Path, *chosen: str, people: People = "all"
) -> list[Content]:
    """COCO results of a pack for the labelled images, through the program.

    Args:
        chosen: more options of `submit`.
    """
    host = Host(scratch / "store", pack.parent, scratch)
    options = ("--people", people, "--detect-every", "1", "--smooth", "off", *chosen)
    host.run("submit", videos, "--pack", pack.name, *options)
    exported: Content = json.loads(host.exported("people.json"))
    host.run("export", "--results", "--out", "results.json")
    images = {Path(image["file_name"]).stem: image["id"] for image in labels["images"]}
    of_video = {video["id"]: images[Path(video["name"]).stem] for video in exported["videos"]}
    of_image = {image["id"]: of_video[image["video_id"]] for image in exported["images"]}
    results: list[Content] = json.loads((scratch / "results.json").read_text())
    return [{**one, "image_id": of_image[one["image_id"]]} for one in results]


def core_ms(pack: Path, data: Path, people: People) -> float:
    """Core time of the two stages for an image, in milliseconds."""
    estimator = PoseEstimator(load_models(read_pack(pack), pack), people=people)
    pictures = [rgb(file) for file in sorted(data.glob("*.jpg"))]
    began = time.process_time()
    for picture in pictures:
        estimator.poses(picture)
    return (time.process_time() - began) * 1e3 / len(pictures)


def figures(labels: Path, results: list[Content], image_ms: float) -> Found:
    """The figures of results for the images of a file of labels."""
    known = read_truth(labels)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.json"
        file.write_text(json.dumps(results))
        evaluation = evaluate(read_predictions(file, known), known)
    truth = COCO(str(labels))
    sure = [one for one in results if one["score"] >= SURE]
    strict = COCOeval(truth, truth.loadRes(sure), "keypoints")
    strict.params.iouThrs = np.array([0.5])
    strict.evaluate()
    whole = [one for one in strict.evalImgs if one and one["aRng"] == strict.params.areaRng[0]]
    matched = np.concatenate([one["dtMatches"][0] > 0 for one in whole])
    ignored = np.concatenate([one["dtIgnore"][0] for one in whole]).astype(bool)
    precision = float(matched[~ignored].mean())
    recall = evaluation.average_precision.ar50 or 0.0
    return Found(evaluation, recall, precision, image_ms)


def measured(pack: Path, data: Path, people: People) -> Found:
    """Figures of the pack in a folder on labelled images."""
    labels = json.loads((data / "person_keypoints.json").read_text())
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
        scratch = Path(name)
        write_videos(data, scratch / "videos")
        results = predictions(pack, scratch / "videos", labels, scratch, people=people)
        return figures(data / "person_keypoints.json", results, core_ms(pack, data, people))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(__file__).parents[3] / "shared" / "data" / "people"
    parser.add_argument("names", nargs="*", help="packs; by default all that are installed")
    parser.add_argument("--data", type=Path, default=beside, help="images and their labels")
    parser.add_argument("--packs", type=Path, default=settings_from().packs, help="their folder")
    parser.add_argument("--people", choices=("near", "all"), default="all", help="as of submit")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    heights = " | ".join(f"{low}-{high} px" for low, high in pairwise(BANDS))
    print(f"| pack | COCO AP | AR | recall at OKS 0.5 | {heights} | precision | core-ms an image |")
    print("|---|---|---|---|---|---|---|---|---|")
    names = arguments.names or sorted(folder.name for folder in arguments.packs.iterdir())
    for name in names:
        found = measured(arguments.packs / name, arguments.data, arguments.people)
        print(found.row(name), flush=True)


if __name__ == "__main__":
    main()
