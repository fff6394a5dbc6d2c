"""COCO's annotation file: images, and the keypoints of the people in them.

Sources: the format page of COCO, and the code of its readers: pycocotools wants annotation ids
from 1 and v of 0, 1 or 2; CVAT (datumaro) wants `segmentation`, makes tracks only from attributes
`track_id` and `keyframe` together, and reads the frame's number from the end of the image's name.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import numpy as np
import orjson

from annotate.domain.arrays import IntArray
from annotate.domain.names import file_key
from annotate.domain.skeleton import AREA_OF_BOX
from annotate.formats.base import Dataset, DatasetVideo
from annotate.formats.coco_common import (
    PERSON,
    PERSON_CATEGORY,
    CocoPose,
    coco_poses,
    triplets,
    with_first_images,
    write_list,
)


class Coco:
    """Every processed frame is an image, with or without people; every pose is an annotation.

    Ids of images count missing frames too, so that they are the same in every export of a job.
    """

    name = "coco"
    suffix = ".json"

    def write(self, dataset: Dataset, out: BinaryIO) -> None:
        """Writes the file as a stream."""
        head = {
            "info": {
                "description": "Body keypoints of people in videos",
                "version": "1.0",
                **_missing(dataset),
            },
            "licenses": [],
            "videos": [
                {"id": v.id, "name": v.name, "width": v.width, "height": v.height}
                for v in dataset.videos
                if dataset.shown(v).any()
            ],
            "categories": [PERSON_CATEGORY],
        }
        out.write(orjson.dumps(head)[:-1] + b',"images":')
        write_list(out, _images(dataset))
        out.write(b',"annotations":')
        numbered = enumerate(coco_poses(dataset), start=1)
        write_list(out, (_annotation(number, pose) for number, pose in numbered))
        out.write(b"}\n")


COCO = Coco()


def image_folders(videos: Sequence[str]) -> list[str]:
    """For each video the folder that its images are named after, no two the same folder on any
    system.

    It is the video's name without its ending, or with it where that alone tells two videos apart.

    Args:
        videos: names, no two alike.

    >>> image_folders(["a.mp4", "b.mp4", "b.mov"])
    ['a', 'b.mp4', 'b.mov']
    """
    stems = [str(PurePosixPath(name).with_suffix("")) for name in videos]
    alike, whole = Counter(map(file_key, stems)), set(map(file_key, videos))
    return [
        stem if alike[key] == 1 and (stem == name or key not in whole) else name
        for name, stem, key in zip(videos, stems, map(file_key, stems), strict=True)
    ]


def image_name(video: str, frame: int) -> str:
    """Name of a frame's image, where no other video has the same stem; no such file need exist."""
    return _image_name(image_folders([video])[0], frame)


def _image_name(folder: str, frame: int) -> str:
    return f"{folder}/frame_{frame:06d}.jpg"


def _images(dataset: Dataset) -> Iterator[dict[str, Any]]:
    folders = image_folders([video.name for video in dataset.videos])
    for folder, (video, first_image) in zip(folders, with_first_images(dataset), strict=True):
        shown = np.flatnonzero(dataset.shown(video))
        yield from _images_of(video, folder, first_image, shown)


def _images_of(
    video: DatasetVideo, folder: str, first_image: int, shown: IntArray
) -> Iterator[dict[str, Any]]:
    columns = (
        first_image + shown,
        video.frames[shown],
        video.pts[shown],
        np.round(video.time_s[shown], 6),
        video.missing[shown],
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for image, frame, pts, time_s, missing in rows:
        yield {
            "id": image,
            "file_name": _image_name(folder, frame),
            "width": video.width,
            "height": video.height,
            "video_id": video.id,
            "frame_id": frame,
            "pts": pts,
            "time_s": time_s,
            **({"missing": True} if missing else {}),
        }


def _missing(dataset: Dataset) -> dict[str, Any]:
    """What `info` says of frames that were not processed, and of files that cannot be read; nothing
    where there are none.
    """
    missing: list[dict[str, Any]] = [
        {"video": video.name, "frames": int(video.missing.sum()), "ranges": video.missing_ranges}
        for video in dataset.videos
        if video.missing.any()
    ]
    missing += [{"video": one.name, "reason": one.reason} for one in dataset.left_out]
    rejected = [asdict(one) for one in dataset.rejected]
    lists = {"missing": missing, "rejected": rejected}
    return {name: rows for name, rows in lists.items() if rows}


def _annotation(number: int, pose: CocoPose) -> dict[str, Any]:
    labelled = np.where(pose.v[:, None] > 0, pose.xy, 0.0)
    return {
        "id": number,
        "image_id": pose.image,
        "category_id": PERSON,
        "keypoints": triplets(labelled, pose.v),
        "num_keypoints": int((pose.v > 0).sum()),
        "keypoint_scores": pose.confidence.tolist(),
        "bbox": pose.bbox.tolist(),
        "area": round(AREA_OF_BOX * float(pose.bbox[2] * pose.bbox[3]), 2),
        "iscrowd": 0,
        "segmentation": [],
        "score": pose.score,
        "track_id": pose.track,
        "filled": pose.filled,
        "attributes": {"track_id": pose.track, "keyframe": True},
    }
