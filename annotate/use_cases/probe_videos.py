"""What the program finds in videos before it annotates them, and what that would cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.errors import ProviderError, VideoError
from annotate.domain.job import Rejected
from annotate.domain.names import printable, unique_names
from annotate.domain.options import Arithmetic, SubmitOptions
from annotate.domain.pack import read_pack
from annotate.domain.progress import Progress
from annotate.domain.settings import Settings
from annotate.domain.video import VideoIndex
from annotate.inference import Models
from annotate.numeric.selection import selected_frames
from annotate.store import Store
from annotate.use_cases.expected_cost import ExpectedCost, Wanted, expected_cost
from annotate.use_cases.find_pack import default_pack, installed_pack
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.host_speed import host_speed
from annotate.use_cases.load_models import models_of
from annotate.use_cases.people_sample import sample_people
from annotate.use_cases.read_videos import ReadVideo, local_copy, read_videos, rejected
from annotate.use_cases.submit import parts_of, recipe_of
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
        frames: (M,) int64 indices of those that the options ask for.
        core_s: expected seconds of one core to annotate them, an estimate; None where no
            pack was fetched yet.
    """

    name: str
    path: str
    index: VideoIndex
    recording: Recording
    frames: IntArray
    core_s: float | None = None

    @property
    def variable_rate(self) -> bool:
        """Whether frames are shown for different times."""
        return has_variable_rate(self.index.pts)


@dataclass(frozen=True, eq=False)
class Probed:
    """What is found in videos.

    Attributes:
        videos: for each video, in the same order, its facts, or why it cannot be read.
        cost: what annotating them is expected to cost; None where no pack was fetched yet.
    """

    videos: Sequence[VideoFacts | Rejected]
    cost: ExpectedCost | None = None


def probe_videos(
    store: Store,
    found: FoundVideos,
    options: SubmitOptions,
    settings: Settings,
    progress: Progress,
    processes: int = 1,
) -> Probed:
    """Reads videos as `submit` does, and says what is in them. No job is made.

    What was read is filed: a submission that follows need not read it again. For the cost, each
    model is timed, and a few frames are looked at, which takes some seconds.

    Args:
        processes: that would work on this host.

    Raises:
        UsageError: the pack cannot do what the options ask for.
        PackError: there is no such pack.
        HostError: a file cannot be read now.
        StoreError: the store cannot be written.
    """
    folder = _pack_folder(options, settings)
    # Whether bfloat16 will prove itself is not known before; what 8-bit models take, neither.
    arithmetic: Arithmetic = "bf16" if options.precision == "bf16" else "float"
    recipe = None if folder is None else recipe_of(read_pack(folder), options, arithmetic)
    read = read_videos(store, found.videos, options, settings, progress)
    names = unique_names([parts_of(source) for source in found.videos])
    videos = [
        one if isinstance(one, Rejected) else _facts(name, one, store, options, settings)
        for name, one in zip(names, read, strict=True)
    ]
    readable = [one for one in videos if isinstance(one, VideoFacts)]
    if folder is None or recipe is None or not readable:
        return Probed(videos)
    progress("Timing the models", 0.0)
    models = _models(folder, settings, arithmetic)
    host = host_speed(models)
    looked = [
        (source, one.frames)
        for source, one in zip(read, videos, strict=True)
        if isinstance(source, ReadVideo) and isinstance(one, VideoFacts)
    ]
    progress("Counting people", 0.5)
    sample = sample_people(looked, models, recipe, store, settings)
    wanted = [Wanted(one.index, one.recording, one.frames) for one in readable]
    cost = expected_cost(wanted, folder, recipe, host, sample, processes)
    of_video = iter(cost.video_core_s)
    return Probed(
        [
            replace(one, core_s=next(of_video)) if isinstance(one, VideoFacts) else one
            for one in videos
        ],
        cost,
    )


def _models(folder: Path, settings: Settings, arithmetic: Arithmetic) -> Models:
    """The models on what runs them here, or on the CPU where only other hosts have that."""
    try:
        return models_of(folder, settings, arithmetic)
    except ProviderError:
        return models_of(folder, replace(settings, provider="cpu"))


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


def _pack_folder(options: SubmitOptions, settings: Settings) -> Path | None:
    """The folder of the pack; None where none was fetched yet."""
    if options.pack is None and default_pack(settings.packs) is None:
        return None
    return installed_pack(settings.packs, options.pack)


def _facts(
    name: str, video: ReadVideo, store: Store, options: SubmitOptions, settings: Settings
) -> VideoFacts | Rejected:
    index = video.index
    try:
        with local_copy(video, store, settings) as path:
            recording = describe(path, index.stream, settings.limits)
    except VideoError as error:
        return rejected(video.source, error)
    frames = selected_frames(index, options.selection)
    return VideoFacts(name, printable(str(video.source)), index, recording, frames)
