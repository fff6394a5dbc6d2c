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
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.skeleton import AREA_OF_BOX
from annotate.formats.base import Dataset, DatasetVideo, PoseBlock, StreamFormat
from annotate.formats.coco_common import (
    PERSON,
    ROWS,
    category_of,
    pose_pieces,
    triplets,
    write_list,
)
from annotate.formats.names import image_name
from annotate.numeric.words import Words, decimals, integers, joined, listed, pick, text_of, texts

# So near to the middle, in hundredths of a square pixel, rounding depends on the last bits.
_NEAR = 1e-4
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
        write_list(out, _all_annotations(dataset))
        out.write(b"}\n")


COCO = Coco()


def _images(dataset: Dataset) -> Iterator[bytes]:
    for video in dataset.videos:
        shown = np.flatnonzero(dataset.shown(video))
        for start in range(0, len(shown), ROWS):
            yield _images_of(video, shown[start : start + ROWS])


def _images_of(video: DatasetVideo, shown: IntArray) -> bytes:
    """Rows of the frames at these places (N,)."""
    frames = video.frames[shown]
    names = [image_name(video.folder, frame, video.image_ending) for frame in frames.tolist()]
    number = integers(frames)
    marks = (
        pick([b"", f',"{name}":true'.encode()], mask[shown])
        for name, mask in (
            ("missing", video.missing),
            ("damaged", video.damaged_mask),
            ("reviewed", video.reviewed_mask),
        )
    )
    return text_of(
        joined(
            b'{"id":',
            integers(video.images[shown]),
            b',"file_name":',
            texts([orjson.dumps(name) for name in names], shown.shape),
            b',"width":%d,"height":%d,"video_id":%d' % (video.width, video.height, video.id),
            b',"frame_id":',
            number,
            b',"frame_index":',
            number,
            b',"pts":',
            _json_numbers(video.pts[shown]),
            b',"time_s":',
            _json_numbers(np.round(video.time_s[shown], 6)),
            *marks,
            b"},\n",
        )
    )


def _json_numbers(values: NDArray[Any]) -> Words:
    """(n, W) words: numbers (n,) of any size."""
    return texts(orjson.dumps(values.tolist())[1:-1].split(b","), values.shape)


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


def _all_annotations(dataset: Dataset) -> Iterator[bytes]:
    first = 1
    for video, poses in pose_pieces(dataset):
        yield _annotations(video, poses, first)
        first += len(poses)


def _annotations(video: DatasetVideo, poses: PoseBlock, first: int) -> bytes:
    """Rows of poses, numbered from `first`."""
    track = integers(poses.track)
    filled = pick([b"false", b"true"], poses.filled)
    labelled = np.where(poses.v[:, :, None] > 0, poses.xy, 0.0)
    exact = AREA_OF_BOX * (poses.bbox[:, 2] * poses.bbox[:, 3])
    area = np.round(exact, 2)
    # Near the middle between two hundredths, only Python rounds to the nearest.
    middle = np.abs(exact * 100 % 1 - 0.5) < _NEAR
    area[middle] = [round(one, 2) for one in exact[middle].tolist()]
    return text_of(
        joined(
            b'{"id":',
            integers(np.arange(first, first + len(poses))),
            b',"image_id":',
            integers(video.images[poses.place]),
            b',"category_id":%d,"keypoints":[' % PERSON,
            triplets(labelled, poses.v),
            b'],"num_keypoints":',
            integers((poses.v > 0).sum(axis=1)),
            b',"keypoint_scores":[',
            listed(poses.visibility, 3),
            b'],"bbox":[',
            listed(poses.bbox, 2),
            b'],"area":',
            decimals(area, 2),
            b',"iscrowd":0,"segmentation":[],"score":',
            decimals(poses.score, 4),
            b',"track_id":',
            track,
            b',"video_track_id":',
            integers(poses.video_track),
            b',"filled":',
            filled,
            pick([b"", b',"reviewed":true'], video.reviewed_mask[poses.place]),
            _track_names(video, poses),
            # CVAT makes tracks of a whole task from these: only ids of the dataset keep people of
            # different videos apart.
            b',"attributes":{"track_id":',
            track,
            b',"keyframe":true,"filled":',
            filled,
            b"}},\n",
        )
    )


def _track_names(video: DatasetVideo, poses: PoseBlock) -> Words:
    """(P, W) words: the names of tracks, nothing where one has none."""
    tracks, places = np.unique(poses.video_track, return_inverse=True)
    names = [video.names.get(track, "") for track in tracks.tolist()]
    return pick([b',"track_name":' + orjson.dumps(name) if name else b"" for name in names], places)
