"""Which frames of a video a selection takes. Arrays in, arrays out."""

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.options import Selection
from annotate.domain.video import VideoIndex

ALL_FRAMES = Selection()

# Seconds by which a frame may be late and still count as on time: frame rates are rarely exact.
_LATE_S = 1e-3


def selected_frames(index: VideoIndex, selection: Selection) -> IntArray:
    """The frames of the video that the selection takes.

    Returns:
        (M,) int64 frame indices, increasing; empty where the video ends before the selection
        starts.
    """
    time_s = index.time_s
    end_s = np.inf if selection.end_s is None else selection.end_s
    frames: IntArray = np.flatnonzero((time_s >= selection.start_s) & (time_s < end_s))
    if selection.fps is None:
        frames = frames[frames % selection.every == 0]
    if selection.fps is None or not len(frames):
        return frames
    # What is on the screen at 0, 1 / fps, 2 / fps ... seconds of the video.
    first, last = time_s[frames[[0, -1]]]
    ticks = np.arange(
        np.ceil((first - _LATE_S) * selection.fps),
        np.floor((last + _LATE_S) * selection.fps) + 1,
    )
    ticks /= selection.fps
    shown = np.searchsorted(time_s, ticks + _LATE_S, side="right") - 1
    selected: IntArray = np.unique(shown[np.isin(shown, frames)])
    return selected
