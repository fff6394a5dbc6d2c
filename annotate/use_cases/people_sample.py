"""How many people the frames of videos show: the pipeline looks at a few of them."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.errors import VideoError
from annotate.domain.job import Recipe
from annotate.domain.settings import Settings
from annotate.domain.video import Chunk
from annotate.inference import Models
from annotate.pipeline import PoseEstimator
from annotate.store import Store
from annotate.use_cases.read_videos import ReadVideo, local_copy
from annotate.video import Reading, decode

# Frames that are looked at, spread evenly over all videos.
FRAMES = 8
# No frame is looked at for which more than so many others have to be decoded: then it is the
# keyframe before it.
MAX_RUN_UP = 60
# Seconds after which no other frame is begun: tiles of a large picture take half a second each.
_BUDGET_S = 3.0


@dataclass(frozen=True)
class PeopleSample:
    """What some frames show.

    Attributes:
        frames: that were looked at.
        people: in them, each person once in every frame.
    """

    frames: int
    people: int

    @property
    def a_frame(self) -> float:
        """The mean number of people; 1 where no one was seen."""
        return self.people / self.frames if self.people else 1.0


def sample_people(
    videos: Sequence[tuple[ReadVideo, IntArray]],
    models: Models,
    recipe: Recipe,
    store: Store,
    settings: Settings,
) -> PeopleSample:
    """Looks at a few frames as a job of this recipe does.

    Args:
        videos: with the indices (M,) int64 of the frames that are annotated.
    """
    estimator = PoseEstimator(
        models,
        people=recipe.people,
        detect_every=recipe.detect_every,
        rotations=recipe.rotations,
    )
    began, frames, people = time.monotonic(), 0, 0
    for number, places in spread([frames for _, frames in videos]):
        video, _ = videos[number]
        for frame in reachable(places, video.index.keyframes):
            if frames and time.monotonic() - began > _BUDGET_S:
                break
            found = _people(video, frame, estimator, store, settings)
            if found is not None:
                frames, people = frames + 1, people + found
    return PeopleSample(frames, people)


def spread(frames: Sequence[IntArray]) -> Iterator[tuple[int, IntArray]]:
    """Frames that are spread evenly over those of all videos, by the number of the video."""
    ends = np.cumsum([len(of_video) for of_video in frames])
    total = int(ends[-1]) if len(ends) else 0
    if not total:
        return
    places = np.unique(((np.arange(FRAMES) + 0.5) / FRAMES * total).astype(np.int64))
    numbers = np.searchsorted(ends, places, side="right")
    for number in np.unique(numbers).tolist():
        first = int(ends[number]) - len(frames[number])
        yield number, frames[number][places[numbers == number] - first]


def reachable(frames: IntArray, keyframes: IntArray) -> list[int]:
    """Those frames, or the keyframe before each that is too far from it; each once."""
    if not len(keyframes):
        return [0]
    before = keyframes[np.searchsorted(keyframes, frames, side="right") - 1]
    near: list[int] = np.unique(np.where(frames - before > MAX_RUN_UP, before, frames)).tolist()
    return near


def _people(
    video: ReadVideo, frame: int, estimator: PoseEstimator, store: Store, settings: Settings
) -> int | None:
    """How many people a frame shows; None where it cannot be looked at."""
    reading = Reading(limits=settings.limits)
    try:
        with local_copy(video, store, settings) as path:
            frames = decode(path, video.index, Chunk(frame, frame + 1), reading=reading)
            poses = estimator.run(frames, video.index, first=0)
    except VideoError:
        return None
    return len(poses.score) if len(poses.frame_index) else None
