"""How accurate poses are, compared with ground truth.

AP, identity figures and plots need the libraries of the extra `evaluate`, which are imported when
such a figure is computed. All else works in a plain installation.
"""

from annotate.evaluate.accuracy import DetectionCounts, count_all, count_by_height
from annotate.evaluate.annotations import GroundTruth, Predictions, count_tracks
from annotate.evaluate.charts import plots
from annotate.evaluate.coco_files import read_predictions, read_truth
from annotate.evaluate.evaluation import Evaluation, evaluate, evaluate_files
from annotate.evaluate.keypoints import Pck, measure_pck
from annotate.evaluate.matching import match_poses
from annotate.evaluate.tables import Table, tables

__all__ = [
    "DetectionCounts",
    "Evaluation",
    "GroundTruth",
    "Pck",
    "Predictions",
    "Table",
    "count_all",
    "count_by_height",
    "count_tracks",
    "evaluate",
    "evaluate_files",
    "match_poses",
    "measure_pck",
    "plots",
    "read_predictions",
    "read_truth",
    "tables",
]
