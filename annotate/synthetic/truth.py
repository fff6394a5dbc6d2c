"""The truth of every frame of a scene: people's landmarks, boxes and what is hidden."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.skeleton import SKELETONS
from annotate.synthetic.camera import CameraView
from annotate.synthetic.raster import CENTRE
from annotate.synthetic.render import NO_HIT, Renderer, Sight
from annotate.synthetic.scene import Scene

OUTSIDE, HIDDEN, VISIBLE = 0, 1, 2

# Where each landmark of the skeleton is on the body, and how deep it lies in the flesh, in
# statures: a surface that is nearer to the camera than that hides it.
SKELETON = SKELETONS["blazepose-33"]
_FACE = (
    *(("nose", 0.025), ("left_eye_inner", 0.02), ("left_eye", 0.02), ("left_eye_outer", 0.02)),
    *(("right_eye_inner", 0.02), ("right_eye", 0.02), ("right_eye_outer", 0.02)),
    *(("left_ear", 0.035), ("right_ear", 0.035)),
    *(("left_mouth_corner", 0.02), ("right_mouth_corner", 0.02)),
)
_BOTH_SIDES = (
    *(("shoulder", 0.065), ("elbow", 0.04), ("wrist", 0.035)),
    *(("pinky", 0.03), ("index", 0.03), ("thumb", 0.03)),
    *(("hip", 0.12), ("knee", 0.055), ("ankle", 0.045), ("heel", 0.035), ("toe", 0.035)),
)
_COCO = np.array(SKELETON.coco17, np.int64)
LANDMARKS = _FACE + tuple(
    (f"{side}_{name}", depth) for name, depth in _BOTH_SIDES for side in ("left", "right")
)


@dataclass(frozen=True, eq=False)
class SceneTruth:
    """F frames, P people in the order of the scene; pixels of the displayed frame.

    Attributes:
        width, height: of the picture in pixels.
        time_s: (F,) float64, presentation time of every frame in seconds.
        landmarks: (F, P, 33, 2) float32: BlazePose's landmarks, wherever they are; NaN behind
            the camera.
        landmark_visible: (F, P, 33) uint8: 0 outside the picture, 1 in it but hidden by another
            person, a pillar or the own body, 2 visible.
        bbox: (F, P, 4) float32: x, y, width, height of the silhouette, hidden parts included, as
            far as it is in the picture; zeros where none of it is.
        area: (F, P) int64 pixels of that silhouette.
        visible_area: (F, P) int64 pixels of it that are visible.
        stature_px: (F, P) float32: from floor to crown, standing upright, also beyond the
            picture's edge; NaN behind the camera.
    """

    width: int
    height: int
    time_s: NDArray[np.float64]
    landmarks: FloatArray
    landmark_visible: NDArray[np.uint8]
    bbox: FloatArray
    area: NDArray[np.int64]
    visible_area: NDArray[np.int64]
    stature_px: FloatArray

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def keypoints(self) -> FloatArray:
        """(F, P, 17, 2) float32: the keypoints of COCO."""
        return self.landmarks[:, :, _COCO]

    @property
    def visible(self) -> NDArray[np.uint8]:
        """(F, P, 17) uint8 in {0, 1, 2}: `landmark_visible` of COCO's keypoints."""
        return self.landmark_visible[:, :, _COCO]


@dataclass(frozen=True, eq=False)
class Observation:
    """One frame of `SceneTruth`: the same fields without the first axis."""

    landmarks: FloatArray
    landmark_visible: NDArray[np.uint8]
    bbox: FloatArray
    area: NDArray[np.int64]
    visible_area: NDArray[np.int64]
    stature_px: FloatArray


def truth(scene: Scene) -> SceneTruth:
    """The truth of all frames of `scene`, without drawing them."""
    renderer = Renderer(scene)
    return gathered(
        scene, [observe(renderer, index, renderer.sight(index)) for index in range(len(scene))]
    )


def gathered(scene: Scene, observations: list[Observation]) -> SceneTruth:
    """The observations of all frames of `scene`, in order, as one."""
    stacked = {
        field.name: np.stack([getattr(seen, field.name) for seen in observations])
        for field in fields(Observation)
    }
    return SceneTruth(scene.width, scene.height, scene.frame_times(), **stacked)


def observe(renderer: Renderer, index: int, sight: Sight) -> Observation:
    """The truth of frame `index`, of which `sight` is what it shows."""
    view = sight.view
    points = np.array([[b.points[name][index] for name, _ in LANDMARKS] for b in renderer.bodies])
    in_camera = view.to_camera(points.reshape(-1, len(LANDMARKS), 3))
    landmarks = view.to_pixels(in_camera)
    stature = np.array([person.stature_m for person in renderer.scene.people], np.float32)
    flesh = stature[:, None] * np.array([depth for _, depth in LANDMARKS], np.float32)
    front = sight.front()
    bbox, area = _silhouettes(sight, len(stature))
    return Observation(
        landmarks=landmarks,
        landmark_visible=_visibility(landmarks, in_camera[..., 2] - flesh, front, sight),
        bbox=bbox,
        area=area,
        visible_area=_owned(front, sight, len(stature)),
        stature_px=_stature_px(renderer, index, view),
    )


def _visibility(
    landmarks: FloatArray, depth: FloatArray, front: NDArray[np.int32], sight: Sight
) -> NDArray[np.uint8]:
    """(P, 33) 0, 1 or 2: hidden is what lies behind a surface nearer than `depth`."""
    view = sight.view
    size = np.array([view.width, view.height])
    inside = ((landmarks >= 0) & (landmarks < size)).all(axis=-1)
    column, row = np.minimum(np.rint(landmarks[inside]).astype(np.int64), size - 1).T
    pixel = row * view.width + column
    surface = np.append(sight.hits.depth, np.float32(np.inf))[front[pixel]]
    visible = np.full(inside.shape, OUTSIDE, np.uint8)
    visible[inside] = np.where(surface < depth[inside], HIDDEN, VISIBLE)
    return visible


def _silhouettes(sight: Sight, people: int) -> tuple[FloatArray, NDArray[np.int64]]:
    """Boxes (P, 4) and areas (P,) of all that would be seen of each person alone."""
    bbox, area = np.zeros((people, 4), np.float32), np.zeros(people, np.int64)
    centre_hit = sight.hits.cover >= CENTRE
    owner = sight.owner[sight.hits.solid]
    for person in range(people):
        pixel = np.unique(sight.hits.pixel[centre_hit & (owner == person)])
        if len(pixel):
            row, column = np.divmod(pixel, sight.view.width)
            left, top = column.min(), row.min()
            bbox[person] = left, top, column.max() + 1 - left, row.max() + 1 - top
            area[person] = len(pixel)
    return bbox, area


def _owned(front: NDArray[np.int32], sight: Sight, people: int) -> NDArray[np.int64]:
    """(P,) pixels that show each person."""
    hits = front[front != NO_HIT]
    return np.bincount(sight.owner[sight.hits.solid[hits]], minlength=people + 1)[:people]


def _stature_px(renderer: Renderer, index: int, view: CameraView) -> FloatArray:
    """(P,) pixels from the floor under each person to the height of the crown."""
    ends = np.array(
        [
            [(x, 0, z), (x, person.stature_m, z)]
            for person, body in zip(renderer.scene.people, renderer.bodies, strict=True)
            for x, _, z in [body.points["origin"][index]]
        ],
        np.float32,
    ).reshape(-1, 2, 3)
    pixels = view.to_pixels(view.to_camera(ends))
    height: FloatArray = pixels[:, 0, 1] - pixels[:, 1, 1]
    return height
