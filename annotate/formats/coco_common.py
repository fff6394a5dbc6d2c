"""What COCO's two files share: the category, poses one by one, streamed lists."""

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from annotate.domain.keypoint_sets import COCO17, KeypointSet
from annotate.formats.base import Dataset, DatasetVideo

# Id of the only category.
PERSON = 1
# Rows of a list that are written at a time.
_BLOCK = 2000


def category_of(keypoints: KeypointSet) -> dict[str, Any]:
    """The category of people: names of the keypoints, and edges that count from 1."""
    return {
        "id": PERSON,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(keypoints.names),
        "skeleton": [[a + 1, b + 1] for a, b in keypoints.edges],
    }


PERSON_CATEGORY = category_of(COCO17)


class CocoPose(NamedTuple):
    """One pose as both files say it; see `PoseBlock`.

    Attributes:
        image: id of its image.
        track: id of its track in the dataset.
        video_track: id of its track in the video.
        xy: (K, 2) float64 pixels.
        v: (K,) int64: COCO's visibility.
        bbox: (4,) float64: x, y, width, height in pixels.
        score: in [0, 1].
        confidence: (K,) float64 in [0, 1].
        filled: the person was not detected here.
        reviewed: a reviewer marked the frame.
        name: of the track; empty where it has none.
    """

    image: int
    track: int
    video_track: int
    xy: NDArray[np.float64]
    v: NDArray[np.int64]
    bbox: NDArray[np.float64]
    score: float
    confidence: NDArray[np.float64]
    filled: bool
    reviewed: bool
    name: str


def coco_poses(dataset: Dataset) -> Iterator[CocoPose]:
    """All poses, video by video."""
    for video in dataset.videos:
        yield from _poses(video)


def _poses(video: DatasetVideo) -> Iterator[CocoPose]:
    reviewed, names = video.reviewed_mask, video.names
    for block in video.poses():
        columns = zip(
            video.images[block.place].tolist(),
            block.track.tolist(),
            block.video_track.tolist(),
            block.xy,
            block.v,
            block.bbox,
            block.score.tolist(),
            block.visibility,
            block.filled.tolist(),
            reviewed[block.place].tolist(),
            (names.get(track, "") for track in block.video_track.tolist()),
            strict=True,
        )
        yield from map(CocoPose._make, columns)


def triplets(xy: NDArray[np.float64], v: NDArray[np.int64]) -> list[float]:
    """x, y, v of each keypoint in a flat list of 3K numbers; v are ints."""
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
