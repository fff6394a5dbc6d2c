"""The people of one frame, and a picture with their poses."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.choices import one_of
from annotate.domain.errors import UsageError
from annotate.domain.skeleton import Skeleton, coco_keypoints
from annotate.domain.tracks import Tracks
from annotate.render.overlay import draw_poses


@dataclass(frozen=True, eq=False)
class PeopleInFrame:
    """P people in one frame, with L landmarks each, ordered by track id.

    Attributes:
        frame: index of the frame in its video, from 0.
        time_s: seconds from the video's first frame.
        landmark_names: L names, e.g. `left_knee`.
        track_id: (P,) int64, from 1: the same person has the same id in all frames.
        score: (P,) float32 in [0, 1]; 0 where filled.
        box: (P, 4) float32: x, y, width, height in pixels.
        filled: (P,) bool: the person was not detected here; the pose was filled in over a gap.
        landmarks: (P, L, 5) float32: x, y, z in pixels, visibility and presence in [0, 1].
        world: (P, L, 3) float32 metres from the centre of the hips; right, down and away from the
            camera are positive. (P, L, 0) where the model gives none.
        keypoints: (P, 17, 3) float32: COCO's keypoints: x, y in pixels, and visibility in [0, 1],
            which is 0 where the model lacks the keypoint.
    """

    frame: int
    time_s: float
    landmark_names: tuple[str, ...]
    track_id: IntArray
    score: FloatArray
    box: FloatArray
    filled: NDArray[np.bool_]
    landmarks: FloatArray
    world: FloatArray
    keypoints: FloatArray

    def __len__(self) -> int:
        return len(self.track_id)

    def landmark(self, name: str) -> FloatArray:
        """(P, 5) float32: x, y, z in pixels, visibility and presence of one landmark.

        Raises:
            UsageError: the model has no such landmark.
        """
        place = self.landmark_names.index(one_of(self.landmark_names, name, "landmark"))
        return self.landmarks[:, place]


def people_in(
    frame: int, time_s: float, rows: Tracks, skeleton: Skeleton, *, raw: bool = False
) -> PeopleInFrame:
    """The people that some rows of one frame describe."""
    landmarks = rows.raw if raw else rows.smoothed
    return PeopleInFrame(
        frame=frame,
        time_s=time_s,
        landmark_names=skeleton.landmarks,
        track_id=rows.track_id,
        score=rows.score,
        box=rows.bbox,
        filled=rows.filled,
        landmarks=landmarks,
        world=rows.raw_world if raw else rows.smoothed_world,
        keypoints=coco_keypoints(landmarks, skeleton)[:, :, :3],
    )


def draw(rgb: NDArray[np.uint8], people: PeopleInFrame) -> NDArray[np.uint8]:
    """A copy of a picture with the skeletons of its people, as `annotate draw` draws them.

    Args:
        rgb: (H, W, 3) uint8, the displayed frame.
        people: of that frame.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UsageError: the picture has another shape or type.
    """
    check_picture(rgb)
    labels = [
        str(track) if filled else f"{track}: {score:.0%}"
        for track, score, filled in zip(people.track_id, people.score, people.filled, strict=True)
    ]
    return draw_poses(
        np.ascontiguousarray(rgb),
        people.keypoints[:, :, :2],
        people.keypoints[:, :, 2],
        people.track_id.tolist(),
        labels=labels,
        filled=people.filled,
        limbs="track",
    )


def check_picture(rgb: NDArray[np.uint8]) -> None:
    """Checks the shape and type of a picture.

    Raises:
        UsageError: they are not (H, W, 3) and uint8.
    """
    shape: tuple[int, ...] = getattr(rgb, "shape", ())
    dtype = getattr(rgb, "dtype", type(rgb).__name__)
    if dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or 0 in shape:
        raise UsageError(
            f"a picture is an array (height, width, 3) of uint8, not {tuple(shape)} of {dtype}",
            "OpenCV's pictures are BGR: give `bgr[:, :, ::-1]`. PyAV's frames have "
            "`to_ndarray(format='rgb24')`.",
        )
