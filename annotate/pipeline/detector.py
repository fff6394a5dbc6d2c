"""Stage 1 without the model: anchors, raw outputs to detections, non-maximum suppression.

Source of the formulas: MediaPipe's SsdAnchorsCalculator, TensorsToDetectionsCalculator and
NonMaxSuppressionCalculator, with the options of its pose_detection graph.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.pack import DetectorSpec
from annotate.numeric.geometry import box_iou


@dataclass(frozen=True, eq=False)
class Detections:
    """Persons that stage 1 found, in descending order of score.

    Attributes:
        score: (n,) float32 in [0, 1].
        box: (n, 4) float32: x0, y0, x1, y1 as fractions of the detector's square input.
        points: (n, k, 2) float32: the alignment keypoints, likewise.
    """

    score: FloatArray
    box: FloatArray
    points: FloatArray

    def __len__(self) -> int:
        return len(self.score)

    def take(self, rows: np.ndarray) -> "Detections":
        """The detections at `rows`, in that order."""
        return Detections(self.score[rows], self.box[rows], self.points[rows])


def anchor_centres(spec: DetectorSpec) -> FloatArray:
    """Centres of the anchors in the order of the model's outputs: grid row, column, anchor.

    Every layer brings two anchors a cell; neighbouring layers of one stride share one grid.

    Returns:
        (n, 2) float32: x, y as fractions of the input's side.
    """
    layers = []
    for stride, group in groupby(spec.strides):
        cells = -(-spec.size // stride)
        line = (np.arange(cells) + spec.anchor_offset) / cells
        y, x = np.meshgrid(line, line, indexing="ij")
        grid = np.stack([x, y], axis=-1).reshape(-1, 2)
        layers.append(np.repeat(grid, 2 * len(list(group)), axis=0))
    return np.concatenate(layers).astype(np.float32)


def detections_of(
    outputs: Sequence[FloatArray], anchors: FloatArray, spec: DetectorSpec
) -> Detections:
    """Everyone whom the model found, each once.

    Args:
        outputs: of the model: those that `spec.boxes` names, then `spec.scores`.
        anchors: (n, 2) float32, from `anchor_centres`.
    """
    boxes = np.concatenate([one[0] for one in outputs[: len(spec.boxes)]])
    logits = np.concatenate([one.reshape(-1) for one in outputs[len(spec.boxes) :]])
    return suppress(decode_detections(boxes, logits, anchors, spec), spec)


def decode_detections(
    boxes: FloatArray, logits: FloatArray, anchors: FloatArray, spec: DetectorSpec
) -> Detections:
    """Raw outputs of the model to the detections that reach `spec.min_score`.

    Args:
        boxes: (n, 4 + 2k) float32: centre x, centre y, width, height, then k points.
        logits: (n,) float32.
        anchors: (n, 2) float32, from `anchor_centres`.
    """
    least = np.log(spec.min_score / (1 - spec.min_score))
    rows = np.flatnonzero(logits >= least)
    clipped = np.clip(logits[rows], -spec.score_clip, spec.score_clip)
    order = np.argsort(-clipped, kind="stable")
    rows, clipped = rows[order], clipped[order]
    score = 1 / (1 + np.exp(-clipped))
    raw = boxes[rows] / np.float32(spec.box_scale)
    centre = raw[:, :2] + anchors[rows]
    half = raw[:, 2:4] / 2
    points = raw[:, 4:].reshape(len(rows), (boxes.shape[1] - 4) // 2, 2) + anchors[rows, None]
    return Detections(score.astype(np.float32), np.hstack([centre - half, centre + half]), points)


def suppress(found: Detections, spec: DetectorSpec) -> Detections:
    """One detection for each group of overlapping ones.

    With `weighted`, box and points become the score-weighted mean of the group, and the score
    stays the greatest; with `hard`, the best of the group stands.
    """
    chosen: list[Detections] = []
    rest = found
    while len(rest):
        overlaps = box_iou(rest.box[0], rest.box) > spec.nms_iou
        overlaps[0] = True
        group = rest.take(np.flatnonzero(overlaps))
        chosen.append(
            _weighted_mean(group) if spec.nms == "weighted" else group.take(np.array([0]))
        )
        rest = rest.take(np.flatnonzero(~overlaps))
    if not chosen:
        return found
    return Detections(
        np.concatenate([one.score for one in chosen]),
        np.concatenate([one.box for one in chosen]),
        np.concatenate([one.points for one in chosen]),
    )


def _weighted_mean(group: Detections) -> Detections:
    weight = group.score / group.score.sum()
    return Detections(
        group.score[:1],
        (weight[:, None] * group.box).sum(axis=0, keepdims=True),
        (weight[:, None, None] * group.points).sum(axis=0, keepdims=True),
    )
