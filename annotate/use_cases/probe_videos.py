"""What the program finds in videos before it annotates them, and what that would cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.errors import VideoError
from annotate.domain.job import Rejected
from annotate.domain.names import printable, unique_names
from annotate.domain.options import SubmitOptions
from annotate.domain.pack import read_pack
from annotate.domain.progress import Progress
from annotate.domain.settings import Settings
from annotate.domain.video import VideoIndex
from annotate.numeric.selection import selected_frames
from annotate.store import Store
from annotate.use_cases.find_pack import default_pack, installed_pack
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.read_videos import ReadVideo, local_copy, read_videos, rejected
from annotate.use_cases.submit import frame_core_s, parts_of, recipe_of
from annotate.video import describe
from annotate.video.describe import Recording

# A rate is variable where a frame is shown for longer or shorter than the middle one by this share.
_SAME_RATE = 0.2
# Time stamps are rounded, so that two steps between equal frames differ by up to two units.
_ROUNDED_UNITS = 2


@dataclass(frozen=True, eq=False)
class VideoFacts:
    """What is found in one video.

    Attributes:
        name: short, unique among the videos, as a job would name it.
        path: as the user named it, printable.
        index: what reading it told.
        recording: how its frames are stored.
        selected: number of frames that the options ask for.
        core_s: expected seconds of one core to annotate them, an estimate; None where no
            pack was fetched yet.
    """

    name: str
    path: str
    index: VideoIndex
    recording: Recording
    selected: int
    core_s: float | None

    @property
    def variable_rate(self) -> bool:
        """Whether frames are shown for different times."""
        return has_variable_rate(self.index.pts)


def probe_videos(
    store: Store,
    found: FoundVideos,
    options: SubmitOptions,
    settings: Settings,
    progress: Progress,
) -> list[VideoFacts | Rejected]:
    """Reads videos as `submit` does, and says what is in them. No job is made.

    What was read is filed: a submission that follows need not read it again.

    Returns:
        For each video, in the same order, its facts, or why it cannot be read.

    Raises:
        PackError: there is no such pack.
        HostError: a file cannot be read now.
        StoreError: the store cannot be written.
    """
    frame_s = _frame_core_s(options, settings)
    read = read_videos(store, found.videos, options, settings, progress)
    names = unique_names([parts_of(source) for source in found.videos])
    return [
        one if isinstance(one, Rejected) else _facts(name, one, store, options, settings, frame_s)
        for name, one in zip(names, read, strict=True)
    ]


def total_core_s(videos: Sequence[VideoFacts | Rejected]) -> float | None:
    """Expected seconds of one core to annotate all videos, an estimate; None as in `VideoFacts`."""
    costs = [one.core_s for one in videos if isinstance(one, VideoFacts)]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def has_variable_rate(pts: IntArray) -> bool:
    """Whether the steps between frames differ by more than rounding.

    Args:
        pts: (N,) increasing, in any unit.

    >>> has_variable_rate(np.array([0, 33, 67, 100])), has_variable_rate(np.array([0, 33, 100]))
    (False, True)
    """
    steps = np.diff(pts)
    if not len(steps):
        return False
    usual = float(np.median(steps))
    return bool(np.abs(steps - usual).max() > max(_ROUNDED_UNITS, _SAME_RATE * usual))


def _frame_core_s(options: SubmitOptions, settings: Settings) -> float | None:
    """Expected seconds of one core for a frame; None where no pack was fetched yet."""
    if options.pack is None and default_pack(settings.packs) is None:
        return None
    folder = installed_pack(settings.packs, options.pack)
    pack = read_pack(folder)
    return frame_core_s(pack, folder, recipe_of(pack, options))


def _facts(
    name: str,
    video: ReadVideo,
    store: Store,
    options: SubmitOptions,
    settings: Settings,
    frame_s: float | None,
) -> VideoFacts | Rejected:
    index = video.index
    try:
        with local_copy(video, store, settings) as path:
            recording = describe(path, index.stream, settings.limits)
    except VideoError as error:
        return rejected(video.source, error)
    frames = len(selected_frames(index, options.selection))
    core_s = None if frame_s is None else frames * frame_s
    return VideoFacts(name, printable(str(video.source)), index, recording, frames, core_s)
