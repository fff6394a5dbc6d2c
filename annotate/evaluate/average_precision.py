"""Average precision and recall by OKS, as COCO's own evaluation computes them."""

import contextlib
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.evaluate.annotations import Annotations, GroundTruth
from annotate.evaluate.ranking import Ranking, ranking_of
from annotate.extras import library
from annotate.formats.coco_common import PERSON, PERSON_CATEGORY

# The OKS thresholds whose curves are kept, and their positions among COCO's 0.50, 0.55 .. 0.95.
CURVES = {0.5: 0, 0.75: 5}


@dataclass(frozen=True)
class AveragePrecision:
    """COCO's figures; None where the ground truth has no people of that size.

    Attributes:
        ap, ar: mean over the OKS thresholds 0.50, 0.55 .. 0.95, of the 20 best poses an image.
        ap50, ap75, ar50, ar75: at one threshold.
        ap_medium, ar_medium: of people of 32^2 to 96^2 square pixels.
        ap_large, ar_large: of people larger than that.
        curves: OKS threshold, 0.5 and 0.75, and precision at recall 0.00, 0.01 .. 1.00.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_medium: float | None
    ap_large: float | None
    ar: float | None
    ar50: float | None
    ar75: float | None
    ar_medium: float | None
    ar_large: float | None
    curves: tuple[tuple[float, tuple[float, ...]], ...]


def average_precision(truth: GroundTruth, poses: Annotations) -> tuple[AveragePrecision, Ranking]:
    """AP and AR of `poses`, and the ranking that they come from.

    Raises:
        UsageError: pycocotools is not installed.
    """
    coco, evaluation = (
        library("pycocotools.coco", "evaluate"),
        library("pycocotools.cocoeval", "evaluate"),
    )
    # The readers report on standard output.
    with contextlib.redirect_stdout(io.StringIO()):
        known = coco.COCO()
        known.dataset = {
            "images": [{"id": row} for row in range(len(truth.images))],
            "categories": [PERSON_CATEGORY],
            "annotations": _annotations(truth.people),
        }
        known.createIndex()
        # The reader raises an error where there is no pose at all.
        found = known.loadRes(_results(poses)) if len(poses) else coco.COCO()
        run = evaluation.COCOeval(known, found, "keypoints")
        run.params.imgIds = list(range(len(truth.images)))
        run.params.catIds = [PERSON]
        run.params.kpt_oks_sigmas = truth.sigmas.astype(np.float64)
        run.evaluate()
        run.accumulate()
        run.summarize()
    precision = run.eval["precision"]  # threshold, recall, category, size, number of poses
    curves = (
        (threshold, precision[position, :, 0, 0, 0]) for threshold, position in CURVES.items()
    )
    # COCO writes -1 for figures that are not defined.
    ap, ap50, ap75, ap_medium, ap_large, ar, ar50, ar75, ar_medium, ar_large = (
        None if value < 0 else float(value) for value in run.stats
    )
    figures = AveragePrecision(
        ap=ap,
        ap50=ap50,
        ap75=ap75,
        ap_medium=ap_medium,
        ap_large=ap_large,
        ar=ar,
        ar50=ar50,
        ar75=ar75,
        ar_medium=ar_medium,
        ar_large=ar_large,
        curves=tuple((t, tuple(c.tolist())) for t, c in curves if (c >= 0).all()),
    )
    return figures, ranking_of(run, len(truth.images))


def _annotations(people: Annotations) -> list[dict[str, Any]]:
    return [
        {
            "id": row + 1,
            "image_id": int(people.image[row]),
            "category_id": PERSON,
            "keypoints": np.column_stack([people.keypoints[row], 2 * people.labelled[row]])
            .ravel()
            .tolist(),
            "num_keypoints": int(people.labelled[row].sum()),
            "bbox": people.bbox[row].tolist(),
            "area": float(people.area[row]),
            "iscrowd": int(people.crowd[row]),
        }
        for row in range(len(people))
    ]


def _with_ones(keypoints: NDArray[np.float64]) -> list[float]:
    """K x (x, y, 1), flat."""
    values: list[float] = np.column_stack([keypoints, np.ones(len(keypoints))]).ravel().tolist()
    return values


def _results(poses: Annotations) -> list[dict[str, Any]]:
    return [
        {
            "image_id": int(poses.image[row]),
            "category_id": PERSON,
            "keypoints": _with_ones(poses.keypoints[row]),
            "score": float(poses.score[row]),
        }
        for row in range(len(poses))
    ]
