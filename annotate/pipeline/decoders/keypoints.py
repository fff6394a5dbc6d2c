"""What all decoders of plain keypoints share."""

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.pipeline.landmarks import COLUMNS, CropPose


def keypoint_pose(xy: FloatArray, confidence: FloatArray, min_confidence: float) -> CropPose:
    """The pose of keypoints that a model gives without a score of the whole.

    Its score is the mean visibility of the confident keypoints, as in MMPose's evaluation of
    COCO (`CocoMetric` with `keypoint_score_thr`), or 0 without any.

    Args:
        xy: (k, 2) float32 in pixels of the crop.
        confidence: (k,) float32: the visibility, once it is clipped to [0, 1].
        min_confidence: keypoints of a higher visibility are confident.
    """
    landmarks = np.ones((len(xy), len(COLUMNS)), np.float32)
    landmarks[:, :2] = xy
    landmarks[:, 2] = 0
    landmarks[:, 3] = visibility = confidence.clip(0, 1)
    sure = visibility[visibility > min_confidence]
    score = float(sure.mean()) if len(sure) else 0.0
    return CropPose(landmarks, np.zeros((len(xy), 0), np.float32), score)
