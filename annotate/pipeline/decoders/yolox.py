"""The kind `yolox`: boxes relative to the cells of grids.

Source of the formulas: `demo_postprocess` of Megvii's YOLOX.
"""

from collections.abc import Sequence

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.detector_kinds import Yolox
from annotate.domain.model_spec import DetectorSpec
from annotate.pipeline.decoders.person_boxes import grid, people
from annotate.pipeline.detections import Detections


class YoloxDecoder:
    """People from the raw output of YOLOX."""

    def __init__(self, spec: DetectorSpec, kind: Yolox) -> None:
        self._spec = spec
        self._kind = kind
        self._corners, self._stride = grid(spec.size, kind.strides)

    def decode(self, outputs: Sequence[FloatArray]) -> Detections:
        """Every person that the model found, once."""
        raw = outputs[0][0]
        score = raw[:, 4] * raw[:, 5 + self._kind.person]
        rows = np.flatnonzero(score >= self._spec.min_score)
        stride = self._stride[rows, None]
        centre = (raw[rows, :2] + self._corners[rows]) * stride
        half = np.exp(raw[rows, 2:4]) * stride / 2
        boxes = np.hstack([centre - half, centre + half])
        return people(boxes, score[rows], self._spec.size, self._kind.nms_iou)
