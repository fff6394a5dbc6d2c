"""Datasets of known poses, for the tests of the formats."""

import io
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.skeleton import SKELETONS, Skeleton
from annotate.domain.track_list import NO_TRACKS, TrackList
from annotate.domain.tracks import Tracks
from annotate.formats.base import (
    Dataset,
    DatasetVideo,
    FileFormat,
    FolderFormat,
    Origin,
    StreamFormat,
)
from annotate.formats.poses import pose_blocks
from annotate.formats.registry import find_format

WIDTH, HEIGHT = 640, 480
FPS = 30
TICKS = 512
BLAZEPOSE = SKELETONS["blazepose-33"]


def tracks(frames: range, people: int, seed: int = 0, landmarks: int = 33) -> Tracks:
    """Made people in `frames`; some of their landmarks are hidden, or outside the picture."""
    random = np.random.default_rng(seed)
    frame = np.repeat(np.array(frames, np.int64), people)
    count = len(frame)
    smoothed = random.uniform(0, 1, (count, landmarks, 5)).astype(np.float32)
    smoothed[:, :, 0] *= 1.1 * WIDTH
    smoothed[:, :, 1] *= 1.1 * HEIGHT
    world = random.uniform(-1, 1, (count, landmarks, 3)).astype(np.float32)
    return Tracks(
        frame_index=frame,
        pts=frame * TICKS,
        time_s=frame / FPS,
        track_id=np.tile(np.arange(1, people + 1), len(frames)),
        score=random.uniform(0, 1, count).astype(np.float32),
        bbox=random.uniform(50, 300, (count, 4)).astype(np.float32),
        filled=np.zeros(count, np.bool_),
        raw=smoothed,
        smoothed=smoothed,
        raw_world=world,
        smoothed_world=world,
    )


def altered(block: Tracks, **columns: np.ndarray) -> Tracks:
    return Tracks(**{**vars(block), **columns})


def listed(blocks: Iterable[Tracks]) -> TrackList:
    """The tracks of the blocks, as the store lists them."""
    blocks = list(blocks)
    if not blocks:
        return NO_TRACKS
    whole = Tracks.concat(blocks)
    return TrackList.of(whole.track_id, whole.frame_index, whole.time_s, whole.score)


def made_video(
    *blocks: Tracks,
    frames: int | IntArray = 10,
    name: str = "a/walk.mp4",
    stream: Callable[[], Iterable[Tracks]] | None = None,
) -> "Video":
    """A video that becomes one of a dataset: see `made_dataset`.

    Args:
        frames: number of its frames, or their indices.
        stream: opens its poses instead of `blocks`.
    """
    index = np.arange(frames) if isinstance(frames, int) else frames

    def at(place: "_Place", landmarks: Sequence[int | None]) -> DatasetVideo:
        opened = stream or (lambda: blocks)
        first_image, offset = place.image, place.track
        return DatasetVideo(
            id=place.number,
            name=name,
            folder=name.removesuffix(".mp4"),
            width=WIDTH,
            height=HEIGHT,
            fps=float(FPS),
            frames=index,
            pts=index * TICKS,
            time_s=index / FPS,
            missing=np.zeros(len(index), np.bool_),
            images=first_image + np.arange(len(index)),
            tracks=listed(blocks),
            track_offset=offset,
            poses=lambda: pose_blocks(opened(), index, offset, landmarks, (WIDTH, HEIGHT)),
            origin=Origin("ab" * 32, Fraction(1, FPS * TICKS), 0.0, len(index) / FPS),
        )

    return at


class _Place:
    """Where the next video of a dataset begins to count."""

    number, image, track = 1, 1, 0

    def after(self, video: DatasetVideo) -> None:
        self.number += 1
        self.image += len(video.frames)
        self.track += video.tracks.highest_id


Video = Callable[[_Place, Sequence[int | None]], DatasetVideo]


def made_dataset(format_name: str, *videos: Video, skeleton: Skeleton = BLAZEPOSE) -> Dataset:
    """The dataset as the format of that name gets it."""
    place, made = _Place(), []
    keypoints = find_format(format_name).keypoint_sets[0]
    landmarks = keypoints.places(skeleton)
    for video in videos:
        made.append(video(place, landmarks))
        place.after(made[-1])
    known = np.array([one is not None for one in landmarks])
    return Dataset(tuple(made), keypoints, known)


def written(name: str, *videos: Video, skeleton: Skeleton = BLAZEPOSE) -> bytes:
    """The file that the format of that name makes of the videos."""
    file_format = find_format(name)
    assert isinstance(file_format, StreamFormat)
    out = io.BytesIO()
    file_format.write(made_dataset(name, *videos, skeleton=skeleton), out)
    return out.getvalue()


def write_at(name: str, path: Path, *videos: Video) -> Path:
    """Writes the file or folder of the format of that name."""
    file_format, dataset = find_format(name), made_dataset(name, *videos)
    if isinstance(file_format, StreamFormat):
        path.write_bytes(written(name, *videos))
    elif isinstance(file_format, FileFormat):
        file_format.write_file(dataset, path)
    elif isinstance(file_format, FolderFormat):
        path.mkdir()
        file_format.write_folder(dataset, path)
    return path
