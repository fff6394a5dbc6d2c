"""Which frames of a video a selection takes. Arrays in, arrays out."""

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.options import Selection
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.video import VideoIndex

ALL_FRAMES = Selection()

# Seconds by which a frame may be late and still count as on time: which frames are taken is part of
# the answer.
_LATE_S = PipelineSettings().late_s


def selected_frames(index: VideoIndex, selection: Selection) -> IntArray:
    """The frames of the video that the selection takes.

    Returns:
        (M,) int64 frame indices, increasing; empty where the video ends before the selection
        starts.
    """
    time_s, player_s = index.time_s, index.player_s
    end_s = np.inf if selection.end_s is None else selection.end_s
    frames: IntArray = np.flatnonzero((player_s >= selection.start_s) & (player_s < end_s))
    if selection.fps is None:
        frames = frames[frames % selection.every == 0]
    if selection.fps is None or not len(frames):
        return frames
    # A frame is on the screen from its own first multiple of 1 / fps seconds to that of the next
    # frame. Counted by frames, so that a clock that jumps costs nothing.
    first_tick = _first_ticks(time_s[frames], selection.fps)
    last_tick = np.floor((time_s[frames[-1]] + _LATE_S) * selection.fps)
    selected: IntArray = frames[first_tick < np.append(first_tick[1:], last_tick + 1)]
    return selected


def _first_ticks(time_s: NDArray[np.float64], fps: float) -> NDArray[np.float64]:
    """(M,): the first multiple of 1 / fps seconds, as a number, at which each frame is shown."""
    ticks = np.ceil((time_s - _LATE_S) * fps)
    # Rounding in the product must not decide where a frame is late by exactly the tolerance.
    ticks -= (ticks - 1) / fps + _LATE_S >= time_s
    ticks += ticks / fps + _LATE_S < time_s
    return ticks
