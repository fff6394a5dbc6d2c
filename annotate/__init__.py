"""Body keypoints of every person in every frame of a folder or a bucket of videos."""

__version__ = "0.2.0"
