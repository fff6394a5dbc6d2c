"""Applies the rules by which detections and poses give ROIs."""

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.model_spec import DetectorSpec, LandmarkSpec
from annotate.domain.roi_rules import RoiFromBox, RoiFromKeypoints, RoiFromPoints
from annotate.numeric.geometry import quarter_turned, rois_from_boxes, rois_from_points
from annotate.pipeline.detections import Detections

_VISIBILITY = 3  # its column among those of a landmark


def detection_rois(found: Detections, spec: DetectorSpec, size: tuple[int, int]) -> FloatArray:
    """(n, 4) float32 ROIs of detections, in the units of those.

    Args:
        size: width and height of the landmark model's input.
    """
    match spec.roi:
        case RoiFromPoints() as rule:
            return _from_points(found.points, rule)
        case RoiFromBox() as rule:
            return rois_from_boxes(found.box, size, rule.scale)


def roi_points(found: Detections, spec: DetectorSpec) -> FloatArray:
    """(n, 2, 2) float32: the two points of each detection that its ROI is made from."""
    match spec.roi:
        case RoiFromPoints() as rule:
            return np.stack([found.points[:, rule.centre], found.points[:, rule.tip]], axis=1)
        case RoiFromBox():
            return found.box.reshape(-1, 2, 2)


def next_roi(landmarks: FloatArray, spec: LandmarkSpec, turns: int = 0) -> FloatArray | None:
    """(4,) float32: where to look for the same person next.

    Args:
        landmarks: (m, 5) float32 in pixels of the picture, auxiliary ones included.
        turns: quarter turns of an ROI that does not turn with the body.

    Returns:
        None where the pose is too unsure to go on with, or the pack has no rule.
    """
    roi: FloatArray
    match spec.next_roi:
        case RoiFromPoints() as rule:
            roi = _from_points(landmarks[None, :, :2], rule)[0]
            return roi
        case RoiFromKeypoints() as rule:
            confidence = landmarks[: spec.count, _VISIBILITY]
            sure = confidence > rule.min_confidence
            if sure.sum() < rule.min_count or confidence[sure].mean() < rule.min_mean:
                return None
            points = landmarks[: spec.count, :2][sure]
            box = np.concatenate([points.min(axis=0), points.max(axis=0)])
            roi = rois_from_boxes(box[None], spec.size, rule.scale)[0]
            return quarter_turned(roi, box[2:] - box[:2], spec.size, turns)
        case None:
            return None


def _from_points(points: FloatArray, rule: RoiFromPoints) -> FloatArray:
    """(n, 4) ROIs of points (n, k, 2)."""
    return rois_from_points(points[:, rule.centre], points[:, rule.tip], rule.scale)
