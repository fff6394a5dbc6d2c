"""COCO keypoint files as columns: the truth, and the poses that are held against it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.errors import UsageError
from annotate.domain.skeleton import COCO_KEYPOINTS
from annotate.numeric.similarity import AREA_OF_BOX

NONE = -1
_KEYPOINTS = len(COCO_KEYPOINTS)


@dataclass(frozen=True, eq=False)
class Images:
    """N images, ordered by video, then frame.

    Attributes:
        id: (N,) int64, as the truth's file numbers them.
        name: N file names.
        video: (N,) int64; NONE where the image is no frame of a video.
        frame: (N,) int64, as the file counts them; NONE where it does not.
        time_s: (N,) float64 seconds; NaN where the file does not say.
    """

    id: IntArray
    name: tuple[str, ...]
    video: IntArray
    frame: IntArray
    time_s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True, eq=False)
class People:
    """P people, or poses, ordered by image.

    Attributes:
        image: (P,) int64: the place of their image in `Images`.
        keypoints: (P, 17, 2) float64 pixels.
        labelled: (P, 17) bool; all of them in a results file, which need not say; none of a
            crowd's.
        bbox: (P, 4) float64: x, y, width, height in pixels.
        area: (P,) float64 square pixels.
        score: (P,) float64; 1 where the file has none.
        track: (P,) int64; NONE where the file does not say.
        crowd: (P,) bool: a region full of people rather than a person.
    """

    image: IntArray
    keypoints: NDArray[np.float64]
    labelled: NDArray[np.bool_]
    bbox: NDArray[np.float64]
    area: NDArray[np.float64]
    score: NDArray[np.float64]
    track: IntArray
    crowd: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known: the images, and everybody in them."""

    images: Images
    people: People


@dataclass(frozen=True, eq=False)
class Predictions:
    """What was found.

    Attributes:
        poses: in the truth's images.
        elsewhere: how many poses were left out because their image is not in the truth.
    """

    poses: People
    elsewhere: int


def track_numbers(people: People, images: Images) -> IntArray:
    """(P,) int64: a number for the track, other than in any other video; NONE without a track."""
    both = np.stack([images.video[people.image], people.track], axis=1)
    number: IntArray = np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
    return np.where(people.track == NONE, NONE, number)


def read_truth(path: Path) -> Truth:
    """A COCO keypoints annotation file.

    Raises:
        UsageError: it cannot be read, is no such file, or has not COCO's 17 keypoints.
    """
    content = _read(path)
    if not isinstance(content, dict) or not {"images", "annotations"} <= content.keys():
        raise UsageError(
            f"{path}: no COCO annotation file: it has no images or no annotations",
            "A results file has no truth in it; give the annotation file that it was made for.",
        )
    try:
        images = _images(content["images"])
        annotations = _of_people(content, path)
        places = _places(images.id.tolist())
        known = [a for a in annotations if a["image_id"] in places]
        return Truth(images, _people(known, [places[a["image_id"]] for a in known]))
    except (KeyError, TypeError, ValueError) as error:
        raise _unfit(path, error) from error


def read_predictions(path: Path, truth: Truth) -> Predictions:
    """A COCO results file, or an annotation file as `annotate export` writes it.

    The images of a results file are known by their ids, those of an annotation file by their file
    names. Annotations without a labelled keypoint are no poses.

    Raises:
        UsageError: the file cannot be read, is no such file, or has no image of the truth.
    """
    content = _read(path)
    try:
        if isinstance(content, dict):
            names = {i["id"]: i["file_name"] for i in content["images"]}
            places = _places(truth.images.name)
            found = [a for a in _of_people(content, path) if any(a["keypoints"][2::3])]
            images = [places.get(names[a["image_id"]], NONE) for a in found]
        else:
            numbers = _places(truth.images.id.tolist())
            found = list(content)
            images = [numbers.get(a["image_id"], NONE) for a in found]
        here = [(a, image) for a, image in zip(found, images, strict=True) if image != NONE]
        poses = _people([a for a, _ in here], [image for _, image in here])
        if not isinstance(content, dict):
            poses = replace(poses, labelled=np.ones_like(poses.labelled))
    except (KeyError, TypeError, ValueError) as error:
        raise _unfit(path, error) from error
    if found and not here:
        raise UsageError(
            f"{path}: none of its poses is in an image of the truth",
            "The image ids of a results file, or the file names of the images of an annotation "
            f"file, must be those of the truth, such as {truth.images.id[:1].tolist()} "
            f"{truth.images.name[:1]}.",
        )
    return Predictions(poses, len(found) - len(here))


def _read(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "Name a file that can be read.") from error
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path}: no JSON: {error}", "Give a COCO keypoints file.") from error


def _unfit(path: Path, error: Exception) -> UsageError:
    what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
    return UsageError(
        f"{path}: not COCO keypoints: {what}",
        "Give an annotation file or a results file with COCO's 17 keypoints of every person.",
    )


def _of_people(content: Mapping[str, Any], path: Path) -> list[dict[str, Any]]:
    """The annotations of the category whose keypoints are COCO's."""
    categories = {c["id"]: c.get("keypoints") for c in content.get("categories", [])}
    people = {number for number, names in categories.items() if names == list(COCO_KEYPOINTS)}
    if any(categories.values()) and not people:
        raise UsageError(
            f"{path}: its keypoints are not the 17 of COCO",
            "Other skeletons cannot be compared; convert the file to COCO's keypoints first.",
        )
    return [a for a in content["annotations"] if not people or a["category_id"] in people]


def _images(rows: Sequence[Mapping[str, Any]]) -> Images:
    def column(*keys: str) -> list[Any]:
        return [next((r[k] for k in keys if r.get(k) is not None), NONE) for r in rows]

    # PoseTrack writes `vid_id`.
    video = np.array(column("video_id", "vid_id"), np.int64)
    frame = np.array(column("frame_id"), np.int64)
    time_s = np.array([r.get("time_s", np.nan) for r in rows], np.float64)
    order = np.lexsort((frame, video))
    number = np.array([r["id"] for r in rows], np.int64)
    names = [str(rows[row].get("file_name", "")) for row in order]
    return Images(number[order], tuple(names), video[order], frame[order], time_s[order])


def _people(rows: Sequence[Mapping[str, Any]], images: Sequence[int]) -> People:
    image = np.array(images, np.int64)
    order = np.argsort(image, kind="stable")
    rows = [rows[row] for row in order]
    triplets = np.array([r["keypoints"] for r in rows], np.float64).reshape(-1, _KEYPOINTS, 3)
    crowd = np.array([bool(r.get("iscrowd", 0)) for r in rows], np.bool_)
    keypoints, labelled = triplets[:, :, :2], (triplets[:, :, 2] > 0) & ~crowd[:, None]
    hull = np.concatenate([keypoints.min(axis=1), np.ptp(keypoints, axis=1)], axis=1)
    bbox = np.array([r.get("bbox", h) for r, h in zip(rows, hull, strict=True)], np.float64)
    bbox = bbox.reshape(-1, 4)
    covered = AREA_OF_BOX * bbox[:, 2] * bbox[:, 3]
    return People(
        image=image[order],
        keypoints=keypoints,
        labelled=labelled,
        bbox=bbox,
        area=np.array([r.get("area", c) for r, c in zip(rows, covered, strict=True)], np.float64),
        score=np.array([r.get("score", 1.0) for r in rows], np.float64),
        track=np.array([_track(r) for r in rows], np.int64),
        crowd=crowd,
    )


def _track(row: Mapping[str, Any]) -> int:
    track = row.get("track_id", row.get("attributes", {}).get("track_id"))
    return NONE if track is None else int(track)


def _places(keys: Sequence[Any]) -> dict[Any, int]:
    return {key: place for place, key in enumerate(keys)}
