"""One person's track so far, while the tracker may still continue it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.merge_settings import MergeSettings, TrackerSettings
from annotate.merge.pose_table import PoseTable


@dataclass(eq=False)
class OpenTrack:
    """A track up to the end of the tracklet that it has reached.

    Attributes:
        number: in the order in which tracks start.
        last_s: time of the last pose.
        keypoints, visible, box: of the last pose.
        hips: (n, 3) time, hip x and hip y of the last poses, over the velocity's window.
        colours: (n, 7) time and six colours of the last poses, over the window of a track's end.
    """

    number: int
    last_s: float = -np.inf
    keypoints: FloatArray = field(default_factory=lambda: np.zeros((17, 2), np.float32))
    visible: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(17, np.bool_))
    box: FloatArray = field(default_factory=lambda: np.zeros(4, np.float32))
    hips: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    colours: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 7)))

    def extend(self, table: PoseTable, rows: IntArray, settings: MergeSettings) -> None:
        """Adds poses, in order of time."""
        time_s, last = table.time_s[rows], rows[-1]
        self.last_s = float(time_s[-1])
        self.keypoints, self.visible = table.keypoints[last], table.visible[last]
        self.box = table.box[last]
        hips = np.vstack([self.hips, np.column_stack([time_s, table.hip[rows]])])
        recent = hips[:, 0] > self.last_s - settings.tracker.velocity_window_s
        # One pose more, so that the whole of that time is spanned.
        self.hips = hips[-(int(recent.sum()) + 1) :]
        colours = np.vstack([self.colours, np.column_stack([time_s, table.appearance[rows]])])
        self.colours = colours[colours[:, 0] > self.last_s - settings.link.end_window_s]

    def shift(self, time_s: float) -> tuple[float, float]:
        """How far the person has moved by `time_s`, in pixels, at the last speed."""
        (t0, x0, y0), (t1, x1, y1) = self.hips[0].tolist(), self.hips[-1].tolist()
        reach = (time_s - t1) / (t1 - t0) if t1 > t0 else 0.0
        return (x1 - x0) * reach, (y1 - y0) * reach

    def appearance(self, settings: MergeSettings) -> NDArray[Any]:
        """(6,) the usual appearance over the last second."""
        return usual_appearance(self.colours[:, 1:], settings.tracker)


def usual_appearance(appearance: NDArray[Any], settings: TrackerSettings) -> NDArray[Any]:
    """(6,) the medians of the poses' colours (n, 6); of too few poses NaN, which differs from
    nothing.
    """
    if len(appearance) < settings.min_appearance_poses:
        return np.full(6, np.nan)
    usual: NDArray[Any] = np.median(appearance, axis=0)
    return usual
