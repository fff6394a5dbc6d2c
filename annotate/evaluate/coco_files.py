"""Reads COCO keypoint files: the ground truth, and the poses that are compared with it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from annotate.domain.errors import UsageError
from annotate.domain.skeleton import AREA_OF_BOX, COCO_KEYPOINTS
from annotate.evaluate.annotations import (
    MISSING,
    Annotations,
    GroundTruth,
    Images,
    Predictions,
)

# What COCO writes of a keypoint that nothing hides.
VISIBLE = 2
# A JSON object of a file: an image or an annotation.
_Row = Mapping[str, Any]


def read_truth(path: Path) -> GroundTruth:
    """Reads a COCO keypoints annotation file.

    Raises:
        UsageError: it cannot be read or is not an annotation file.
    """
    content = _read_json(path)
    if not isinstance(content, dict) or not {"images", "annotations"} <= content.keys():
        raise UsageError(
            f"{path}: not a COCO annotation file: it has no images or no annotations",
            "A results file holds no truth; give the annotation file that it was made for.",
        )
    with _format_errors(path):
        images = _images(content["images"])
        row_of = {image: row for row, image in enumerate(images.id.tolist())}
        names, people = _people(content)
        known = [a for a in people if a["image_id"] in row_of]
        rows = _annotations(known, [row_of[a["image_id"]] for a in known], len(names))
        return GroundTruth(images, rows, names)


def read_predictions(path: Path, truth: GroundTruth) -> Predictions:
    """Reads a COCO results file, or an annotation file as `annotate export` writes it.

    Images of a results file are matched by id, those of an annotation file by file name.
    Annotations without a labelled keypoint are not poses.

    Raises:
        UsageError: the file cannot be read, has another format, or has no image of the truth.
    """
    content = _read_json(path)
    with _format_errors(path):
        if isinstance(content, dict):
            names, people = _people(content)
            found = [
                _renamed(a, names, truth.keypoints) for a in people if any(a["keypoints"][2::3])
            ]
            images = _images_by_name(content, found, truth.images)
        else:
            found = list(content)
            images = _images_by_id(found, truth.images)
        kept = [row for row, image in enumerate(images) if image != MISSING]
        rows = [found[row] for row in kept]
        poses = _annotations(rows, [images[row] for row in kept], len(truth.keypoints))
    if not isinstance(content, dict):
        poses = replace(poses, labelled=np.ones_like(poses.labelled))
    if found and not kept:
        raise UsageError(
            f"{path}: none of its poses is in an image of the truth",
            "The image ids of a results file, or the file names of the images of an annotation "
            f"file, must be those of the truth, such as {truth.images.id[:1].tolist()} "
            f"{truth.images.name[:1]}.",
        )
    return Predictions(poses, len(found) - len(kept))


def _images_by_name(content: _Row, rows: Sequence[_Row], images: Images) -> list[int]:
    """The row in `images` of each annotation of an annotation file, or `MISSING`."""
    row_of = {name: row for row, name in enumerate(images.name)}
    names = {image["id"]: image["file_name"] for image in content["images"]}
    return [row_of.get(names[row["image_id"]], MISSING) for row in rows]


def _images_by_id(rows: Sequence[_Row], images: Images) -> list[int]:
    """The row in `images` of each pose of a results file, or `MISSING`."""
    row_of = {image: row for row, image in enumerate(images.id.tolist())}
    return [row_of.get(row["image_id"], MISSING) for row in rows]


def _read_json(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "Name a file that can be read.") from error
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path}: not JSON: {error}", "Give a COCO keypoints file.") from error


@contextmanager
def _format_errors(path: Path) -> Iterator[None]:
    """Turns errors of looking up or converting the content of a file into a `UsageError`."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise UsageError(
            f"{path}: not COCO keypoints: {what}",
            "Give an annotation file or a results file in which every person has the keypoints of "
            "the truth.",
        ) from error


def _people(content: _Row) -> tuple[tuple[str, ...], list[_Row]]:
    """The names of a file's keypoints, and the annotations that have them.

    Of several categories, that with COCO's keypoints counts, or else the first that has any.
    """
    categories = {c["id"]: tuple(c.get("keypoints") or ()) for c in content.get("categories", [])}
    having = sorted(filter(None, categories.values()), key=lambda names: names != COCO_KEYPOINTS)
    names = having[0] if having else COCO_KEYPOINTS
    people = {number for number, own in categories.items() if own == names}
    rows = [a for a in content["annotations"] if not people or a["category_id"] in people]
    return names, rows


def _renamed(row: _Row, names: Sequence[str], wanted: Sequence[str]) -> _Row:
    """An annotation with the keypoints `wanted`: those that it lacks are not labelled.

    Raises:
        ValueError: it has none of them.
    """
    if tuple(names) == tuple(wanted):
        return row
    if not set(names) & set(wanted):
        raise ValueError(f"it has no keypoint of the truth, such as {wanted[0]}")
    place = {name: 3 * k for k, name in enumerate(names)}
    values = row["keypoints"]
    none = (0, 0, 0)
    triplets = (values[place[n] : place[n] + 3] if n in place else none for n in wanted)
    return {**row, "keypoints": [value for triplet in triplets for value in triplet]}


def _images(rows: Sequence[_Row]) -> Images:
    def column(*keys: str) -> list[Any]:
        return [next((r[k] for k in keys if r.get(k) is not None), MISSING) for r in rows]

    # PoseTrack writes `vid_id`.
    video = np.array(column("video_id", "vid_id"), np.int64)
    frame = np.array(column("frame_id"), np.int64)
    time_s = np.array([r.get("time_s", np.nan) for r in rows], np.float64)
    order = np.lexsort((frame, video))
    number = np.array([r["id"] for r in rows], np.int64)
    names = [str(rows[row].get("file_name", "")) for row in order]
    return Images(number[order], tuple(names), video[order], frame[order], time_s[order])


def _annotations(rows: Sequence[_Row], images: Sequence[int], count: int) -> Annotations:
    image = np.array(images, np.int64)
    order = np.argsort(image, kind="stable")
    rows = [rows[row] for row in order]
    shape = (-1, count, 3)
    triplets = np.array([r["keypoints"] for r in rows], np.float64).reshape(shape)
    crowd = np.array([bool(r.get("iscrowd", 0)) for r in rows], np.bool_)
    keypoints, labelled = triplets[:, :, :2], (triplets[:, :, 2] > 0) & ~crowd[:, None]
    hull = np.concatenate([keypoints.min(axis=1), np.ptp(keypoints, axis=1)], axis=1)
    bbox = np.array([r.get("bbox", h) for r, h in zip(rows, hull, strict=True)], np.float64)
    bbox = bbox.reshape(-1, 4)
    covered = AREA_OF_BOX * bbox[:, 2] * bbox[:, 3]
    return Annotations(
        image=image[order],
        keypoints=keypoints,
        labelled=labelled,
        visible=labelled & (triplets[:, :, 2] == VISIBLE),
        bbox=bbox,
        area=np.array([r.get("area", c) for r, c in zip(rows, covered, strict=True)], np.float64),
        score=np.array([r.get("score", 1.0) for r in rows], np.float64),
        track=np.array([_track(r) for r in rows], np.int64),
        crowd=crowd,
    )


def _track(row: _Row) -> int:
    track = row.get("track_id", row.get("attributes", {}).get("track_id"))
    return MISSING if track is None else int(track)
