"""COCO's results file: a list of detections with scores, for COCO's evaluation."""

from typing import BinaryIO

import numpy as np

from annotate.domain.keypoint_sets import COCO17
from annotate.formats.base import Dataset, StreamFormat
from annotate.formats.coco_common import PERSON, coco_poses, triplets, write_list


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
        write_list(
            out,
            (
                {
                    "image_id": pose.image,
                    "category_id": PERSON,
                    "keypoints": triplets(pose.xy, np.ones(len(pose.xy), np.int64)),
                    "score": pose.score,
                    "track_id": pose.track,
                }
                for pose in coco_poses(dataset)
                if pose.v.any()
            ),
        )
        out.write(b"\n")


COCO_RESULTS = CocoResults()
