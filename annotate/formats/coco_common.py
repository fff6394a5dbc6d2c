"""What COCO's files share: the category, keypoints as text, streamed lists."""

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
import orjson
from numpy.typing import NDArray

from annotate.domain.keypoint_sets import COCO17, KeypointSet
from annotate.formats.base import Dataset, DatasetVideo, PoseBlock
from annotate.numeric.words import Words, decimals, flat, joined, pick

# Id of the only category.
PERSON = 1
# Rows of a list that are written at a time: their text stays in a core's caches.
ROWS = 2000
# What follows each row of a list but the last.
_BETWEEN = b",\n"


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


def pose_pieces(dataset: Dataset) -> Iterator[tuple[DatasetVideo, PoseBlock]]:
    """All poses, video by video, some thousands at a time."""
    for video in dataset.videos:
        for block in video.poses():
            for start in range(0, len(block), ROWS):
                yield video, block.take(slice(start, start + ROWS))


def triplets(xy: NDArray[np.float64], v: NDArray[np.int64]) -> Words:
    """(P, W) words: x, y, v of each of K keypoints; v are ints.

    Args:
        xy: (P, K, 2) float64 pixels, rounded to 0.01.
        v: (P, K) int64 in [0, 2].
    """
    numbers = flat(decimals(xy, 2, b","), axes=2)
    # The last one has no comma after it.
    last = np.arange(v.shape[1]) == v.shape[1] - 1
    return flat(joined(numbers, pick([b"0,", b"1,", b"2,", b"0", b"1", b"2"], v + 3 * last)))


def write_list(out: BinaryIO, texts: Iterable[bytes]) -> None:
    """Writes a JSON list, a row a line.

    Args:
        texts: of some rows each, all of which end in a comma and a line feed.
    """
    out.write(b"[\n")
    between = b""
    for text in texts:
        if text:
            out.write(between + text.removesuffix(_BETWEEN))
            between = _BETWEEN
    out.write(b"\n]")


def json_rows(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Rows as `write_list` takes them, one by one."""
    return (orjson.dumps(row) + _BETWEEN for row in rows)
