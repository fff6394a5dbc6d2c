"""The kind `boxes`: boxes, scores and classes that need no decoding."""

from collections.abc import Sequence

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.detector_kinds import FinalBoxes
from annotate.domain.model_spec import DetectorSpec
from annotate.pipeline.decoders.person_boxes import people
from annotate.pipeline.detections import Detections


class FinalBoxesDecoder:
    """People among the boxes that a model gives."""

    def __init__(self, spec: DetectorSpec, kind: FinalBoxes) -> None:
        self._spec = spec
        self._kind = kind

    def decode(self, outputs: Sequence[FloatArray]) -> Detections:
        """Every person that the model found, once."""
        by_name = dict(zip(self._kind.outputs, outputs, strict=True))
        boxes = by_name[self._kind.boxes][0]
        score = by_name[self._kind.scores][0] if self._kind.scores else boxes[:, 4]
        found = score >= self._spec.min_score
        if self._kind.labels:
            found &= by_name[self._kind.labels][0] == self._kind.person
        rows = np.flatnonzero(found)
        return people(boxes[rows, :4], score[rows], self._spec.size, self._kind.nms_iou)
