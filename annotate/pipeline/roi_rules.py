"""Applies the rules by which detections and poses give ROIs."""

from annotate.domain.arrays import FloatArray
from annotate.domain.model_spec import DetectorSpec, LandmarkSpec
from annotate.numeric.geometry import rois_from_points
from annotate.pipeline.detections import Detections


def detection_rois(found: Detections, spec: DetectorSpec) -> FloatArray:
    """(n, 4) float32 ROIs of detections, in the units of those."""
    rule = spec.roi
    return rois_from_points(found.points[:, rule.centre], found.points[:, rule.tip], rule.scale)


def roi_points(found: Detections, spec: DetectorSpec) -> FloatArray:
    """(n, 2, 2) float32: the two points of each detection that its ROI is made of."""
    return found.points[:, [spec.roi.centre, spec.roi.tip]]


def next_roi(landmarks: FloatArray, spec: LandmarkSpec) -> FloatArray | None:
    """(4,) float32: where to look for the same person next.

    Args:
        landmarks: (m, 5) float32 in pixels of the picture, auxiliary ones included.

    Returns:
        None where the rule loses the person, or the pack has none.
    """
    rule = spec.next_roi
    if rule is None:
        return None
    points = landmarks[None, :, :2]
    roi: FloatArray = rois_from_points(points[:, rule.centre], points[:, rule.tip], rule.scale)[0]
    return roi
