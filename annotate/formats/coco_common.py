"""What COCO's two files share: the category, rounded poses, ids of images, streamed lists."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from annotate.domain.skeleton import (
    COCO_EDGES,
    COCO_KEYPOINTS,
    Skeleton,
    coco_keypoints,
    coco_visibility,
)
from annotate.formats.base import Dataset, DatasetVideo

# Id of the only category.
PERSON = 1
PERSON_CATEGORY = {
    "id": PERSON,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(COCO_KEYPOINTS),
    "skeleton": [[a + 1, b + 1] for a, b in COCO_EDGES],
}
# Rows of a list that are written at a time.
_BLOCK = 2000


class CocoPose(NamedTuple):
    """One pose as both files say it.

    Attributes:
        image: id of its image.
        track: id of its track.
        xy: (17, 2) float64 pixels, rounded to 0.01.
        v: (17,) int64: COCO's visibility, 0, 1 or 2, of the rounded coordinates.
        bbox: (4,) float64: x, y, width, height in pixels, rounded to 0.01.
        score: in [0, 1], rounded to 0.0001.
        confidence: (17,) float64 in [0, 1], rounded to 0.001.
        filled: the person was not detected here; the smoother filled the pose in.
    """

    image: int
    track: int
    xy: NDArray[np.float64]
    v: NDArray[np.int64]
    bbox: NDArray[np.float64]
    score: float
    confidence: NDArray[np.float64]
    filled: bool


def coco_poses(dataset: Dataset) -> Iterator[CocoPose]:
    """All poses, video by video. They are rounded before v is derived, so that the coordinates
    and v agree in both files.
    """
    for video, first_image in with_first_images(dataset):
        yield from _poses(video, first_image, dataset.skeleton)


def with_first_images(dataset: Dataset) -> Iterator[tuple[DatasetVideo, int]]:
    """Each video with the id of its first frame's image; ids count from 1 over all videos."""
    counts = (len(video.frames) for video in dataset.videos)
    return zip(dataset.videos, accumulate(counts, initial=1), strict=False)


def _poses(video: DatasetVideo, first_image: int, skeleton: Skeleton) -> Iterator[CocoPose]:
    for block in video.tracks():
        keypoints = coco_keypoints(block.smoothed, skeleton)
        # Adding 0 turns -0.0 into 0.0.
        xy = np.round(keypoints[:, :, :2].astype(np.float64), 2) + 0.0
        keypoints[:, :, :2] = xy
        columns = zip(
            (first_image + np.searchsorted(video.frames, block.frame_index)).tolist(),
            block.track_id.tolist(),
            xy,
            coco_visibility(keypoints, video.width, video.height),
            np.round(block.bbox.astype(np.float64), 2) + 0.0,
            np.round(block.score.astype(np.float64), 4).tolist(),
            np.round(keypoints[:, :, 2].astype(np.float64), 3),
            block.filled.tolist(),
            strict=True,
        )
        yield from map(CocoPose._make, columns)


def triplets(xy: NDArray[np.float64], v: NDArray[np.int64]) -> list[float]:
    """x, y, v of each keypoint in a flat list of 51 numbers; v are ints."""
    flat: list[float] = np.column_stack([xy, v]).reshape(-1).tolist()
    flat[2::3] = v.tolist()
    return flat


def write_list(out: BinaryIO, rows: Iterable[dict[str, Any]]) -> None:
    """Writes a JSON list, a row a line, some thousands at a time."""
    out.write(b"[\n")
    lines: list[bytes] = []
    between = b""
    for row in rows:
        lines.append(orjson.dumps(row))
        if len(lines) == _BLOCK:
            out.write(between + b",\n".join(lines))
            between, lines = b",\n", []
    if lines:
        out.write(between + b",\n".join(lines))
    out.write(b"\n]")
