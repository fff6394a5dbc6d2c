"""What a person looks like: the colours of trunk and thighs, by which people are told apart."""

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.picture import Picture
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.skeleton import Skeleton
from annotate.numeric.median import median

COLOURS = 6  # red, green, blue of the trunk, then of the thighs

# Places among COCO's keypoints: shoulders, hips, knees, each left and right.
_CORNERS = (5, 6, 11, 12, 13, 14)


class AppearanceSampler:
    """Takes colours at fixed places well inside the body, between shoulders, hips and knees."""

    def __init__(self, skeleton: Skeleton, settings: PipelineSettings) -> None:
        places = (skeleton.coco17[corner] for corner in _CORNERS)
        self._corners = [place for place in places if place is not None]
        # Each row holds the weights of the four corners whose mean is one sample's place.
        self._trunk = np.array(
            [
                [(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across]
                for down in settings.trunk_down
                for across in settings.trunk_across
            ]
        )
        self._thighs = np.array(
            [
                [(1 - down) * left, (1 - down) * (1 - left), down * left, down * (1 - left)]
                for left in (1, 0)
                for down in settings.thigh_down
            ]
        )

    def sample(self, picture: Picture, landmarks: FloatArray) -> FloatArray:
        """The colours of one person.

        Args:
            picture: that shows them.
            landmarks: (m, 5) float32: x and y in pixels; the other columns are not used.

        Returns:
            (6,) float32 in [0, 255]: medians over the samples; outside the picture, its edge is
            sampled. Where the skeleton has no knees, the thighs are as the trunk.
        """
        corners = landmarks[self._corners, :2].astype(np.float64)
        points = self._trunk @ corners[:4]
        if len(corners) == len(_CORNERS):
            points = np.concatenate([points, self._thighs @ corners[2:]])
        width, height = picture.size
        whole = np.rint(points).clip(0, [width - 1, height - 1]).astype(np.int64)
        pixels = picture.colours(whole)
        trunk, thighs = median(pixels[: len(self._trunk)]), pixels[len(self._trunk) :]
        return np.concatenate([trunk, median(thighs) if len(thighs) else trunk])
