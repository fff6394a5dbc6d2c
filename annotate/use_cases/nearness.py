"""How near tracks come to a scene whose truth is known."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from annotate.domain.arrays import FloatArray
from annotate.domain.skeleton import Skeleton, coco_keypoints
from annotate.domain.tracks import Tracks
from annotate.numeric.similarity import oks
from annotate.synthetic.truth import VISIBLE, Truth

# With fewer visible keypoints nobody could be asked to find a person; below this OKS a pose is not
# that person's (the least that COCO's evaluation counts).
LEAST_KEYPOINTS = 6
LEAST_OKS = 0.5
_SHOULDERS, _HIPS = [5, 6], [11, 12]


@dataclass(frozen=True)
class Nearness:
    """What an answer is worth.

    Attributes:
        visible: how often somebody could be seen: persons times frames.
        found: how often a pose fits that person.
        invented: poses that fit nobody.
        oks: mean object keypoint similarity where found.
        error: median distance of visible keypoints, as a fraction of torso length.
        switches: how often a person's track id changes.
    """

    visible: int
    found: int
    invented: int
    oks: float
    error: float
    switches: int


def nearness(truth: Truth, tracks: Iterable[Tracks], skeleton: Skeleton) -> Nearness:
    """Pairs the poses of every frame with the people that can be seen in it, best OKS first."""
    scores: list[float] = []
    errors: list[FloatArray] = []
    ids: dict[int, list[int]] = {}
    invented = 0
    for block in tracks:
        keypoints = coco_keypoints(block.smoothed, skeleton)[:, :, :2]
        for frame in np.unique(block.frame_index):
            rows = np.flatnonzero(block.frame_index == frame)
            people, poses, likeness = _pairs(truth, int(frame), keypoints[rows])
            scores += likeness.tolist()
            invented += len(rows) - len(poses)
            for person, pose in zip(people.tolist(), rows[poses].tolist(), strict=True):
                ids.setdefault(person, []).append(int(block.track_id[pose]))
                errors.append(_errors(truth, int(frame), person, keypoints[pose]))
    seen = (truth.visible == VISIBLE).sum(axis=2) >= LEAST_KEYPOINTS
    return Nearness(
        visible=int(seen.sum()),
        found=len(scores),
        invented=invented,
        oks=float(np.mean(scores)) if scores else 0.0,
        error=float(np.median(np.concatenate(errors))) if errors else float("nan"),
        switches=sum(int((np.diff(track) != 0).sum()) for track in ids.values()),
    )


def _pairs(
    truth: Truth, frame: int, keypoints: FloatArray
) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
    """Persons, poses and OKS of the pairs."""
    visible = truth.visible[frame] == VISIBLE
    people = np.flatnonzero(visible.sum(axis=1) >= LEAST_KEYPOINTS)
    likeness = oks(
        truth.keypoints[frame, people],
        keypoints,
        visible[people],
        truth.area[frame, people].astype(np.float32),
    )
    rows, poses = linear_sum_assignment(-likeness)
    same = likeness[rows, poses] >= LEAST_OKS
    return people[rows[same]], poses[same], likeness[rows[same], poses[same]]


def _errors(truth: Truth, frame: int, person: int, keypoints: FloatArray) -> FloatArray:
    true = truth.keypoints[frame, person]
    torso = np.linalg.norm(true[_SHOULDERS].mean(axis=0) - true[_HIPS].mean(axis=0))
    visible = truth.visible[frame, person] == VISIBLE
    apart: FloatArray = np.linalg.norm(keypoints - true, axis=1)[visible]
    # Seen from straight above, a torso has no length; a tenth of the person's height then stands
    # in for it.
    return apart / max(float(torso), 0.1 * float(truth.stature_px[frame, person]))
