"""A sliding window over the blocks of a video, whose memory does not grow with the video.

A block can be finished once the tracker is `look_ahead_s` beyond it: by then it is known which
tracks go on where, and what comes later no longer moves its smoothed poses.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from annotate.domain.merge_settings import MergeSettings
from annotate.merge.pose_table import PoseTable


@dataclass(frozen=True, eq=False)
class Window:
    """A block that can be finished, with the frames around it.

    Attributes:
        table: the poses of all these frames.
        start, stop: the block's frames are those at the places `[start, stop)`.
    """

    table: PoseTable
    start: int
    stop: int

    @property
    def frame_s(self) -> NDArray[np.float64]:
        """(F,) float64 seconds of the frames."""
        return self.table.poses.time_s

    @cached_property
    def step_s(self) -> float:
        """The usual time between two frames in seconds; infinite for a single frame."""
        return float(np.median(np.diff(self.frame_s))) if len(self.frame_s) > 1 else np.inf

    @cached_property
    def shown_s(self) -> float:
        """The time in seconds from the first frame that is not damaged to the last."""
        sound_s = self.frame_s[self.table.poses.damage == 0]
        return float(sound_s[-1] - sound_s[0]) if len(sound_s) else 0.0


def windows(blocks: Iterable[PoseTable], settings: MergeSettings) -> Iterator[Window]:
    """A window around each block, in order, as soon as all that it needs is there."""
    kept: list[PoseTable] = []
    finished = 0  # how many of the kept blocks are
    for block in blocks:
        kept.append(block)
        while _is_complete(kept, finished, settings):
            yield _window(kept, finished)
            finished = _forget(kept, finished + 1, settings)
    while finished < len(kept):
        yield _window(kept, finished)
        finished = _forget(kept, finished + 1, settings)


def _is_complete(kept: list[PoseTable], number: int, settings: MergeSettings) -> bool:
    """Whether all that a block needs is there."""
    ahead_s = _end_s(kept[-1]) - _end_s(kept[number])
    return ahead_s > settings.look_ahead_s or len(kept) - number > settings.max_window_blocks


def _window(kept: list[PoseTable], number: int) -> Window:
    frames = [len(block.poses.time_s) for block in kept]
    start = sum(frames[:number])
    return Window(PoseTable.concat(kept), start, start + frames[number])


def _forget(kept: list[PoseTable], finished: int, settings: MergeSettings) -> int:
    """Drops finished blocks that no later one needs; how many finished ones are left."""
    newest_s = _end_s(kept[finished - 1])
    while finished and (
        newest_s - _end_s(kept[0]) > settings.look_back_s or finished > settings.max_window_blocks
    ):
        del kept[0]
        finished -= 1
    return finished


def _end_s(block: PoseTable) -> float:
    return float(block.poses.time_s[-1])
