"""OpenPose's JSON of BODY_25, a file for each frame, as Pose2Sim and others read it.

Source: OpenPose's documentation of its output; frames are numbered as OpenPose does it.
"""

from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from annotate.domain.keypoint_sets import BLAZEPOSE33
from annotate.formats.base import Dataset, FolderFormat, PoseBlock
from annotate.formats.frames import frames_of
from annotate.numeric.words import integers, joined, listed, rows_of

# Landmarks of each keypoint of BODY_25: between two of them it lies in the middle; OpenPose's small
# toes have none.
_BODY_25: tuple[tuple[str, ...], ...] = (
    ("nose",),
    ("left_shoulder", "right_shoulder"),  # neck
    ("right_shoulder",),
    ("right_elbow",),
    ("right_wrist",),
    ("left_shoulder",),
    ("left_elbow",),
    ("left_wrist",),
    ("left_hip", "right_hip"),  # middle of the hips
    ("right_hip",),
    ("right_knee",),
    ("right_ankle",),
    ("left_hip",),
    ("left_knee",),
    ("left_ankle",),
    ("right_eye",),
    ("left_eye",),
    ("right_ear",),
    ("left_ear",),
    ("left_foot_index",),
    (),
    ("left_heel",),
    ("right_foot_index",),
    (),
    ("right_heel",),
)
_OTHER_KEYPOINTS = (
    b'],"face_keypoints_2d":[],"hand_left_keypoints_2d":[],"hand_right_keypoints_2d":[],'
    b'"pose_keypoints_3d":[],"face_keypoints_3d":[],"hand_left_keypoints_3d":[],'
    b'"hand_right_keypoints_3d":[]}'
)
_PLACES = [[BLAZEPOSE33.names.index(name) for name in names] for names in _BODY_25]


class OpenPose(FolderFormat):
    """`VIDEO_json/VIDEO_000000000123_keypoints.json`: the people of a frame, each with `person_id`
    and x, y, confidence of the 25 keypoints; all three are 0 where a keypoint is unlabelled.
    """

    name = "openpose"
    keypoint_sets = (BLAZEPOSE33,)

    def write_folder(self, dataset: Dataset, folder: Path) -> None:
        """Writes the files frame by frame."""
        for video in dataset.videos:
            place_of = PurePosixPath(video.folder)
            files = folder / place_of.with_name(f"{place_of.name}_json")
            files.mkdir(parents=True)
            for place, people in frames_of(dataset, video, _people):
                name = f"{place_of.name}_{int(video.frames[place]):012d}_keypoints.json"
                content = b'{"version":1.3,"people":[' + b",".join(people) + b"]}"
                (files / name).write_bytes(content)


OPENPOSE = OpenPose()


def _people(block: PoseBlock) -> list[bytes]:
    return rows_of(
        joined(
            b'{"person_id":[',
            integers(block.video_track),
            b'],"pose_keypoints_2d":[',
            listed(_keypoints(block).reshape(len(block), 3 * len(_PLACES)), 3),
            _OTHER_KEYPOINTS,
        )
    )


def _keypoints(block: PoseBlock) -> NDArray[np.float64]:
    """(P, 25, 3): x, y, confidence; that of a middle is the lower one of both."""
    known = np.zeros((len(block), len(_PLACES), 3))
    for number, places in enumerate(_PLACES):
        if places:
            found = (block.v[:, places] > 0).all(axis=1)
            known[found, number, :2] = np.round(block.xy[found][:, places].mean(axis=1), 3)
            known[found, number, 2] = block.visibility[found][:, places].min(axis=1)
    return known
