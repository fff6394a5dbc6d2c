"""OpenPose's JSON of BODY_25, a file for each frame, as Pose2Sim and others read it.

Source: OpenPose's documentation of its output; frames are numbered as OpenPose does it.
"""

from pathlib import Path, PurePosixPath

import numpy as np
import orjson
from numpy.typing import NDArray

from annotate.domain.keypoint_sets import BLAZEPOSE33
from annotate.formats.base import Dataset, FolderFormat, PoseBlock
from annotate.formats.frames import frames_of

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
            for place, block, rows in frames_of(dataset, video):
                name = f"{place_of.name}_{int(video.frames[place]):012d}_keypoints.json"
                people = [_person(block, row) for row in rows] if block else []
                content = {"version": 1.3, "people": people}
                (files / name).write_bytes(orjson.dumps(content))


OPENPOSE = OpenPose()


def _person(block: PoseBlock, row: int) -> dict[str, object]:
    return {
        "person_id": [int(block.video_track[row])],
        "pose_keypoints_2d": _keypoints(block, row).reshape(-1).tolist(),
        "face_keypoints_2d": [],
        "hand_left_keypoints_2d": [],
        "hand_right_keypoints_2d": [],
        "pose_keypoints_3d": [],
        "face_keypoints_3d": [],
        "hand_left_keypoints_3d": [],
        "hand_right_keypoints_3d": [],
    }


def _keypoints(block: PoseBlock, row: int) -> NDArray[np.float64]:
    """(25, 3): x, y, confidence; that of a middle is the lower one of both."""
    known = np.zeros((len(_PLACES), 3))
    for number, places in enumerate(_PLACES):
        if places and (block.v[row, places] > 0).all():
            known[number, :2] = np.round(block.xy[row, places].mean(axis=0), 3)
            known[number, 2] = block.visibility[row, places].min()
    return known
