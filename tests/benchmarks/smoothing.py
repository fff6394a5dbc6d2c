"""What the smoother gains, on the true motion of made scenes with noise, outliers and gaps.

    python -m tests.benchmarks.smoothing

The noise is like that of the landmark model on rendered scenes: from frame to frame it is alike
(AR(1), 0.6 from one frame to the next), its robust standard deviation is 0.35% of a person's
height, and 3% of the landmarks are outliers. Where the person was not found for up to 0.33 s, the
smoother fills the gap; the raw error counts where there is a raw value.

Error: mean distance from the truth in thousandths of height. Jitter: mean length of the second
difference in time, in heights a second squared; `own` is that of the truth. Lag: the shift in
frames at which speeds correlate best. It takes about a minute.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.merge_settings import MergeSettings
from annotate.domain.poses import Poses
from annotate.domain.skeleton import SKELETONS
from annotate.domain.tracks import Tracks
from annotate.merge.merge import merge
from annotate.synthetic import (
    Camera,
    CameraKey,
    Scene,
    ScenePerson,
    WayPoint,
    steady_times,
    truth,
    uneven_times,
)
from tests.made_tracks import poses_from

Array = NDArray[np.float64]

SIZE, SECONDS = (640, 360), 12.0
NOISE, ALIKE = 0.0035, 0.6  # of height; from one frame to the next
OUTLIERS, OUTLIER = 0.03, 0.04  # share; of height
GAPS_S = (0.1, 0.2, 0.3)
CUTOFFS = (4.0, 6.0, 10.0)
REACH = 5


@dataclass(frozen=True, eq=False)
class Motion:
    """The true landmarks of one person.

    Attributes:
        time_s: (F,) seconds.
        xy: (F, 33, 2) pixels.
        height: pixels.
    """

    time_s: Array
    xy: Array
    height: float


def motions(times: tuple[float, ...]) -> Iterator[Motion]:
    """A person who walks, waves, turns, and walks before a camera that pans and zooms."""
    still = (CameraKey(0.0),)
    moving = (CameraKey(0, -8), CameraKey(6, 8, 2, 1.3), CameraKey(12, -6))
    across = (WayPoint(0, -1.5, 5), WayPoint(5, 1.5, 4), WayPoint(7, 1.5, 4), WayPoint(12, -1.5, 6))
    still_path = (WayPoint(0, 0, 4),)
    for path, waving, keys in (
        (across, False, still),
        (still_path, True, still),
        (across, True, moving),
    ):
        person = ScenePerson(path, waving=waving)
        scene = Scene(*SIZE, times, (person,), camera=Camera(keys=keys))
        known = truth(scene)
        xy = known.landmarks[:, 0].astype(np.float64)
        yield Motion(known.time_s, xy, float(np.median(known.stature_px)))


def observed(motion: Motion, seed: int) -> Poses:
    """What the landmark model would say of it."""
    random = np.random.default_rng(seed)
    shape = motion.xy.shape
    noise = random.normal(0, 1, shape)
    for frame in range(1, len(noise)):
        noise[frame] = ALIKE * noise[frame - 1] + np.sqrt(1 - ALIKE**2) * noise[frame]
    noise *= NOISE * motion.height
    far = random.random((*shape[:2], 1)) < OUTLIERS
    noise += far * random.normal(0, OUTLIER * motion.height, shape)
    seen = np.ones(len(noise), np.bool_)
    for number, gap in enumerate(GAPS_S * 2, start=1):
        begin = number * SECONDS / 7
        seen &= (motion.time_s < begin) | (motion.time_s >= begin + gap)
    found = [[motion.xy[f] + noise[f]] if seen[f] else [] for f in range(len(noise))]
    return poses_from(found, motion.time_s)


def smoothed(poses: Poses, cutoff: float | None) -> Tracks:
    """The only track."""
    settings = MergeSettings(smooth_hz=cutoff)
    blocks = list(merge(iter([poses]), settings, SKELETONS["blazepose-33"], SIZE))
    tracks = Tracks.concat(blocks)
    assert set(tracks.track_id) == {1}
    return tracks


def jitter(xy: Array, time_s: Array, height: float) -> float:
    """Mean length of the second difference, over consecutive frames."""
    step = np.diff(time_s)
    change = np.diff(np.diff(xy, axis=0) / step[:, None, None], axis=0)
    between = (step[:-1] + step[1:]) / 2
    near = (step[:-1] < 0.06) & (step[1:] < 0.06)
    length = np.linalg.norm(change / between[:, None, None], axis=2)[near]
    return float(length.mean() / height)


def lag(xy: Array, true: Array) -> int:
    """By how many frames `xy` comes late."""
    a, b = np.diff(xy, axis=0), np.diff(true, axis=0)[REACH:-REACH]
    fits = [float((a[REACH + k : len(a) - REACH + k] * b).sum()) for k in range(-REACH, REACH + 1)]
    return int(np.argmax(fits)) - REACH


def main() -> None:
    """Prints a row for each frame rate and cut-off."""
    print(
        "fps | cut-off | error raw | smoothed | jitter raw | smoothed | own  "
        "| added raw | smoothed | less by | lag"
    )
    rates = {
        "30": steady_times(30, SECONDS),
        "60": steady_times(60, SECONDS),
        "VFR": uneven_times(30, SECONDS, seed=1),
    }
    for name, times in rates.items():
        cases = [(motion, observed(motion, seed)) for seed, motion in enumerate(motions(times))]
        for cutoff in CUTOFFS:
            print(f"{name:>3} | {cutoff:4.0f} Hz | {_row(cases, cutoff)}")


def _row(cases: list[tuple[Motion, Poses]], cutoff: float) -> str:
    rows = []
    for motion, poses in cases:
        tracks = smoothed(poses, cutoff)
        known = ~tracks.filled
        raw = tracks.raw[:, :, :2].astype(np.float64)
        smooth = tracks.smoothed[:, :, :2].astype(np.float64)
        true, time_s = motion.xy[tracks.frame_index], tracks.time_s
        rows.append(
            (
                np.linalg.norm((raw - true)[known], axis=2).mean() / motion.height * 1e3,
                np.linalg.norm(smooth - true, axis=2).mean() / motion.height * 1e3,
                jitter(raw[known], time_s[known], motion.height),
                jitter(smooth, time_s, motion.height),
                jitter(true, time_s, motion.height),
                jitter((raw - true)[known], time_s[known], motion.height),
                jitter(smooth - true, time_s, motion.height),
                lag(smooth, true),
            )
        )
    before, after, noisy, calm, own, added, left, late = np.mean(rows, axis=0)
    return (
        f"{before:9.2f} | {after:8.2f} | {noisy:10.1f} | {calm:8.1f} | {own:4.1f} "
        f"| {added:9.1f} | {left:8.1f} | {added / left:6.1f}x | {late:.1f}"
    )


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
