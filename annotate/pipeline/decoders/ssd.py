"""The kind `ssd`: boxes and alignment points relative to anchors.

Source of the formulas: MediaPipe's SsdAnchorsCalculator, TensorsToDetectionsCalculator and
NonMaxSuppressionCalculator, with the options of its pose_detection graph.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.detector_kinds import Ssd
from annotate.domain.model_spec import DetectorSpec
from annotate.numeric.geometry import box_iou
from annotate.pipeline.detections import Detections


class SsdDecoder:
    """Detections from boxes relative to anchors."""

    def __init__(self, spec: DetectorSpec, kind: Ssd) -> None:
        self._min_score = spec.min_score
        self._kind = kind
        self._anchors = anchor_centres(spec.size[0], kind)

    def decode(self, outputs: Sequence[FloatArray]) -> Detections:
        """Every person that the model found, once, from the box and the score outputs."""
        count = len(self._kind.boxes)
        boxes = np.concatenate([one[0] for one in outputs[:count]])
        logits = np.concatenate([one.reshape(-1) for one in outputs[count:]])
        return suppress(self.raw_detections(boxes, logits), self._kind)

    def raw_detections(self, boxes: FloatArray, logits: FloatArray) -> Detections:
        """The detections that reach the least score, overlapping ones included.

        Args:
            boxes: (n, 4 + 2k) float32, a row an anchor: centre x, centre y, width, height, then k
                points.
            logits: (n,) float32.
        """
        kind = self._kind
        least = np.log(self._min_score / (1 - self._min_score))
        rows = np.flatnonzero(logits >= least)
        clipped = np.clip(logits[rows], -kind.score_clip, kind.score_clip)
        order = np.argsort(-clipped, kind="stable")
        rows, clipped = rows[order], clipped[order]
        score = 1 / (1 + np.exp(-clipped))
        raw = boxes[rows] / np.float32(kind.box_scale)
        centre = raw[:, :2] + self._anchors[rows]
        half = raw[:, 2:4] / 2
        points = raw[:, 4:].reshape(len(rows), (boxes.shape[1] - 4) // 2, 2)
        return Detections(
            score.astype(np.float32),
            np.hstack([centre - half, centre + half]),
            points + self._anchors[rows, None],
        )


def anchor_centres(side: int, kind: Ssd) -> FloatArray:
    """Centres of the anchors in the order of the model's outputs: grid row, column, anchor.

    Every layer brings two anchors a cell; neighbouring layers of one stride share one grid.

    Args:
        side: of the model's input in pixels.

    Returns:
        (n, 2) float32: x, y as fractions of the input's side.
    """
    layers = []
    for stride, group in groupby(kind.strides):
        cells = -(-side // stride)
        line = (np.arange(cells) + kind.anchor_offset) / cells
        y, x = np.meshgrid(line, line, indexing="ij")
        grid = np.stack([x, y], axis=-1).reshape(-1, 2)
        layers.append(np.repeat(grid, 2 * len(list(group)), axis=0))
    return np.concatenate(layers).astype(np.float32)


def suppress(found: Detections, kind: Ssd) -> Detections:
    """One detection for each group of overlapping ones.

    With `weighted`, box and points become the score-weighted mean of the group, and the score
    stays the greatest; with `hard`, only the best of the group is kept.
    """
    chosen: list[Detections] = []
    rest = found
    while len(rest):
        overlaps = box_iou(rest.box[0], rest.box) > kind.nms_iou
        overlaps[0] = True
        group = rest.take(np.flatnonzero(overlaps))
        chosen.append(
            _weighted_mean(group) if kind.nms == "weighted" else group.take(np.array([0]))
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
