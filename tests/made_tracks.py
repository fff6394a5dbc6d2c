"""Walking stick figures made of numbers alone: with noise, outliers and gaps, their truth known."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from annotate.domain.merge_settings import MergeSettings
from annotate.domain.poses import Poses
from annotate.domain.skeleton import SKELETONS
from annotate.domain.tracks import Tracks
from annotate.merge.merge import merge

SKELETON = SKELETONS["blazepose-33"]
SIZE = (1920, 1080)
LANDMARKS = 33
HEIGHT_PX = 300.0
UNIFORM = 90.0


@dataclass(frozen=True, eq=False)
class Walker:
    """A person who walks along a straight line.

    Attributes:
        xy: (F, 33, 2) float64 pixels: the truth.
        seen: (F,) bool: frames in which the pipeline finds the person.
        colour: of trunk and thighs.
    """

    xy: NDArray[np.float64]
    seen: NDArray[np.bool_]
    colour: float = UNIFORM


def walker(
    time_s: NDArray[np.float64],
    x: tuple[float, float],
    y: float = 400.0,
    phase: float = 0.0,
    height: float = HEIGHT_PX,
) -> Walker:
    """A person who goes from x[0] to x[1] during `time_s`, with arms and legs swinging at 1 Hz."""
    figure = _figure() * height
    share = (time_s - time_s[0]) / max(time_s[-1] - time_s[0], 1e-9)
    centre = np.stack([x[0] + (x[1] - x[0]) * share, np.full_like(share, y)], axis=1)
    swing = np.sin(2 * np.pi * time_s + phase)
    sides = np.where(np.arange(LANDMARKS) % 2 == 0, 1.0, -1.0) * _looseness() * 0.12 * height
    xy = figure[None] + centre[:, None]
    xy[:, :, 0] += swing[:, None] * sides
    return Walker(xy, np.ones(len(time_s), np.bool_))


def _figure() -> NDArray[np.float64]:
    """(33, 2): a standing person one unit tall, hips at the origin."""
    arms, legs = [-0.32, -0.18, -0.04, 0.0, 0.0, 0.0], [0.0, 0.24, 0.48, 0.5, 0.5]
    y = np.array([-0.45] * 11 + [height for part in arms + legs for height in (part, part)])
    x = np.where(np.arange(LANDMARKS) % 2 == 0, -1, 1) * np.where(y < -0.4, 0.03, 0.09)
    y[0] += 0.02  # the nose, below eyes and ears
    return np.stack([x, y], axis=1)


def _looseness() -> NDArray[np.float64]:
    """(33,): how far a landmark swings."""
    loose = np.zeros(LANDMARKS)
    loose[13:23] = 1.0
    loose[25:] = 1.0
    return loose


def poses_of(
    walkers: list[Walker],
    time_s: NDArray[np.float64],
    noise_px: float = 0.0,
    outliers: float = 0.0,
    seed: int = 0,
) -> Poses:
    """What the pipeline would say of them, with white noise and outliers of 30 px."""
    random = np.random.default_rng(seed)
    frames = len(time_s)
    found: list[list[NDArray[np.float64]]] = [[] for _ in range(frames)]
    colours: list[list[float]] = [[] for _ in range(frames)]
    for one in walkers:
        noise = random.normal(0, noise_px, (frames, LANDMARKS, 2))
        far = random.random((frames, LANDMARKS, 1)) < outliers
        noise += far * random.normal(0, 30, (frames, LANDMARKS, 2))
        for frame in np.flatnonzero(one.seen):
            found[frame].append(one.xy[frame] + noise[frame])
            colours[frame].append(one.colour)
    poses = poses_from(found, time_s)
    poses.appearance[:] = np.array([x for frame in colours for x in frame])[:, None]
    return poses


def poses_from(found: list[list[NDArray[np.float64]]], time_s: NDArray[np.float64]) -> Poses:
    """Poses of the landmarks (33, 2) of all people found in each frame, with full confidence."""
    counts = [len(frame) for frame in found]
    total = sum(counts)
    landmarks = np.ones((total, LANDMARKS, 5), np.float32)
    if total:
        landmarks[:, :, :2] = np.concatenate([np.stack(frame) for frame in found if frame])
    landmarks[:, :, 2] = 0
    hips = landmarks[:, 23:25, :2].mean(axis=1)
    return Poses(
        frame_index=np.arange(len(time_s), dtype=np.int64),
        pts=np.rint(time_s * 90_000).astype(np.int64),
        time_s=time_s,
        offsets=np.cumsum([0, *counts], dtype=np.int64),
        detection_score=np.full(total, 0.9, np.float32),
        score=np.full(total, 0.95, np.float32),
        roi=np.column_stack([hips, np.full((total, 1), 750), np.zeros((total, 1))]).astype(
            np.float32
        ),
        landmarks=landmarks,
        world=np.zeros((total, landmarks.shape[1], 0), np.float32),
        appearance=np.full((total, 6), UNIFORM, np.float32),
    )


def in_parts(poses: Poses, cuts: list[int]) -> list[Poses]:
    """The same poses in several parts, cut before the frames `cuts`."""
    edges = [0, *sorted(set(cuts) - {0, len(poses.frame_index)}), len(poses.frame_index)]
    return [poses.between(start, stop) for start, stop in pairwise(edges)]


def merged(parts: list[Poses], options: MergeSettings | None = None) -> Tracks:
    """All blocks as one."""
    blocks = list(merge(iter(parts), options or MergeSettings(), SKELETON, SIZE))
    assert blocks, "no person was found"
    return Tracks.concat(blocks)


def steady(seconds: float, fps: float) -> NDArray[np.float64]:
    return np.arange(round(seconds * fps)) / fps


def uneven(seconds: float, fps: float) -> NDArray[np.float64]:
    steps = np.random.default_rng(7).uniform(0.5, 1.5, round(seconds * fps)) / fps
    time_s: NDArray[np.float64] = np.cumsum(steps) - steps[0]
    return time_s


def hidden(one: Walker, *ranges: tuple[int, int]) -> Walker:
    seen = one.seen.copy()
    for start, stop in ranges:
        seen[start:stop] = False
    return replace(one, seen=seen)


def assert_each_keeps_the_id_to_the_end(tracks: Tracks, people: list[Walker]) -> None:
    assert set(tracks.track_id) == set(range(1, len(people) + 1))
    for number, person in enumerate(people, start=1):
        frames, mine = tracks.frame_index, tracks.track_id == number
        last = tracks.smoothed[mine & (frames == len(person.seen) - 1)]
        assert abs(last[0, 23, 0] - person.xy[-1, 23, 0]) < 0.1 * HEIGHT_PX
