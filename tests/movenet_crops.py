"""What MoveNet sees of labelled people, and how near its keypoints are to their labels."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from annotate.domain.arrays import FloatArray
from annotate.domain.landmark_kinds import MoveNet
from annotate.domain.model_spec import LandmarkSpec
from annotate.domain.skeleton import COCO_SIGMAS

Content = dict[str, Any]


class Crop(NamedTuple):
    """A labelled person in the input of a model.

    Attributes:
        pixels: (h, w, 3) float32 RGB, 0 to 255.
        label: COCO's annotation.
        matrix: (2, 3) float64 affine map from the picture to the crop.
    """

    pixels: FloatArray
    label: Content
    matrix: npt.NDArray[np.float64]

    def oks(self, points: FloatArray) -> float:
        """COCO's similarity of keypoints (17, 2) in pixels of the crop to the label."""
        labels = np.array(self.label["keypoints"]).reshape(17, 3)
        truth = labels[:, :2] @ self.matrix[:, :2].T + self.matrix[:, 2]
        area = self.label["area"] * self.matrix[0, 0] ** 2
        squares = np.square(points - truth).sum(axis=1)
        close = np.exp(-squares / (8 * area * np.square(COCO_SIGMAS)))
        return float(close[labels[:, 2] > 0].mean())


def movenet_spec(width: int, height: int) -> LandmarkSpec:
    """What a pack says of MoveNet, as far as its decoder reads it."""
    return LandmarkSpec(
        file="",
        sha256="",
        input="image",
        layout="NHWC",
        size=(width, height),
        value_range=(-1, 1),
        decoder=MoveNet("heatmap", "centre", "regression", "offset"),
        count=17,
        min_score=0,
    )


def labelled_crops(shared_data: Path, size: tuple[int, int]) -> Iterator[Crop]:
    """The people of the COCO images whose keypoints are labelled; `size` is width and height."""
    labels = json.loads((shared_data / "coco" / "person_keypoints.json").read_text())
    pictures = {image["id"]: image["file_name"] for image in labels["images"]}
    for person in labels["annotations"]:
        if person["num_keypoints"]:
            picture = cv2.imread(str(shared_data / "coco" / pictures[person["image_id"]]))
            assert picture is not None
            box = np.array(person["bbox"])
            scale = min(size / box[2:]) / 1.25
            shift = np.array(size) / 2 - scale * (box[:2] + box[2:] / 2)
            matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
            pixels = cv2.warpAffine(picture[..., ::-1], matrix, size).astype(np.float32)
            yield Crop(pixels, person, matrix)
