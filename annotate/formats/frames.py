"""The poses of a video frame by frame, frames without people included."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from annotate.formats.base import Dataset, DatasetVideo, PoseBlock

Row = TypeVar("Row")


def frames_of(
    dataset: Dataset, video: DatasetVideo, rows_of: Callable[[PoseBlock], Sequence[Row]]
) -> Iterator[tuple[int, Sequence[Row]]]:
    """All frames of the video whose images are in the dataset, in order: a frame's place in its
    video, and its people.

    Args:
        rows_of: what stands for each pose of a block.
    """
    waiting = iter(np.flatnonzero(dataset.shown(video)).tolist())
    for block in video.poses():
        people = rows_of(block)
        starts = np.flatnonzero(np.diff(block.place, prepend=-1)).tolist()
        for start, stop in zip(starts, [*starts[1:], len(block)], strict=True):
            place = int(block.place[start])
            for empty in waiting:
                if empty == place:
                    break
                yield empty, ()
            yield place, people[start:stop]
    for empty in waiting:
        yield empty, ()
