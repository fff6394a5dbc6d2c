"""COCO's results file: a list of detections with scores, for COCO's evaluation."""

from typing import BinaryIO

import numpy as np

from annotate.domain.keypoint_sets import COCO17
from annotate.formats.base import Dataset, DatasetVideo, PoseBlock, StreamFormat
from annotate.formats.coco_common import PERSON, pose_pieces, triplets, write_list
from annotate.numeric.words import decimals, integers, joined, text_of


class CocoResults(StreamFormat):
    """Every pose with a labelled keypoint, all 17 coordinates as they are.

    A pose without a labelled keypoint stays out: COCO's evaluation ignores it in the annotation
    file, and would count it here as a false positive.
    """

    name = "coco-results"
    suffix = ".json"
    signatures = (b'[\n{"image_id":', b"[\n\n]\n")
    # The sigmas of COCO's evaluation are for its own keypoints.
    keypoint_sets = (COCO17,)

    def write(self, dataset: Dataset, out: BinaryIO) -> None:
        """Writes the file as a stream."""
        write_list(out, (_rows(video, poses) for video, poses in pose_pieces(dataset)))
        out.write(b"\n")


COCO_RESULTS = CocoResults()


def _rows(video: DatasetVideo, poses: PoseBlock) -> bytes:
    poses = poses.take(np.flatnonzero(poses.v.any(axis=1)))
    return text_of(
        joined(
            b'{"image_id":',
            integers(video.images[poses.place]),
            b',"category_id":%d,"keypoints":[' % PERSON,
            triplets(poses.xy, np.ones_like(poses.v)),
            b'],"score":',
            decimals(poses.score, 4),
            b',"track_id":',
            integers(poses.track),
            b"},\n",
        )
    )
