"""YOLO's labels of poses: a text file for each image, and `data.yaml`.

Source: the page of pose datasets in the documentation of ultralytics.
"""

import json
from pathlib import Path, PurePosixPath

import numpy as np

from annotate.formats.base import Dataset, DatasetVideo, FolderFormat, PoseBlock
from annotate.formats.frames import frames_of
from annotate.formats.names import image_name


class YoloPose(FolderFormat):
    """`labels/VIDEO/frame_000123.txt`: a line for each person, `class x y width height` of the box
    and `x y v` of each keypoint, as fractions of the picture. A frame without people is an empty
    file: a background image. People who are wholly outside the picture, whose boxes have no area,
    have no line. Images belong in `images/`, under the same names.
    """

    name = "yolo-pose"

    def write_folder(self, dataset: Dataset, folder: Path) -> None:
        """Writes the labels frame by frame."""
        for video in dataset.videos:
            labels = folder / "labels"
            (labels / PurePosixPath(video.folder)).mkdir(parents=True, exist_ok=True)
            for place, block, rows in frames_of(dataset, video):
                name = image_name(video.folder, int(video.frames[place]), ".txt")
                lines = [_line(video, block, row) for row in _shown(block, rows)] if block else []
                (labels / name).write_text("".join(lines), "ascii")
        (folder / "data.yaml").write_text(_description(dataset), "utf-8")


YOLO_POSE = YoloPose()


def _shown(block: PoseBlock, rows: range) -> list[int]:
    return [row for row in rows if block.bbox[row, 2:].min() > 0]


def _line(video: DatasetVideo, block: PoseBlock, row: int) -> str:
    size = np.array([video.width, video.height])
    x, y, width, height = block.bbox[row]
    box = np.array([[x + width / 2, y + height / 2], [width, height]]) / size
    v = block.v[row]
    keypoints = np.where(v[:, None] > 0, block.xy[row] / size, 0)
    points = (f"{x:.6f} {y:.6f} {flag}" for (x, y), flag in zip(keypoints, v, strict=True))
    numbers = (f"{number:.6f}" for number in box.reshape(-1))
    return f"0 {' '.join(numbers)} {' '.join(points)}\n"


def _description(dataset: Dataset) -> str:
    """`data.yaml`; JSON is YAML too. Without `path`, ultralytics finds `images` beside the file."""
    fields = {
        "train": "images",
        "val": "images",
        "kpt_shape": [len(dataset.keypoints.names), 3],
        "flip_idx": list(dataset.keypoints.mirror),
        "kpt_names": {"0": list(dataset.keypoints.names)},
        "names": {"0": "person"},
    }
    lines = (f"{name}: {json.dumps(value)}\n" for name, value in fields.items())
    return "".join(lines).replace('"0"', "0")
