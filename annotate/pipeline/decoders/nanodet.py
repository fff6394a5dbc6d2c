"""The kind `nanodet`: boxes whose edges are distributions over distances from a cell's centre.

Source of the formulas: Generalized Focal Loss (Li et al. 2020), the head of RangiLyu's NanoDet.
"""

from collections.abc import Sequence

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.detector_kinds import NanoDet
from annotate.domain.model_spec import DetectorSpec
from annotate.numeric.activation import sigmoid
from annotate.pipeline.decoders.person_boxes import grid, people
from annotate.pipeline.detections import Detections


class NanoDetDecoder:
    """People from the raw maps of NanoDet."""

    def __init__(self, spec: DetectorSpec, kind: NanoDet) -> None:
        self._spec = spec
        self._kind = kind
        self._corners, self._stride = grid(spec.size, kind.strides)

    def decode(self, outputs: Sequence[FloatArray]) -> Detections:
        """Every person that the model found, once."""
        kind = self._kind
        raw = np.concatenate([one[0].reshape(one.shape[1], -1).T for one in outputs])
        score = sigmoid(raw[:, kind.person])
        rows = np.flatnonzero(score >= self._spec.min_score)
        bins = (raw.shape[1] - kind.classes) // 4
        logits = raw[rows, kind.classes :].reshape(len(rows), 4, bins)
        weight = np.exp(logits - logits.max(axis=2, keepdims=True))
        steps = np.arange(bins, dtype=np.float32)
        distance = (weight * steps).sum(axis=2) / weight.sum(axis=2)
        centre = self._corners[rows] + np.float32(0.5)
        cells = np.hstack([centre - distance[:, :2], centre + distance[:, 2:]])
        boxes = cells * self._stride[rows, None]
        return people(boxes, score[rows], self._spec.size, kind.nms_iou)
