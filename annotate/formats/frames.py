"""The poses of a video frame by frame, frames without people included."""

from collections.abc import Iterator

import numpy as np

from annotate.formats.base import Dataset, DatasetVideo, PoseBlock

# A frame's place in its video; the block that holds its poses, and their rows in it.
Frame = tuple[int, PoseBlock | None, range]


def frames_of(dataset: Dataset, video: DatasetVideo) -> Iterator[Frame]:
    """All frames of the video whose images are in the dataset, in order."""
    shown = np.flatnonzero(dataset.shown(video)).tolist()
    waiting = iter(shown)
    for block in video.poses():
        starts = np.flatnonzero(np.diff(block.place, prepend=-1)).tolist()
        for start, stop in zip(starts, [*starts[1:], len(block)], strict=True):
            place = int(block.place[start])
            for empty in waiting:
                if empty == place:
                    break
                yield empty, None, range(0)
            yield place, block, range(start, stop)
    for empty in waiting:
        yield empty, None, range(0)
