"""Who is found, how well and at what cost, for each setting of `people` and `detect_every`.

    python -m tests.benchmarks.people [--pack FOLDER] [--data FOLDER] [--seconds 2]

Three tables: made scenes with truth, by height of the person in 1920x1080; the labelled people of
real COCO images; the two people in front of a real video without labels.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from annotate.domain import FloatArray
from annotate.pipeline.search import People
from annotate.scene import Camera, Person, Scene, Truth, WayPoint, steady_times
from annotate.similarity import oks
from annotate.skeletons import SKELETONS

WIDTH, HEIGHT, FPS = 1920, 1080, 30
BANDS = (80, 120, 240, 480, 960)  # person's height in pixels
FOUND_OKS = 0.5
SETTINGS: tuple[tuple[People, int], ...] = (
    ("near", 1),
    ("near", 5),
    ("near", 10),
    ("all", 1),
    ("all", 5),
    ("all", 10),
    ("all", 30),
)
COCO_LANDMARKS = [k for k in SKELETONS["blazepose-33"].coco17 if k is not None]


@dataclass
class Tally:
    """What became of the people and poses of one setting."""

    oks: list[list[float]] = field(default_factory=lambda: [[] for _ in BANDS[1:]])
    wrong: int = 0
    core_s: float = 0.0
    frames: int = 0

    def row(self) -> str:
        cells = []
        for values in self.oks:
            found = [value for value in values if value >= FOUND_OKS]
            mean = f"{np.mean(found):.3f}" if found else "  -  "
            cells.append(f"{len(found) / max(len(values), 1):7.3f} {mean}")
        right = sum(value >= FOUND_OKS for values in self.oks for value in values)
        precision = right / max(right + self.wrong, 1)
        return " |".join(cells) + f" | {precision:9.3f} | {self.core_s / self.frames * 1000:8.1f}"


def crowd(seed: int, heights: tuple[float, float], people: int, seconds: float) -> Scene:
    """People of these heights in pixels, spread over the picture, who walk about or stand."""
    random = np.random.default_rng(seed)
    camera = Camera(height_m=random.uniform(1.4, 3.0))
    columns = random.permutation(np.arange(people) + random.uniform(0.2, 0.8, people)) / people
    cast = []
    for column, height in zip(columns, random.uniform(*heights, people), strict=True):
        stature = random.uniform(1.55, 1.9)
        z = camera.focal * HEIGHT * stature / height
        x = (column - 0.5) * WIDTH / (camera.focal * HEIGHT) * z
        step_x, step_z = random.normal(0, 0.5, 2) * seconds
        path = (WayPoint(0, x, z), WayPoint(seconds, x + step_x, z + 0.3 * step_z))
        stands = random.random() < 0.3
        cast.append(Person(path[:1] if stands else path, stature, random.uniform(-180, 180)))
    return Scene(WIDTH, HEIGHT, steady_times(FPS, seconds), tuple(cast), camera=camera, seed=seed)


def crossing(seed: int, distance: float, people: int, seconds: float) -> Scene:
    """People who walk across the picture, half of them each way, and pass one another."""
    random = np.random.default_rng(seed)
    cast = []
    for number in range(people):
        z = distance + 0.6 * number
        reach = 0.3 * WIDTH / (1.4 * HEIGHT) * z
        start, stop = random.uniform(0.4, 1.0, 2) * reach * (-1) ** number
        path = (WayPoint(0, -start, z), WayPoint(seconds, stop, z))
        cast.append(Person(path, random.uniform(1.6, 1.9)))
    return Scene(WIDTH, HEIGHT, steady_times(FPS, seconds), tuple(cast), seed=seed)


def scenes(seconds: float) -> Iterator[Scene]:
    for seed in (1, 2):
        yield crowd(seed, (80, 120), 8, seconds)
        yield crowd(seed + 10, (120, 240), 6, seconds)
        yield crowd(seed + 20, (240, 480), 4, seconds)
        yield crossing(seed + 30, 3.0, 3, seconds)
        yield crossing(seed + 40, 6.0, 4, seconds)


def count(known: Truth, frame: int, landmarks: FloatArray, tally: Tally) -> None:
    """Adds one frame. People of whom less than half is to be seen count neither way."""
    alike = oks(
        np.nan_to_num(known.keypoints[frame]),
        landmarks[:, COCO_LANDMARKS, :2],
        known.visible[frame] > 0,
        known.area[frame].astype(np.float32),
    )
    people, poses = linear_sum_assignment(-alike)
    best = np.zeros(len(alike))
    best[people] = alike[people, poses]
    tally.wrong += len(landmarks) - int((alike[people, poses] >= FOUND_OKS).sum())
    whole = known.bbox[frame, :, 3] > 0.8 * known.stature_px[frame]
    clear = known.visible_area[frame] > 0.5 * known.area[frame]
    bands = np.searchsorted(BANDS, known.stature_px[frame], side="right") - 1
    for person in np.flatnonzero(whole & clear):
        if 0 <= bands[person] < len(tally.oks):
            tally.oks[bands[person]].append(float(best[person]))
