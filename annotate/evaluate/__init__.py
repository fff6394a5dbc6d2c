"""How good poses are, against a truth that is known.

Needs the libraries of the extra `evaluate`, which are imported when a figure is asked for.
"""

from pathlib import Path

from annotate.evaluate.accuracy import Found, correct_keypoints, found_by_height
from annotate.evaluate.charts import plots
from annotate.evaluate.dataset import Predictions, Truth, read_predictions, read_truth
from annotate.evaluate.motion import measure_motion
from annotate.evaluate.pairs import pair
from annotate.evaluate.precision import average_precision
from annotate.evaluate.report import Report, Table, as_json, tables
from annotate.evaluate.tracking import measure_tracking

__all__ = [
    "Predictions",
    "Report",
    "Table",
    "Truth",
    "as_json",
    "evaluate",
    "evaluate_files",
    "plots",
    "read_predictions",
    "read_truth",
    "tables",
]


def evaluate_files(predictions: Path, truth: Path) -> Report:
    """A results file, or an annotation file, against an annotation file with the truth.

    Raises:
        UsageError: a file cannot be read or does not fit, or a library is not installed.
    """
    known = read_truth(truth)
    return evaluate(read_predictions(predictions, known), known)


def evaluate(predictions: Predictions, truth: Truth) -> Report:
    """All figures that the two sides allow.

    Raises:
        UsageError: a track is twice in one frame, or a library is not installed.
    """
    poses = predictions.poses
    pairs = pair(truth, poses)
    heights = found_by_height(truth.people, poses, pairs)
    return Report(
        images=len(truth.images),
        found=Found(
            low=0,
            high=None,
            people=sum(band.people for band in heights),
            found=sum(band.found for band in heights),
            invented=sum(band.invented for band in heights),
        ),
        heights=heights,
        elsewhere=predictions.elsewhere,
        average=average_precision(truth, poses),
        correct=correct_keypoints(truth.people, poses, pairs),
        tracking=measure_tracking(truth, poses, pairs),
        motion=measure_motion(truth, poses, pairs),
    )
