"""YOLO's labels of poses: a text file for each image, and `data.yaml`.

Source: the page of pose datasets in the documentation of ultralytics.
"""

import json
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from annotate.formats.base import Dataset, DatasetVideo, FolderFormat, PoseBlock
from annotate.formats.frames import frames_of
from annotate.formats.names import image_name
from annotate.numeric.words import flat, joined, millionths, pick, rows_of


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
            for place, lines in frames_of(dataset, video, partial(_lines, video)):
                name = image_name(video.folder, int(video.frames[place]), ".txt")
                (labels / name).write_bytes(b"".join(lines))
        (folder / "data.yaml").write_text(_description(dataset), "utf-8")


YOLO_POSE = YoloPose()


def _lines(video: DatasetVideo, block: PoseBlock) -> list[bytes]:
    size = np.array([video.width, video.height])
    corner, sides = block.bbox[:, :2], block.bbox[:, 2:]
    box = np.concatenate([(corner + sides / 2) / size, sides / size], axis=1)
    labelled = block.v > 0
    keypoints = np.where(labelled[:, :, None], block.xy / size, 0)
    last = np.arange(block.v.shape[1]) == block.v.shape[1] - 1
    flags = pick([b"0 ", b"1 ", b"2 ", b"0\n", b"1\n", b"2\n"], block.v + 3 * last)
    points = joined(flat(millionths(keypoints, b" "), axes=2), flags)
    lines = joined(b"0 ", flat(millionths(box, b" ")), flat(points))
    lines[sides.min(axis=1) <= 0] = 0
    return rows_of(lines)


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
