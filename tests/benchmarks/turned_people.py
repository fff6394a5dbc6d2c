"""What packs find of people who are turned, with and without `--rotations 4`, and what it costs.

    python -m tests.benchmarks.turned_people [--data FOLDER] [--video FILE] [--packs FOLDER] [NAME]

The first table is of labelled photographs, turned by some degrees and put through the program like
those of `real_people`. The second one is of a video in which the whole picture is turned, or turns
over while it plays: how many poses of the people who are tracked through all of it, if it is
not turned, are found again. It takes about ten minutes a pack.
"""

import argparse
import contextlib
import io
import json
import math
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.merge_settings import MergeSettings, TrackerSettings
from annotate.domain.options import ROTATIONS
from annotate.domain.pack import read_pack
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.settings import settings_from
from annotate.domain.skeleton import AREA_OF_BOX, SKELETONS, coco_keypoints
from annotate.domain.video import Chunk, Frame
from annotate.inference import Models, load_models
from annotate.merge.merge import merge
from annotate.numeric.geometry import apply_affine
from annotate.numeric.rgb_picture import RgbPicture
from annotate.numeric.similarity import oks
from annotate.pipeline import PoseEstimator
from annotate.pipeline.detector_stage import DetectorStage, new_candidates
from annotate.pipeline.landmark_stage import FrameCandidates, LandmarkStage
from annotate.video import decode, probe
from annotate.video.writer import VideoWriter
from tests.benchmarks.real_people import LOSSLESS, Content, Found, figures, predictions, rgb

DEGREES = (0, 20, 45, 90, 180)
# How the picture of the video is turned in its first and in its last frame, in degrees.
VIDEO_TURNS = ((0, 0), (90, 90), (180, 180), (0, 180))
SETTINGS = PipelineSettings()
DETECT_EVERY = 10
# Object keypoint similarity from which on a pose is that of the person.
FOUND_OKS = 0.5


# Keypoints (17, 2) in pixels, by track and frame.
Tracked = dict[int, dict[int, FloatArray]]


class Turned(NamedTuple):
    """A picture that was turned about its middle, with black corners.

    Attributes:
        rgb: (H, W, 3) uint8, which holds all of it.
        matrix: (2, 3) float64 from pixels before to pixels after.
    """

    rgb: NDArray[np.uint8]
    matrix: NDArray[np.float64]


def turned(picture: NDArray[np.uint8], degrees: float, side: int | None = None) -> Turned:
    """The picture turned clockwise.

    Args:
        side: of the square that the turned one is, in pixels; by default it is as small as can be.
    """
    height, width = picture.shape[:2]
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turn = np.array([[cos, -sin], [sin, cos]]).round(12)
    size = np.ceil(np.abs(turn) @ [width, height]).astype(int) if side is None else [side, side]
    middle, centre = np.array([width - 1, height - 1]) / 2, (np.array(size) - 1) / 2
    matrix = np.column_stack([turn, centre - turn @ middle])
    pixels = cv2.warpAffine(picture, matrix, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR)
    return Turned(pixels.astype(np.uint8), matrix)


def turned_labels(labels: Content, turns: dict[str, Turned]) -> Content:
    """COCO's labels for pictures that were turned, by the name of their file."""
    images = [
        {
            **image,
            "height": turns[image["file_name"]].rgb.shape[0],
            "width": turns[image["file_name"]].rgb.shape[1],
        }
        for image in labels["images"]
    ]
    names = {image["id"]: image["file_name"] for image in images}
    people = [
        _turned_person(person, turns[names[person["image_id"]]].matrix)
        for person in labels["annotations"]
    ]
    return {**labels, "images": images, "annotations": people}


def _turned_person(person: Content, matrix: NDArray[np.float64]) -> Content:
    keypoints = np.array(person["keypoints"], np.float32).reshape(-1, 3)
    labelled = keypoints[:, 2] > 0
    keypoints[labelled, :2] = apply_affine(matrix, keypoints[labelled, :2])
    x, y, width, height = person["bbox"]
    corners = np.array(
        [[x, y], [x + width, y], [x, y + height], [x + width, y + height]], np.float32
    )
    placed = apply_affine(matrix, corners)
    low, size = placed.min(axis=0), np.ptp(placed, axis=0)
    # Outlines do not count for keypoints.
    kept = {key: value for key, value in person.items() if key != "segmentation"}
    return {**kept, "keypoints": keypoints.ravel().tolist(), "bbox": [*map(float, (*low, *size))]}


def photographs(pack: Path, data: Path, degrees: float) -> dict[int, tuple[Found, float]]:
    """Figures of a pack on labelled images that are turned, and core-ms a detected person, for each
    number of rotations.
    """
    labels = json.loads((data / "person_keypoints.json").read_text())
    turns = {
        image["file_name"]: turned(rgb(data / image["file_name"]), degrees)
        for image in labels["images"]
    }
    models = load_models(read_pack(pack), pack)
    found = {}
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
        scratch = Path(name)
        truth = scratch / "labels.json"
        truth.write_text(json.dumps(turned_labels(labels, turns)))
        (scratch / "videos").mkdir()
        for file, one in turns.items():
            with VideoWriter(scratch / "videos" / f"{Path(file).stem}.mp4", LOSSLESS) as video:
                video.write(one.rgb)
        for rotations in rotations_of(models):
            chosen = ("--rotations", str(rotations))
            results = predictions(pack, scratch / "videos", labels, scratch, *chosen)
            image_ms, person_ms = core_ms(models, turns, rotations)
            found[rotations] = figures(truth, results, image_ms), person_ms
    return found


def rotations_of(models: Models) -> tuple[int, ...]:
    """In how many ways a pack may be turned."""
    return (1,) if models.pack.finds_rotation else ROTATIONS


def core_ms(models: Models, turns: dict[str, Turned], rotations: int) -> tuple[float, float]:
    """Core time in milliseconds: of both stages for an image, of the second one for a person."""
    detector = DetectorStage(models, "all", SETTINGS, rotations)
    stage = LandmarkStage(models, SETTINGS, looks_twice=True, rotations=rotations)
    began = time.process_time()
    pictures = [RgbPicture(one.rgb) for one in turns.values()]
    found = [
        FrameCandidates(
            picture,
            new_candidates(
                detector.candidates([detector.views(picture)])[0], (), SETTINGS.same_roi_iou
            ),
        )
        for picture in pictures
    ]
    detected = time.process_time()
    for picture in found:
        stage.people([picture])
    ended = time.process_time()
    people = sum(len(picture.candidates) for picture in found)
    return (ended - began) * 1e3 / len(found), (ended - detected) * 1e3 / people


@dataclass(frozen=True)
class Followed:
    """What became of the people of a video.

    Attributes:
        poses: found again, of those that there are.
        of: how many there are.
        tracks: that they are in.
        frame_ms: core time of the pipeline for a frame.
    """

    poses: int
    of: int
    tracks: int
    frame_ms: float


class TurnedVideo:
    """A video whose picture is turned; the truth are its tracks, as it is, that last throughout."""

    def __init__(self, models: Models, path: Path) -> None:
        self._models = models
        self._index = probe(path)
        self._frames = [*decode(path, self._index, Chunk(0, len(self._index)))]
        height, width = self._frames[0].rgb.shape[:2]
        tracks, _ = self._tracks(self._frames, 1, (width, height))
        every = [one for one in tracks.values() if len(one) == len(self._frames)]
        self._truth = [np.stack([one[frame] for frame in sorted(one)]) for one in every]

    def followed(self, rotations: int, first: float, last: float) -> Followed:
        """What is found again where the picture is turned by so many degrees at first and last."""
        side = math.ceil(math.hypot(*self._frames[0].rgb.shape[:2]))
        angles = np.linspace(first, last, len(self._frames))
        matrices = []

        def frames() -> Iterator[Frame]:
            for frame, degrees in zip(self._frames, angles, strict=True):
                began = time.process_time()
                one = turned(frame.rgb, degrees, side)
                self._made_s += time.process_time() - began
                matrices.append(one.matrix)
                yield replace(frame, picture=RgbPicture(one.rgb))

        tracks, frame_ms = self._tracks(frames(), rotations, (side, side))
        shown = [
            _shown(apply_affine(matrix, keypoints), number, tracks)
            for person in self._truth
            for number, (keypoints, matrix) in enumerate(zip(person, matrices, strict=True))
        ]
        found = [track for track in shown if track is not None]
        return Followed(len(found), len(shown), len({*found}), frame_ms)

    def _tracks(
        self, frames: Iterable[Frame], rotations: int, size: tuple[int, int]
    ) -> tuple[Tracked, float]:
        """What is tracked, filled poses included, and core-ms a frame without making the frames."""
        pack = self._models.pack
        estimator = PoseEstimator(
            self._models, people="all", detect_every=DETECT_EVERY, rotations=rotations
        )
        self._made_s = 0.0
        began = time.process_time()
        poses = estimator.run(frames, self._index)
        frame_ms = (time.process_time() - began - self._made_s) * 1e3 / len(self._frames)
        tracker = TrackerSettings(min_start_score=pack.landmark.min_start_score)
        settings = MergeSettings(smooth_hz=None, tracker=tracker)
        skeleton = SKELETONS[pack.skeleton]
        found: Tracked = {}
        for block in merge([poses], settings, skeleton, size):
            keypoints = coco_keypoints(block.smoothed, skeleton)[:, :, :2]
            for track, frame, one in zip(block.track_id, block.frame_index, keypoints, strict=True):
                found.setdefault(int(track), {})[int(frame)] = one
        return found, frame_ms


def _shown(person: FloatArray, frame: int, tracks: Tracked) -> int | None:
    """The track whose pose in the frame is that of a person (17, 2), if there is one."""
    there = {track: poses[frame] for track, poses in tracks.items() if frame in poses}
    if not there:
        return None
    area = np.array([np.prod(np.ptp(person, axis=0)) * AREA_OF_BOX], np.float32)
    counted = np.ones((1, len(person)), np.bool_)
    alike = oks(person[None], np.stack([*there.values()]), counted, area)[0]
    best = int(alike.argmax())
    return [*there][best] if alike[best] >= FOUND_OKS else None


def main() -> None:
    """Prints the two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("names", nargs="*", help="packs; by default all that are installed")
    parser.add_argument("--data", type=Path, default=beside / "people", help="images and labels")
    parser.add_argument("--video", type=Path, default=beside / "videos" / "two_people.mp4")
    parser.add_argument("--packs", type=Path, default=settings_from().packs, help="their folder")
    parser.add_argument("--degrees", type=float, nargs="*", default=DEGREES, help="of photographs")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    packs = [
        arguments.packs / name
        for name in arguments.names or sorted(one.name for one in arguments.packs.iterdir())
    ]
    head = "pack | turned by | `--rotations`"
    print(f"| {head} | COCO AP | recall | precision | core-ms a person | an image |")
    print("|---|---|---|---|---|---|---|---|")
    for pack, degrees in product(packs, arguments.degrees):
        measured = photographs(pack, arguments.data, degrees)
        for rotations, (found, person_ms) in measured.items():
            figure = f"{found.ap:.3f} | {found.recall:.3f} | {found.precision:.3f}"
            row = f"{pack.name} | {degrees:g} | {rotations} | {figure} | {person_ms:.0f}"
            print(f"| {row} | {found.image_ms:.0f} |", flush=True)
    print(f"\n| {head} | poses found again | tracks | core-ms a frame |")
    print("|---|---|---|---|---|---|")
    for pack in packs:
        models = load_models(read_pack(pack), pack)
        video = TurnedVideo(models, arguments.video)
        for (first, last), rotations in product(VIDEO_TURNS, rotations_of(models)):
            one = video.followed(rotations, first, last)
            turn = f"{first:g}" if first == last else f"{first:g} to {last:g}"
            row = f"{turn} | {rotations} | {one.poses} of {one.of} | {one.tracks}"
            print(f"| {pack.name} | {row} | {one.frame_ms:.0f} |", flush=True)


if __name__ == "__main__":
    main()
