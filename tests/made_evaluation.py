"""Made answers and truths for the evaluation, whose figures follow from how they were made."""

from collections.abc import Callable
from typing import Any

import numpy as np

from annotate.domain.skeleton import COCO_KEYPOINTS
from annotate.evaluate import Report

Content = dict[str, Any]


FPS = 30.0


FRAMES = 60


SAME_LAG = 0.02  # frames


LEFT_WRIST = COCO_KEYPOINTS.index("left_wrist")


# Somebody who stands upright, seen from the front; x and y in body heights from the crown.
_MIDDLE, _SIDES = [(0.0, 0.08)], [(0.02, 0.06), (0.04, 0.07), (0.1, 0.18), (0.14, 0.33)]


_BELOW = [(0.16, 0.47), (0.06, 0.5), (0.07, 0.74), (0.07, 0.95)]


UPRIGHT = np.array(_MIDDLE + [(s * x, y) for x, y in _SIDES + _BELOW for s in (1, -1)])


TORSO = 0.5 - 0.18  # in body heights


def standing(height: float, x: float = 500.0, y: float = 100.0) -> np.ndarray:
    """(FRAMES, 17, 2): somebody who does not move."""
    return np.tile(UPRIGHT * height + [x, y], (FRAMES, 1, 1))


def dancing(height: float, x: float = 500.0, y: float = 100.0) -> np.ndarray:
    """(FRAMES, 17, 2): somebody who sways once a second, by a tenth of the height."""
    sway = 0.1 * height * np.sin(2 * np.pi * np.arange(FRAMES) / FPS)
    return standing(height, x, y) + np.stack([sway, 0 * sway], axis=1)[:, None]


def truth_of(*people: np.ndarray, time_s: np.ndarray | None = None, video: int = 1) -> Content:
    """An annotation file with one video and a track for each of (FRAMES, 17, 2) people."""
    times = np.arange(FRAMES) / FPS if time_s is None else time_s
    return {
        "images": [
            {
                "id": 100 + frame,
                "file_name": f"made/frame_{frame:06d}.jpg",
                "video_id": video,
                "frame_id": frame,
                "time_s": float(times[frame]),
            }
            for frame in range(FRAMES)
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO_KEYPOINTS)}],
        "annotations": [
            {"id": 1 + number * FRAMES + frame, **_person(points[frame], 100 + frame, number + 1)}
            for number, points in enumerate(people)
            for frame in range(FRAMES)
        ],
    }


def _person(points: np.ndarray, image: int, track: int) -> Content:
    corner, size = points.min(axis=0), np.ptp(points, axis=0)
    # The box holds crown and soles too.
    box = [corner[0], corner[1] - 0.07 * size[1], size[0], size[1] / 0.89]
    return {
        "image_id": image,
        "category_id": 1,
        "keypoints": np.column_stack([points, np.full(17, 2.0)]).ravel().tolist(),
        "num_keypoints": 17,
        "bbox": [float(one) for one in box],
        "area": float(0.53 * box[2] * box[3]),
        "iscrowd": 0,
        "track_id": track,
    }


def results_of(*people: np.ndarray) -> list[Content]:
    """A results file with a track for each of (FRAMES, 17, 2) people."""
    return [
        {
            "image_id": 100 + frame,
            "category_id": 1,
            "keypoints": np.column_stack([points[frame], np.ones(17)]).ravel().tolist(),
            "score": 0.9,
            "track_id": number + 1,
        }
        for number, points in enumerate(people)
        for frame in range(FRAMES)
    ]


Evaluate = Callable[[Any, Content], Report]


def images_of(frames: range) -> set[int]:
    return {100 + frame for frame in frames}
