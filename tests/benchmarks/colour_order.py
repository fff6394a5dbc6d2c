"""How many labelled people YOLOX finds with blue first, as it was trained, and with red first.

    python -m tests.benchmarks.colour_order --data FOLDER --model yolox_nano.onnx

`--data` is a folder of images with `person_keypoints.json`. It takes some seconds.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from annotate.domain.model_spec import Channels, DetectorSpec
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.inference.session import load_model
from annotate.numeric.geometry import box_iou
from annotate.numeric.rgb_picture import RgbPicture
from annotate.packs.person_detectors import yolox_nano_spec
from annotate.pipeline.detector_pass import DetectorPass

# A person is found where a box overlaps the labelled one so far.
FOUND_IOU = 0.5
SCORES = (0.1, 0.3, 0.5)
ORDERS: tuple[Channels, ...] = ("BGR", "RGB")


def best_scores(data: Path, labels: dict[str, Any], model: Path, spec: DetectorSpec) -> np.ndarray:
    """(n,) of every labelled person the best score of a box that finds them, or 0."""
    crop = (256, 256)
    detector = DetectorPass(load_model(spec, model), spec, crop, PipelineSettings())
    best = []
    for image in labels["images"]:
        bgr = cv2.imread(str(data / image["file_name"]))
        assert bgr is not None, image["file_name"]
        rgb = np.ascontiguousarray(bgr[:, :, ::-1]).astype(np.uint8)
        (found,) = detector.candidates([detector.views(RgbPicture(rgb))])
        boxes = np.array([one.box for one in found], np.float32).reshape(-1, 4)
        scores = np.array([one.score for one in found])
        for person in labels["annotations"]:
            if person["image_id"] == image["id"] and not person.get("iscrowd"):
                x, y, width, height = person["bbox"]
                own = np.array([x, y, x + width, y + height], np.float32)
                best.append(scores[box_iou(own, boxes) > FOUND_IOU].max(initial=0))
    return np.array(best)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    asked = parser.parse_args()
    labels = json.loads((asked.data / "person_keypoints.json").read_text())
    for order in ORDERS:
        spec = replace(yolox_nano_spec(asked.model.name, "", 1.25), channels=order)
        best = best_scores(asked.data, labels, asked.model, spec)
        counts = ", ".join(f"{(best >= score).sum()} from {score}" for score in SCORES)
        print(f"{order}: of {len(best)} people {counts}")


if __name__ == "__main__":
    main()
