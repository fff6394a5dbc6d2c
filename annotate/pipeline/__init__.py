"""Frames to poses: both stages for every person in every frame."""

from annotate.pipeline.estimator import PoseEstimator

__all__ = ["PoseEstimator"]
