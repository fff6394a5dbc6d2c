"""What a job found: how many people each video shows, and whether `--people all` may find more."""

from dataclasses import dataclass

import numpy as np

from annotate.domain.job import Job, JobVideo
from annotate.numeric.selection import selected_frames
from annotate.store import Store
from annotate.use_cases.final_tracks import damaged_frames, final_tracks, missing_frames


@dataclass(frozen=True)
class HintSettings:
    """When people may have been missed; nothing that is annotated depends on it.

    Attributes:
        many: so many people at once, as the median over the frames, are many for a detector that
            was made for one or two.
        small: people less tall than this fraction of the picture are small: BlazePose's detector
            was made for people who fill it.
        empty: a larger share of frames without people is suspicious.
    """

    many: int = 3
    small: float = 0.3
    empty: float = 0.5


@dataclass(frozen=True)
class FoundPeople:
    """The people of one video.

    Attributes:
        name: of the video.
        median, most: people at once, over the frames that were annotated.
        empty: share of those frames without people, in [0, 1].
        height: median height of people's boxes, as a fraction of the picture's; 0 without people.
    """

    name: str
    median: float
    most: int
    empty: float
    height: float

    def suggests_all(self, settings: HintSettings) -> bool:
        """Whether `--people all` may find more: people are many or small, or often none."""
        return (
            self.median >= settings.many
            or 0 < self.height < settings.small
            or self.empty > settings.empty
        )


def found_people(store: Store, job: Job, video: JobVideo) -> FoundPeople | None:
    """The people of a video of a job; None where it has no tracks, or no frame was annotated.

    Raises:
        StoreError: the store cannot be read.
    """
    if not store.results(job.recipe, video).has_tracks(job.merge_digest):
        return None
    index = store.read_index(video.fingerprint, job.recipe.selection)
    frames = selected_frames(index, job.recipe.selection)
    frames = np.setdiff1d(frames, missing_frames(store, job, video))
    for one in damaged_frames(store, job, video):
        frames = frames[(frames < one.start) | (frames >= one.stop)]
    if not len(frames):
        return None
    people, heights = np.zeros(len(index), np.int64), [np.zeros(0, np.float32)]
    for block in final_tracks(store, job, video):
        people += np.bincount(block.frame_index, minlength=len(index))
        heights.append(block.bbox[:, 3])
    tall, counts = np.concatenate(heights), people[frames]
    return FoundPeople(
        video.name,
        float(np.median(counts)),
        int(counts.max()),
        float((counts == 0).mean()),
        float(np.median(tall)) / index.height if len(tall) else 0.0,
    )
