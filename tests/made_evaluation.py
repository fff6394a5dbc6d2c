"""Made predictions and ground truth, whose figures follow from how they were made."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from annotate.domain.skeleton import COCO_KEYPOINTS
from annotate.evaluate import Evaluation

Content = dict[str, Any]
Points: TypeAlias = NDArray[np.float64]

FPS = 30.0
FRAMES = 60
# The largest error of a lag that counts as the same, in frames.
SAME_LAG = 0.02
LEFT_WRIST = COCO_KEYPOINTS.index("left_wrist")

# A person standing upright, seen from the front; x and y in body heights from the crown.
_MIDDLE, _SIDES = [(0.0, 0.08)], [(0.02, 0.06), (0.04, 0.07), (0.1, 0.18), (0.14, 0.33)]
_BELOW = [(0.16, 0.47), (0.06, 0.5), (0.07, 0.74), (0.07, 0.95)]
UPRIGHT = np.array(_MIDDLE + [(s * x, y) for x, y in _SIDES + _BELOW for s in (1, -1)])
# The length of the torso in body heights.
TORSO = 0.5 - 0.18


def standing(height: float, x: float = 500.0, y: float = 100.0) -> Points:
    """(FRAMES, 17, 2): a person who does not move."""
    points: Points = np.tile(UPRIGHT * height + [x, y], (FRAMES, 1, 1))
    return points


def dancing(height: float, x: float = 500.0, y: float = 100.0) -> Points:
    """(FRAMES, 17, 2): a person who sways once a second, by a tenth of the height."""
    sway = 0.1 * height * np.sin(2 * np.pi * np.arange(FRAMES) / FPS)
    moved: Points = standing(height, x, y) + np.stack([sway, 0 * sway], axis=1)[:, None]
    return moved


def truth_of(*people: Points, time_s: Points | None = None, video: int = 1) -> Content:
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


def _person(points: Points, image: int, track: int) -> Content:
    corner, size = points.min(axis=0), np.ptp(points, axis=0)
    # The box also holds the crown and the soles.
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


def results_of(*people: Points) -> list[Content]:
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


Evaluate = Callable[[Any, Content], Evaluation]


def images_of(frames: range) -> set[int]:
    """Image ids of these frames."""
    return {100 + frame for frame in frames}
