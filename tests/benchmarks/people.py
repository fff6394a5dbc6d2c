"""Which people are found, how well and at what cost, for each `people` and `detect_every`.

    python -m tests.benchmarks.people [--pack NAME] [--data FOLDER] [--seconds 2]

Three tables: made scenes with truth, by height of the person in a frame of 1920x1080; the labelled
people of real COCO images; and a real video of known people. It takes about
five minutes of one core.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from annotate.domain.arrays import FloatArray
from annotate.domain.options import People
from annotate.domain.pack import read_pack
from annotate.domain.settings import settings_from
from annotate.domain.skeleton import COCO_SIGMAS, SKELETONS, Skeleton, coco_keypoints
from annotate.domain.video import Chunk, Frame
from annotate.inference import Models, load_models
from annotate.numeric.rgb_picture import RgbPicture
from annotate.numeric.similarity import oks
from annotate.pipeline import PoseEstimator
from annotate.synthetic import (
    Camera,
    Renderer,
    Scene,
    ScenePerson,
    SceneTruth,
    WayPoint,
    steady_times,
    truth,
)
from annotate.video import decode, probe
from tests.made_poses import made_index

Setting = tuple[People, int]

WIDTH, HEIGHT, FPS = 1920, 1080, 30
BANDS = (80, 120, 240, 480, 960)  # edges of the classes of height, in pixels
# Poses are assigned to people with doubled sigmas, so that a person with confused legs is found;
# the plain OKS then says how well.
FOUND_OKS = 0.5
# Where every frame is processed alone, one of so many gives the same figures.
ALONE_STEP = 4
SETTINGS: tuple[Setting, ...] = (
    *(("near", 1), ("near", 2), ("near", 5), ("near", 10)),
    *(("all", 1), ("all", 5), ("all", 10), ("all", 30)),
)
# Middle of each person's torso in two_people.mp4 and how far it moves, in pixels; the third is a
# small bystander, sometimes occluded.
TORSO = [5, 6, 11, 12]  # of the COCO keypoints: shoulders and hips
IN_VIDEO = {"left": ((175, 960), 60), "middle": ((575, 670), 110), "bystander": ((805, 610), 50)}


@dataclass
class Tally:
    """What became of the people and poses of one setting.

    Attributes:
        oks: of every person, by class of height; 0 where they were not found.
        wrong: false positives and duplicates.
        core_s, frames: core time in seconds, and frames.
    """

    oks: list[list[float]] = field(default_factory=lambda: [[] for _ in BANDS[1:]])
    wrong: int = 0
    core_s: float = 0.0
    frames: int = 0

    def row(self) -> str:
        found = [[value for value in values if value > 0] for values in self.oks]
        right = sum(map(len, found))
        cells = [
            f"{len(some) / max(len(every), 1):7.3f} {np.mean(some) if some else np.nan:6.3f}"
            for some, every in zip(found, self.oks, strict=True)
        ]
        precision = right / max(right + self.wrong, 1)
        return " |".join([*cells, f"{precision:10.3f}", f"{self.core_s / self.frames * 1e3:8.1f}"])


def crowd(seed: int, heights: tuple[float, float], people: int, seconds: float) -> Scene:
    """People of these heights in pixels, spread over the picture, who walk or stay in place."""
    random = np.random.default_rng(seed)
    camera = Camera(height_m=random.uniform(1.4, 3.0), focal=1.4)
    columns = random.permutation(np.arange(people) + random.uniform(0.2, 0.8, people)) / people
    cast = []
    for column, height in zip(columns, random.uniform(*heights, people), strict=True):
        stature = random.uniform(1.55, 1.9)
        z = camera.focal * HEIGHT * stature / height
        x = (column - 0.5) * WIDTH / (camera.focal * HEIGHT) * z
        step_x, step_z = random.normal(0, 0.5, 2) * seconds
        path = (WayPoint(0, x, z), WayPoint(seconds, x + step_x, z + 0.3 * step_z))
        stays = random.random() < 0.3
        cast.append(ScenePerson(path[:1] if stays else path, stature, random.uniform(-180, 180)))
    return Scene(WIDTH, HEIGHT, steady_times(FPS, seconds), tuple(cast), camera=camera, seed=seed)


def crossing(seed: int, distance: float, people: int, seconds: float) -> Scene:
    """People who walk across the picture, half of them each way, and pass one another."""
    random = np.random.default_rng(seed)
    camera = Camera(focal=1.4)
    cast = []
    for number in range(people):
        z = distance + 0.6 * number
        reach = 0.3 * WIDTH / (camera.focal * HEIGHT) * z
        start, stop = random.uniform(0.4, 1.0, 2) * reach * (-1) ** number
        path = (WayPoint(0, -start, z), WayPoint(seconds, stop, z))
        cast.append(ScenePerson(path, random.uniform(1.6, 1.9)))
    return Scene(WIDTH, HEIGHT, steady_times(FPS, seconds), tuple(cast), camera=camera, seed=seed)


def scenes(seconds: float) -> Iterator[Scene]:
    for seed in (1, 2):
        yield crowd(seed, (80, 120), 8, seconds)
        yield crowd(seed + 10, (120, 240), 6, seconds)
        yield crowd(seed + 20, (240, 480), 4, seconds)
        yield crossing(seed + 30, 3.0, 3, seconds)
        yield crossing(seed + 40, 6.0, 4, seconds)


def add_scene(
    scene: Scene,
    estimators: dict[Setting, PoseEstimator],
    tallies: dict[Setting, Tally],
    skeleton: Skeleton,
) -> None:
    renderer, known = Renderer(scene), truth(scene)
    pictures = [renderer.frame(number) for number in range(len(scene))]
    for setting, estimator in estimators.items():
        step = ALONE_STEP if setting[1] == 1 else 1
        frames = [Frame(number, 0, RgbPicture(rgb)) for number, rgb in enumerate(pictures[::step])]
        tally = tallies[setting]
        began = time.process_time()
        poses = estimator.run(frames, made_index(len(frames), FPS))
        tally.core_s += time.process_time() - began
        tally.frames += len(frames)
        keypoints = coco_keypoints(poses.landmarks, skeleton)[:, :, :2]
        for number, (start, stop) in enumerate(pairwise(poses.offsets)):
            add_frame(known, number * step, keypoints[start:stop], tally)


def add_frame(known: SceneTruth, frame: int, poses: FloatArray, tally: Tally) -> None:
    """Counts one frame. A person who is cut off or mostly occluded counts neither way."""
    people = np.nan_to_num(known.keypoints[frame])
    seen, area = known.visible[frame] > 0, known.area[frame].astype(np.float32)
    likeness = oks(people, poses, seen, area, 2 * COCO_SIGMAS)
    rows, columns = linear_sum_assignment(-likeness)
    same = likeness[rows, columns] >= FOUND_OKS
    tally.wrong += len(poses) - int(same.sum())
    best = np.zeros(len(people))
    best[rows[same]] = oks(people, poses, seen, area)[rows[same], columns[same]]
    whole = known.bbox[frame, :, 3] > 0.8 * known.stature_px[frame]
    clear = known.visible_area[frame] > 0.5 * known.area[frame]
    bands = np.searchsorted(BANDS, known.stature_px[frame], side="right") - 1
    for person in np.flatnonzero(whole & clear):
        if 0 <= bands[person] < len(tally.oks):
            tally.oks[bands[person]].append(float(best[person]))


def print_scenes(models: Models, seconds: float) -> None:
    estimators = {
        setting: PoseEstimator(models, people=setting[0], detect_every=setting[1])
        for setting in SETTINGS
    }
    tallies = {setting: Tally() for setting in SETTINGS}
    for scene in scenes(seconds):
        add_scene(scene, estimators, tallies, SKELETONS[models.pack.skeleton])
    print("Made scenes: recall and mean OKS of those found, by height of the person in pixels")
    heads = [f"{low:>5} to {high:<5}" for low, high in pairwise(BANDS)]
    print(f"{'people':>6} {'every':>5} |" + "|".join(f"{head:^15}" for head in heads), end="")
    print("| precision | core-ms a frame")
    for (people, every), tally in tallies.items():
        print(f"{people:>6} {every:>5} |{tally.row()}")


def _rgb(file: Path) -> NDArray[np.uint8]:
    bgr = cv2.imread(str(file))
    assert bgr is not None, f"{file} cannot be read"
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8)


def print_coco(models: Models, folder: Path) -> None:
    print("\nReal images: COCO's labelled people, OKS as COCO defines it")
    print(f"{'people':>6} | people | found | mean OKS of those found | poses")
    labels = json.loads((folder / "person_keypoints.json").read_text())
    settings: tuple[People, ...] = ("near", "all")
    for people in settings:
        estimator = PoseEstimator(models, people=people)
        best: list[float] = []
        poses = 0
        for image in labels["images"]:
            landmarks = estimator.poses(_rgb(folder / image["file_name"])).landmarks
            own = [
                label
                for label in labels["annotations"]
                if label["image_id"] == image["id"] and label["num_keypoints"]
            ]
            labelled = np.array([a["keypoints"] for a in own], np.float32).reshape(-1, 17, 3)
            area = np.array([a["area"] for a in own], np.float32)
            found = coco_keypoints(landmarks, SKELETONS[models.pack.skeleton])[:, :, :2]
            likeness = oks(labelled[:, :, :2], found, labelled[:, :, 2] > 0, area)
            best += likeness.max(axis=1, initial=0).tolist()
            poses += len(landmarks)
        good = [value for value in best if value >= FOUND_OKS]
        print(f"{people:>6} | {len(best):6} | {len(good):5} | {np.mean(good):23.3f} | {poses:5}")


def print_video(models: Models, path: Path) -> None:
    index = probe(path)
    print(f"\n{path.name}: in how many of {len(index)} frames each person is found")
    print(f"{'people':>6} {'every':>5} | left | middle | both | bystander | other poses")
    frames = list(decode(path, index, Chunk(0, len(index))))
    for people, every in SETTINGS:
        if (people, every) == ("all", 1):
            continue
        poses = PoseEstimator(models, people=people, detect_every=every).run(frames, index)
        keypoints = coco_keypoints(poses.landmarks, SKELETONS[models.pack.skeleton])
        torso = keypoints[:, TORSO, :2].mean(axis=1)
        frame = np.repeat(poses.frame_index, np.diff(poses.offsets))
        held = [
            set(frame[(np.abs(torso - place) < reach).all(axis=1)].tolist())
            for place, reach in IN_VIDEO.values()
        ]
        left, middle, bystander = map(len, held)
        other = len(frame) - left - middle - bystander
        print(f"{people:>6} {every:>5} | {left:4} | {middle:6} | ", end="")
        print(f"{len(held[0] & held[1]):4} | {bystander:9} | {other:11}")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("--pack", default="blazepose-full", help="name of the model pack")
    parser.add_argument("--data", type=Path, default=beside, help="real videos and images")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each made scene")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    folder = settings_from().packs / arguments.pack
    models = load_models(read_pack(folder), folder)
    print_scenes(models, arguments.seconds)
    if arguments.data.is_dir():
        print_coco(models, arguments.data / "coco")
        print_video(models, arguments.data / "videos" / "two_people.mp4")


if __name__ == "__main__":
    main()
