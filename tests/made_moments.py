"""Final tracks of walking figures, as the merge writes them, with faults where tests want them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from annotate.domain.moments import Moment, MomentSettings
from annotate.domain.tracks import Tracks
from annotate.domain.video import DamagedRange
from annotate.numeric.moments import Watched, find_moments
from annotate.numeric.pose_facts import pose_facts
from tests.made_tracks import HEIGHT_PX, LANDMARKS, SIZE, SKELETON, walker

FPS, SECONDS = 30.0, 6.0
TIME_S: NDArray[np.float64] = np.arange(round(FPS * SECONDS)) / FPS
MIDDLE = len(TIME_S) // 2
STATURE_M = 1.7


@dataclass(frozen=True, eq=False)
class Person:
    """A person of all frames; tests change copies of these columns.

    Attributes:
        xy: (F, 33, 2) pixels.
        world: (F, 33, 3) metres.
        score: (F,).
        seen: (F,) bool: frames with a pose.
        filled: (F,) bool.
        raw: (F, 33, 2) pixels; None for `xy`.
    """

    xy: NDArray[np.float64]
    world: NDArray[np.float64]
    score: NDArray[np.float64] = field(default_factory=lambda: np.full(len(TIME_S), 0.95))
    seen: NDArray[np.bool_] = field(default_factory=lambda: np.ones(len(TIME_S), np.bool_))
    filled: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(len(TIME_S), np.bool_))
    raw: NDArray[np.float64] | None = None

    def present(self, start: int, stop: int) -> "Person":
        """The same person, only in the frames `[start, stop)`."""
        frames = np.arange(len(TIME_S))
        return replace(self, seen=(frames >= start) & (frames < stop))


def person(x: tuple[float, float] = (600, 900), y: float = 540.0) -> Person:
    """A person who walks through the middle of the picture."""
    xy = walker(TIME_S, x, y).xy
    relative = (xy - xy[:, 23:25].mean(axis=1, keepdims=True)) * (STATURE_M / HEIGHT_PX)
    return Person(xy, np.dstack([relative, np.zeros(relative.shape[:2])]))


def standing() -> Person:
    """A person who does not move."""
    one = person()
    return replace(one, xy=np.repeat(one.xy[:1], len(TIME_S), axis=0))


def tracks_of(people: Sequence[Person], *, world: bool = True) -> Tracks:
    """Tracks 1, 2, ... of the people."""
    blocks = [_track(number, one) for number, one in enumerate(people, start=1)]
    tracks = Tracks.concat(blocks)
    tracks = tracks.take(np.lexsort((tracks.track_id, tracks.frame_index)))
    if world:
        return tracks
    none = np.zeros((len(tracks), LANDMARKS, 0), np.float32)
    return replace(tracks, raw_world=none, smoothed_world=none)


def _track(number: int, one: Person) -> Tracks:
    landmarks = np.ones((len(TIME_S), LANDMARKS, 5), np.float32)
    landmarks[:, :, :2], landmarks[:, :, 2] = one.xy, 0
    raw = landmarks.copy()
    if one.raw is not None:
        raw[:, :, :2] = one.raw
    raw[one.filled] = np.nan
    world = one.world.astype(np.float32)
    low, high = one.xy.min(axis=1), one.xy.max(axis=1)
    margin = (high - low) * 0.1
    low, high = ((edge).clip(0, SIZE) for edge in (low - margin, high + margin))
    frames = np.arange(len(TIME_S))
    return Tracks(
        frame_index=frames,
        pts=frames * 512,
        time_s=TIME_S,
        track_id=np.full(len(TIME_S), number),
        score=np.where(one.filled, 0, one.score).astype(np.float32),
        bbox=np.hstack([low, high - low]).astype(np.float32),
        filled=one.filled,
        raw=raw,
        smoothed=landmarks,
        raw_world=world,
        smoothed_world=world,
    ).take(one.seen)


def moments_of(
    tracks: Tracks,
    damaged: tuple[DamagedRange, ...] = (),
    settings: MomentSettings | None = None,
    cuts: Sequence[int] = (),
) -> list[Moment]:
    """What is suspicious, of tracks that are read in blocks cut before the frames `cuts`."""
    settings = settings or MomentSettings()
    rows = np.searchsorted(tracks.frame_index, cuts)
    blocks = [tracks.take(piece) for piece in np.split(np.arange(len(tracks)), rows)]
    facts = pose_facts(blocks, SKELETON, SIZE, settings)
    return find_moments(facts, Watched(np.arange(len(TIME_S)), TIME_S, damaged), settings)
