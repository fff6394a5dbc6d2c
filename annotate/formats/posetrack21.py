"""PoseTrack21's annotation files, one for each video.

Source: the format page of PoseTrack21 and the code of its evaluation.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import orjson

from annotate.domain.keypoint_sets import KeypointSet
from annotate.domain.skeleton import COCO_KEYPOINTS
from annotate.formats.base import Dataset, DatasetVideo, FolderFormat, PoseBlock
from annotate.formats.coco_common import (
    PERSON,
    category_of,
    json_rows,
    pose_pieces,
    triplets,
    write_list,
)
from annotate.formats.names import image_name
from annotate.numeric.words import decimals, integers, joined, listed, text_of

# COCO's without eyes; the models know neither the upper neck nor the top of the head.
_NAMES = ("nose", "head_bottom", "head_top", *COCO_KEYPOINTS[3:])
_EDGES = (
    *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12)),
    *((5, 6), (5, 7), (6, 8), (7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4)),
)
POSETRACK = KeypointSet("posetrack", _NAMES, _EDGES)


class PoseTrack21(FolderFormat):
    """`VIDEO.json`: `images` and `annotations` of the frames; `head_bottom` and `head_top` are
    unlabelled.
    """

    name = "posetrack21"
    keypoint_sets = (POSETRACK,)

    def write_folder(self, dataset: Dataset, folder: Path) -> None:
        """Writes the file of each video as a stream."""
        for video in dataset.videos:
            path = folder / PurePosixPath(f"{video.folder}.json")
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as out:
                out.write(b'{"images":')
                write_list(out, json_rows(_images(dataset, video)))
                out.write(b',"annotations":')
                write_list(out, _all_annotations(dataset, video))
                out.write(b',"categories":')
                out.write(orjson.dumps([category_of(dataset.keypoints)]) + b"}\n")


POSETRACK21 = PoseTrack21()


def _images(dataset: Dataset, video: DatasetVideo) -> Iterator[dict[str, Any]]:
    for place in np.flatnonzero(dataset.shown(video)).tolist():
        frame = int(video.frames[place])
        missing = bool(video.missing[place])
        yield {
            "id": int(video.images[place]),
            "image_id": int(video.images[place]),
            "file_name": image_name(video.folder, frame, video.image_ending),
            "vid_id": f"{video.id:06d}",
            "frame_id": frame,
            "nframes": len(video.frames),
            "width": video.width,
            "height": video.height,
            "is_labeled": not missing,
            "has_labeled_person": not missing,
            "has_no_densepose": True,
            "ignore_regions_x": [],
            "ignore_regions_y": [],
        }


def _all_annotations(dataset: Dataset, video: DatasetVideo) -> Iterator[bytes]:
    first = 1
    for _, poses in pose_pieces(replace(dataset, videos=(video,))):
        yield _annotations(video, poses, first)
        first += len(poses)


def _annotations(video: DatasetVideo, poses: PoseBlock, first: int) -> bytes:
    """Rows of poses, numbered from `first`."""
    v = np.minimum(poses.v, 1)  # PoseTrack knows labelled and unlabelled
    track = integers(poses.video_track)
    return text_of(
        joined(
            b'{"id":',
            integers(np.arange(first, first + len(poses))),
            b',"image_id":',
            integers(video.images[poses.place]),
            b',"category_id":%d,"track_id":' % PERSON,
            track,
            b',"person_id":',
            track,
            b',"keypoints":[',
            triplets(np.where(v[:, :, None] > 0, poses.xy, 0.0), v),
            b'],"scores":[',
            listed(poses.visibility, 3),
            b'],"bbox":[',
            listed(poses.bbox, 2),
            b'],"score":',
            decimals(poses.score, 4),
            b"},\n",
        )
    )
