"""The kind `simcc`: keypoints from their distributions over the columns and rows of the crop.

Source of the formulas: `get_simcc_maximum` and `SimCCLabel.decode` of OpenMMLab's MMPose. The mean
of both maxima, which rtmlib takes as the confidence, would trust a keypoint that one axis does not
find.
"""

from collections.abc import Sequence

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.landmark_kinds import SimCC
from annotate.domain.model_spec import LandmarkSpec
from annotate.pipeline.decoders.keypoints import keypoint_pose
from annotate.pipeline.landmarks import CropPose


class SimCCDecoder:
    """Keypoints where both of their distributions are greatest."""

    def __init__(self, spec: LandmarkSpec, kind: SimCC) -> None:
        self._size = spec.size
        self._kind = kind

    def decode(self, outputs: Sequence[FloatArray]) -> CropPose:
        """The pose in a crop, from the outputs for x and y."""
        by_axis = [one[0] for one in outputs]
        places = [
            one.argmax(axis=1) * (edge / one.shape[1])
            for one, edge in zip(by_axis, self._size, strict=True)
        ]
        confidence = np.minimum(*(one.max(axis=1) for one in by_axis))
        xy = np.stack(places, axis=1).astype(np.float32)
        return keypoint_pose(xy, confidence, self._kind.min_confidence)
