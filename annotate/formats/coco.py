"""COCO keypoints: the annotation file and the results file, written as streams.

Sources: the format page of COCO, and the code of its readers: pycocotools wants annotation ids
from 1 and v of 0, 1 or 2; CVAT (datumaro) wants `segmentation`, makes tracks only from attributes
`track_id` and `keyframe` together, and reads the frame's number from the end of the image's name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.skeleton import (
    COCO_EDGES,
    COCO_KEYPOINTS,
    Skeleton,
    coco_keypoints,
    coco_visibility,
)
from annotate.domain.tracks import Tracks
from annotate.numeric.similarity import AREA_OF_BOX

PERSON = 1
PERSON_CATEGORY = {
    "id": PERSON,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(COCO_KEYPOINTS),
    "skeleton": [[a + 1, b + 1] for a, b in COCO_EDGES],
}
_BLOCK = 2000


@dataclass(frozen=True, eq=False)
class CocoVideo:
    """One video of a dataset.

    Attributes:
        id: from 1.
        name: unique in the dataset.
        width, height: of the displayed frame in pixels.
        frames: (N,) int64, increasing: indices of the frames that are images of the dataset.
        pts: (N,) int64, in the stream's time base.
        time_s: (N,) float64 seconds.
        first_image: id of the first one's image; those of the others follow.
        tracks: opens the video's poses, block by block.
    """

    id: int
    name: str
    width: int
    height: int
    frames: IntArray
    pts: IntArray
    time_s: NDArray[np.float64]
    first_image: int
    tracks: Callable[[], Iterable[Tracks]]


def annotation_file(videos: Sequence[CocoVideo], skeleton: Skeleton) -> Iterator[bytes]:
    """The annotation file, in pieces whose size does not grow with the dataset."""
    head = {
        "info": {"description": "Body keypoints of people in videos", "version": "1.0"},
        "licenses": [],
        "videos": [
            {"id": v.id, "name": v.name, "width": v.width, "height": v.height} for v in videos
        ],
        "categories": [PERSON_CATEGORY],
    }
    folders = image_folders([video.name for video in videos])
    yield orjson.dumps(head)[:-1] + b',"images":'
    yield from _list(
        image
        for video, folder in zip(videos, folders, strict=True)
        for image in _images(video, folder)
    )
    yield b',"annotations":'
    yield from _list(
        {"id": number, **annotation}
        for number, annotation in enumerate(_annotations(videos, skeleton), start=1)
    )
    yield b"}\n"


def results_file(videos: Sequence[CocoVideo], skeleton: Skeleton) -> Iterator[bytes]:
    """The results file: every pose with a labelled keypoint, all 17 coordinates as they are.

    A pose without a labelled keypoint stays out: COCO's evaluation leaves it out of account in
    the annotation file, and would count it here as a pose that fits nobody.
    """
    yield from _list(
        {
            "image_id": image,
            "category_id": PERSON,
            "keypoints": _triplets(xy, np.ones(len(xy), np.int64)),
            "score": score,
            "track_id": track,
        }
        for video in videos
        for image, track, xy, v, _, score, _, _ in _poses(video, skeleton)
        if v.any()
    )
    yield b"\n"


def image_folders(videos: Sequence[str]) -> list[str]:
    """For each video the folder that its images are named after, no two alike.

    It is the video's name without its ending, or with it where that alone tells two videos apart.

    Args:
        videos: names, no two alike.
    """
    stems = [str(PurePosixPath(name).with_suffix("")) for name in videos]
    alike, whole = Counter(stems), set(videos)
    return [
        stem if alike[stem] == 1 and (stem == name or stem not in whole) else name
        for name, stem in zip(videos, stems, strict=True)
    ]


def image_name(video: str, frame: int) -> str:
    """Name of a frame's image, where no other video has the same stem; no such file need exist."""
    return _image_name(image_folders([video])[0], frame)


def _image_name(folder: str, frame: int) -> str:
    return f"{folder}/frame_{frame:06d}.jpg"


def _images(video: CocoVideo, folder: str) -> Iterator[dict[str, Any]]:
    times = np.round(video.time_s, 6)
    rows = zip(video.frames.tolist(), video.pts.tolist(), times.tolist(), strict=True)
    for image, (frame, pts, time_s) in enumerate(rows, start=video.first_image):
        yield {
            "id": image,
            "file_name": _image_name(folder, frame),
            "width": video.width,
            "height": video.height,
            "video_id": video.id,
            "frame_id": frame,
            "pts": pts,
            "time_s": time_s,
        }


def _annotations(videos: Sequence[CocoVideo], skeleton: Skeleton) -> Iterator[dict[str, Any]]:
    for video in videos:
        for image, track, xy, v, bbox, score, confidence, filled in _poses(video, skeleton):
            labelled = np.where(v[:, None] > 0, xy, 0.0)
            yield {
                "image_id": image,
                "category_id": PERSON,
                "keypoints": _triplets(labelled, v),
                "num_keypoints": int((v > 0).sum()),
                "keypoint_scores": confidence.tolist(),
                "bbox": bbox.tolist(),
                "area": round(AREA_OF_BOX * float(bbox[2] * bbox[3]), 2),
                "iscrowd": 0,
                "segmentation": [],
                "score": score,
                "track_id": track,
                "filled": filled,
                "attributes": {"track_id": track, "keyframe": True},
            }


def _poses(video: CocoVideo, skeleton: Skeleton) -> Iterator[tuple[Any, ...]]:
    """Image id, track id, (17, 2) coordinates, (17,) v, (4,) box, score, (17,) visibility, filled:
    rounded once and before v is told, so that both files say the same and nothing else.
    """
    for block in video.tracks():
        keypoints = coco_keypoints(block.smoothed, skeleton)
        # Adding 0 turns -0.0 into 0.0.
        xy = np.round(keypoints[:, :, :2].astype(np.float64), 2) + 0.0
        keypoints[:, :, :2] = xy
        yield from zip(
            (video.first_image + np.searchsorted(video.frames, block.frame_index)).tolist(),
            block.track_id.tolist(),
            xy,
            coco_visibility(keypoints, video.width, video.height),
            np.round(block.bbox.astype(np.float64), 2) + 0.0,
            np.round(block.score.astype(np.float64), 4).tolist(),
            np.round(keypoints[:, :, 2].astype(np.float64), 3),
            block.filled.tolist(),
            strict=True,
        )


def _triplets(xy: NDArray[np.float64], v: NDArray[np.int64]) -> list[float]:
    flat: list[float] = np.column_stack([xy, v]).reshape(-1).tolist()
    flat[2::3] = v.tolist()
    return flat


def _list(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """A JSON list of rows, a row a line, some thousands at a time."""
    yield b"[\n"
    lines: list[bytes] = []
    between = b""
    for row in rows:
        lines.append(orjson.dumps(row))
        if len(lines) == _BLOCK:
            yield between + b",\n".join(lines)
            between, lines = b",\n", []
    if lines:
        yield between + b",\n".join(lines)
    yield b"\n]"
