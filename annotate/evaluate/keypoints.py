"""How close the keypoints of people who are found are, all together and one by one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.evaluate.annotations import Annotations, GroundTruth
from annotate.evaluate.matching import Matches
from annotate.numeric.similarity import paired_oks

# The largest distance of a correct keypoint from the truth, in torso lengths: PCK@0.2.
PCK_TOLERANCE = 0.2
_SHOULDERS, _HIPS = ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")


@dataclass(frozen=True)
class Pck:
    """PCK@0.2: fraction of the labelled keypoints within 0.2 torso lengths of the truth.

    The torso goes from the middle of the shoulders to the middle of the hips of the truth, as in
    the paper on BlazePose; people without those four keypoints are left out. Only people who are
    found count: recall tells of the others.

    Attributes:
        overall: of all keypoints; None where there is none to compare.
        by_keypoint: of each keypoint of the truth, likewise.
    """

    overall: float | None
    by_keypoint: tuple[float | None, ...]


@dataclass(frozen=True)
class KeypointFigures:
    """One keypoint of the people who are found.

    Attributes:
        name: in the truth.
        labelled: of how many people who are found the truth has it.
        similarity: mean similarity in [0, 1], of which OKS is the mean over a person's keypoints;
            None where it is not labelled.
        pck: PCK@0.2.
    """

    name: str
    labelled: int
    similarity: float | None
    pck: float | None


def measure_pck(truth: GroundTruth, poses: Annotations, matches: Matches) -> Pck:
    """PCK@0.2 over all matches."""
    correct, counted = correct_keypoints(truth, poses, matches)
    columns = zip(correct.T, counted.T, strict=True)
    return Pck(_fraction(correct, counted), tuple(_fraction(*one) for one in columns))


def measure_keypoints(
    truth: GroundTruth, poses: Annotations, matches: Matches
) -> tuple[KeypointFigures, ...]:
    """The figures of each keypoint of the truth, in its order."""
    people = truth.people
    labelled = people.labelled[matches.person]
    true, found = people.keypoints[matches.person], poses.keypoints[matches.pose]
    # Each keypoint as a body of one.
    alike = paired_oks(
        true.astype(np.float32)[:, :, None],
        found.astype(np.float32)[:, :, None],
        np.ones((*labelled.shape, 1), np.bool_),
        people.area[matches.person, None].astype(np.float32),
        truth.sigmas[:, None],
    )
    pck = measure_pck(truth, poses, matches).by_keypoint
    return tuple(
        KeypointFigures(
            name,
            int(known.sum()),
            float(similarity[known].mean()) if known.any() else None,
            correct,
        )
        for name, known, similarity, correct in zip(
            truth.keypoints, labelled.T, alike.T, pck, strict=True
        )
    )


def correct_keypoints(
    truth: GroundTruth, poses: Annotations, matches: Matches
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(M, K) which keypoints of the matches are correct by PCK@0.2, and which count."""
    people = truth.people
    true, labelled = people.keypoints[matches.person], people.labelled[matches.person]
    if not {*_SHOULDERS, *_HIPS} <= set(truth.keypoints):
        return np.zeros_like(labelled), np.zeros_like(labelled)
    shoulders, hips = ([truth.keypoints.index(name) for name in one] for one in (_SHOULDERS, _HIPS))
    torso = np.linalg.norm(true[:, shoulders].mean(axis=1) - true[:, hips].mean(axis=1), axis=1)
    has_torso = labelled[:, shoulders + hips].all(axis=1) & (torso > 0)
    distance = np.linalg.norm(poses.keypoints[matches.pose] - true, axis=2)
    correct: NDArray[np.bool_] = distance < PCK_TOLERANCE * torso[:, None]
    return correct, labelled & has_torso[:, None]


def _fraction(correct: NDArray[np.bool_], counted: NDArray[np.bool_]) -> float | None:
    return float(correct[counted].mean()) if counted.any() else None
