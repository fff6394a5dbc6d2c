"""All figures of an evaluation."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from annotate.evaluate.accuracy import (
    DetectionCounts,
    VisibilityCounts,
    count_all,
    count_by_height,
    count_by_visibility,
)
from annotate.evaluate.annotations import GroundTruth, Predictions
from annotate.evaluate.average_precision import AveragePrecision, average_precision
from annotate.evaluate.coco_files import read_predictions, read_truth
from annotate.evaluate.intervals import Intervals, measure_intervals
from annotate.evaluate.keypoints import KeypointFigures, Pck, measure_keypoints, measure_pck
from annotate.evaluate.matching import match_poses
from annotate.evaluate.motion import Motion, measure_motion
from annotate.evaluate.tracking import Tracking, measure_tracking


@dataclass(frozen=True)
class Evaluation:
    """Poses compared with the ground truth.

    Attributes:
        images: number of images of the ground truth.
        detections: counts of all people, whatever their height.
        by_height: the same by bands of height.
        by_visibility: the people by how much of them is visible.
        in_other_images: number of poses left out because the ground truth lacks their image.
        average_precision: AP and AR by OKS.
        pck: PCK@0.2.
        by_keypoint: figures of each keypoint.
        intervals: of the figures above.
        tracking: None where one of the sides has no tracks.
        motion: None where the ground truth has no tracks.
    """

    images: int
    detections: DetectionCounts
    by_height: tuple[DetectionCounts, ...]
    by_visibility: tuple[VisibilityCounts, ...]
    in_other_images: int
    average_precision: AveragePrecision
    pck: Pck
    by_keypoint: tuple[KeypointFigures, ...]
    intervals: Intervals
    tracking: Tracking | None
    motion: Motion | None

    def as_json(self) -> dict[str, Any]:
        """The figures as JSON takes them, with None for figures that are missing."""
        content = asdict(self)
        counts = (self.detections, *self.by_height)
        rows = (content["detections"], *content["by_height"])
        for count, row in zip(counts, rows, strict=True):
            row["recall"], row["precision"] = count.recall, count.precision
        for one, row in zip(self.by_visibility, content["by_visibility"], strict=True):
            row["recall"] = one.recall
        return content


def evaluate_files(predictions: Path, truth: Path) -> Evaluation:
    """Compares a results file, or an annotation file, with an annotation file that is the truth.

    Raises:
        UsageError: a file cannot be read or does not fit, or a library of the extra `evaluate` is
            not installed.
    """
    known = read_truth(truth)
    return evaluate(read_predictions(predictions, known), known)


def evaluate(predictions: Predictions, truth: GroundTruth) -> Evaluation:
    """All figures that the two sides allow.

    Raises:
        UsageError: a track is twice in one frame, or a library of the extra `evaluate` is not
            installed.
    """
    poses = predictions.poses
    matches = match_poses(truth, poses)
    by_height = count_by_height(truth.people, poses, matches)
    precision, ranking = average_precision(truth, poses)
    return Evaluation(
        images=len(truth.images),
        detections=count_all(by_height),
        by_height=by_height,
        by_visibility=count_by_visibility(truth.people, matches),
        in_other_images=predictions.in_other_images,
        average_precision=precision,
        pck=measure_pck(truth, poses, matches),
        by_keypoint=measure_keypoints(truth, poses, matches),
        intervals=measure_intervals(truth, poses, matches, ranking),
        tracking=measure_tracking(truth, poses, matches),
        motion=measure_motion(truth, poses, matches),
    )
