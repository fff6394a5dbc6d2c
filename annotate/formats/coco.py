"""COCO's annotation file: images, and the keypoints of the people in them.

Sources: the format page of COCO, and the code of its readers: pycocotools wants annotation ids
from 1 and v of 0, 1 or 2; CVAT (datumaro) wants `segmentation`, makes tracks only from attributes
`track_id` and `keyframe` together, and reads the frame's number from the end of the image's name.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

import numpy as np
import orjson

from annotate.domain.arrays import IntArray
from annotate.domain.skeleton import AREA_OF_BOX
from annotate.formats.base import Dataset, DatasetVideo, StreamFormat
from annotate.formats.coco_common import (
    PERSON,
    CocoPose,
    category_of,
    coco_poses,
    triplets,
    write_list,
)
from annotate.formats.names import image_name

_DESCRIPTION = "Body keypoints of people in videos"


class Coco(StreamFormat):
    """Every processed frame is an image, with or without people; every pose is an annotation.

    Ids of images count missing frames too, so that they are the same in every export of a job.
    """

    name = "coco"
    suffix = ".json"
    signatures = (b'{"info":{"description":"' + _DESCRIPTION.encode(),)

    def write(self, dataset: Dataset, out: BinaryIO) -> None:
        """Writes the file as a stream."""
        head = {
            "info": _info(dataset),
            "licenses": [],
            "videos": [_video(v) for v in dataset.videos if dataset.shown(v).any()],
            "categories": [category_of(dataset.keypoints)],
        }
        out.write(orjson.dumps(head)[:-1] + b',"images":')
        write_list(out, _images(dataset))
        out.write(b',"annotations":')
        numbered = enumerate(coco_poses(dataset), start=1)
        write_list(out, (_annotation(number, pose) for number, pose in numbered))
        out.write(b"}\n")


COCO = Coco()


def _images(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for video in dataset.videos:
        yield from _images_of(video, np.flatnonzero(dataset.shown(video)))


def _images_of(video: DatasetVideo, shown: IntArray) -> Iterator[dict[str, Any]]:
    columns = (
        video.images[shown],
        video.frames[shown],
        video.pts[shown],
        np.round(video.time_s[shown], 6),
        video.missing[shown],
        video.damaged_mask[shown],
        video.reviewed_mask[shown],
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for image, frame, pts, time_s, missing, damaged, reviewed in rows:
        yield {
            "id": image,
            "file_name": image_name(video.folder, frame, video.image_ending),
            "width": video.width,
            "height": video.height,
            "video_id": video.id,
            "frame_id": frame,
            "frame_index": frame,
            "pts": pts,
            "time_s": time_s,
            **({"missing": True} if missing else {}),
            **({"damaged": True} if damaged else {}),
            **({"reviewed": True} if reviewed else {}),
        }


def _info(dataset: Dataset) -> dict[str, Any]:
    made = dataset.provenance
    return {
        "description": _DESCRIPTION,
        "version": "1.0",
        "program": made.program,
        "date_created": made.submitted,
        "model": {"name": made.pack_name, "digest": made.pack},
        "settings": {"recipe": made.recipe, "merge": made.merge},
        **_missing(dataset),
        **_damaged(dataset),
    }


def _video(video: DatasetVideo) -> dict[str, Any]:
    origin = video.origin
    return {
        "id": video.id,
        "name": video.name,
        "width": video.width,
        "height": video.height,
        "fps": round(video.fps, 6),
        **origin.clock,
        "duration_s": round(origin.duration_s, 6),
        "fingerprint": origin.fingerprint,
        **({"providers": list(map(asdict, video.providers))} if video.providers else {}),
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


def _damaged(dataset: Dataset) -> dict[str, Any]:
    """What `info` says of frames that cannot be decoded; nothing where there are none."""
    damaged = [
        {
            "video": video.name,
            "frames": int(video.damaged_mask.sum()),
            "ranges": [asdict(one) for one in video.damaged],
        }
        for video in dataset.videos
        if video.damaged
    ]
    return {"damaged": damaged} if damaged else {}


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
        "video_track_id": pose.video_track,
        "filled": pose.filled,
        **({"reviewed": True} if pose.reviewed else {}),
        **({"track_name": pose.name} if pose.name else {}),
        # CVAT makes tracks of a whole task from these: only ids of the dataset keep people of
        # different videos apart.
        "attributes": {"track_id": pose.track, "keyframe": True, "filled": pose.filled},
    }
