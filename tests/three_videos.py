"""Three videos in one dataset, as the tests of independent readers use them."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from annotate.formats.names import image_name
from tests.made_dataset import HEIGHT, WIDTH, Video, made_dataset, made_video, tracks

WALK = tracks(range(10), 3)
GAPPED = WALK.take((WALK.track_id != 2) | (WALK.frame_index < 3) | (WALK.frame_index > 5))
FIFTHS = np.arange(0, 50, 5)
VIDEOS = (
    made_video(GAPPED, frames=12, name="walk.mp4"),
    # As `--every 5` writes it.
    made_video(tracks(range(0, 50, 5), 2, seed=1), frames=FIFTHS, name="fifth.mp4"),
    made_video(tracks(range(4), 1, seed=2), frames=4, name="short.mp4"),
)
IMAGES = 12 + 10 + 4

# Of each pose: name of the video, frame, track in the dataset, and v of the keypoints.
Row = tuple[str, int, int, tuple[int, ...]]


def expected(format_name: str = "coco", *, per_video: bool = False) -> list[Row]:
    found = []
    for video in made_dataset(format_name, *VIDEOS).videos:
        for block in video.poses():
            for row, place in enumerate(block.place):
                track = int((block.video_track if per_video else block.track)[row])
                v = tuple(int(one) for one in block.v[row])
                found.append((video.folder, int(video.frames[place]), track, v))
    return sorted(found)


def v_of(triplets: Any) -> tuple[int, ...]:
    return tuple(int(v) for v in np.array(triplets).reshape(-1, 3)[:, 2])


def make_images(folder: Path, format_name: str = "coco", *videos: Video) -> None:
    """Black images under the names that the dataset gives them, in `folder`."""
    for video in made_dataset(format_name, *(videos or VIDEOS)).videos:
        for frame in video.frames.tolist():
            path = folder / image_name(video.folder, frame)
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
