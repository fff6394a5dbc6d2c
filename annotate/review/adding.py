"""A person that the models missed: the landmark model on a place that a reviewer points at, then
from frame to frame forwards and backwards.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.changes import AddPoses, TrackRef
from annotate.domain.errors import EditError
from annotate.domain.job import Job
from annotate.domain.merge_settings import MergeSettings
from annotate.domain.model_spec import DetectorSpec
from annotate.domain.pack import Pack, read_pack
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.roi_rules import RoiFromBox
from annotate.domain.settings import Settings
from annotate.domain.skeleton import SKELETONS, coco_keypoints
from annotate.domain.tracks import Tracks
from annotate.domain.video import Chunk, Frame, VideoIndex
from annotate.edits.added import packed
from annotate.merge.pose_table import boxes, pose_scores
from annotate.numeric.geometry import box_iou, rois_from_boxes, rois_from_points
from annotate.packs.installed import verify_pack
from annotate.store import Store
from annotate.video import decode

if TYPE_CHECKING:
    from annotate.pipeline.landmark_stage import LandmarkStage

# A person is followed so many frames in each direction at most.
MAX_FRAMES = 90
# From hips to the top of the head is this fraction of the radius of the circle that holds a body.
_HEAD_OF_RADIUS = 0.72
# Margin about that circle, as the BlazePose detector's.
_MARGIN = 1.25
# The most bytes of pictures that are in memory at once.
_MOST_BYTES = 400_000_000
# A pose whose box overlaps another track's so much (intersection over union) is that track's.
_SAME_BODY = 0.6


@dataclass(frozen=True, eq=False)
class Pointed:
    """Where a reviewer says that a person is.

    Attributes:
        points: (2, 2) float32 pixels: the middle of the hips and the top of the head, or two
            opposite corners of a box around the person.
        is_box: which of these.
    """

    points: FloatArray
    is_box: bool

    def roi(self, spec: DetectorSpec, size: tuple[int, int]) -> FloatArray:
        """(4,) float32: where the landmark model, with an input of `size`, looks."""
        first, second = self.points
        if self.is_box:
            box = np.concatenate([self.points.min(axis=0), self.points.max(axis=0)])
            scale = spec.roi.scale if isinstance(spec.roi, RoiFromBox) else _MARGIN
            upright: FloatArray = rois_from_boxes(box[None], size, scale)[0]
            return upright
        tip = first + (second - first) / np.float32(_HEAD_OF_RADIUS)
        turned: FloatArray = rois_from_points(first[None], tip[None], _MARGIN)[0]
        return turned


class PersonFinder:
    """Runs the landmark model of a job's pack, which is loaded when it is first needed."""

    def __init__(self, store: Store, settings: Settings, job: Job) -> None:
        self._store, self._settings, self._job = store, settings, job
        self._lock = threading.Lock()

    def find(
        self,
        path: Path,
        index: VideoIndex,
        others: Tracks,
        start: int,
        pointed: Pointed,
        *,
        alone: bool = False,
    ) -> "Found":
        """The poses of a person from a frame on, in both directions.

        Args:
            path, index: of the video.
            others: poses near the frame; following ends where it comes to one of them.
            start: the frame that the reviewer points in.
            pointed: where.
            alone: in that frame only.

        Raises:
            EditError: the model finds no person there.
        """
        with self._lock:
            deinterlace = self._job.recipe.deinterlace
            frames = partial(decode, path, index, deinterlace=deinterlace)
            roi = pointed.roi(self._pack.detector, self._pack.landmark.size)
            found: dict[int, tuple[float, FloatArray, FloatArray]] = {}
            roi_next = self._follow(frames(Chunk(start, start + 1)), start, roi, None, found)
            if roi_next is not None and not alone:
                last, first = min(len(index), start + 1 + MAX_FRAMES), max(0, start - MAX_FRAMES)
                if start + 1 < last:
                    later = frames(Chunk(start + 1, last))
                    self._follow(later, start + 1, roi_next, others, found)
                earlier = _backwards(frames, first, start, index)
                self._follow(earlier, start - 1, roi_next, others, found)
        if start not in found:
            raise EditError(
                "the model sees no person there",
                "Draw a box around the whole person, or click hips and head.",
            )
        return Found(found)

    def _follow(
        self,
        frames: Iterable[Frame],
        number: int,
        roi: FloatArray,
        others: Tracks | None,
        found: dict[int, tuple[float, FloatArray, FloatArray]],
    ) -> FloatArray | None:
        """Looks in one frame after the other; returns the ROI for the next one, if there is one.

        Args:
            frames: forwards or backwards, from the frame `number`; a damaged one is not there.
        """
        from annotate.pipeline.detector_pass import Candidate
        from annotate.pipeline.landmark_stage import CropRequest

        stage, following = self._stage, None
        for count, frame in enumerate(frames):
            if abs(frame.index - number) != count:  # one between is damaged
                break
            request = CropRequest(frame.picture, Candidate(1.0, roi), fresh=others is None)
            pose = stage.poses([request])[0]
            if pose is None:
                break
            landmarks, world = stage.body([pose]), stage.world([pose])
            if others is not None and _is_another(landmarks, others, frame.index):
                break
            keypoints = coco_keypoints(landmarks, SKELETONS[self._pack.skeleton])
            settings = MergeSettings().pose
            flag = np.array([pose.score], np.float32)
            score = float(pose_scores(keypoints, flag, settings.min_visibility)[0])
            found[frame.index] = (score, landmarks, world)
            following = pose.next_roi
            if following is None:
                break
            roi = following
        return following

    @cached_property
    def _folder(self) -> Path:
        folder = self._store.pack_folder(self._job.recipe.pack, self._settings.cache / "packs")
        verify_pack(folder)
        return folder

    @cached_property
    def _pack(self) -> Pack:
        return read_pack(self._folder)

    @cached_property
    def _stage(self) -> "LandmarkStage":
        from annotate.inference import load_models
        from annotate.pipeline.landmark_stage import LandmarkStage

        models = load_models(self._pack, self._folder, provider="cpu")
        rotations = self._job.recipe.rotations
        return LandmarkStage(models, PipelineSettings(), looks_twice=True, rotations=rotations)


class Found:
    """Poses of one person, by frame."""

    def __init__(self, poses: dict[int, tuple[float, FloatArray, FloatArray]]) -> None:
        self._poses = dict(sorted(poses.items()))

    def __len__(self) -> int:
        return len(self._poses)

    def change(self, track: TrackRef | None, made: int | None) -> AddPoses:
        """The edit that adds them to a track, or as a track of their own with the id `made`."""
        scores, landmarks, world = zip(*self._poses.values(), strict=True)
        points, metres = np.concatenate(landmarks), np.concatenate(world)
        return AddPoses(
            track=track,
            made=made,
            frames=tuple(self._poses),
            scores=tuple(round(score, 4) for score in scores),
            landmarks=points.shape[1],
            axes=metres.shape[2],
            data=packed(np.concatenate([points, metres], axis=2)),
        )


def _backwards(
    frames: Callable[[Chunk], Iterable[Frame]], first: int, stop: int, index: VideoIndex
) -> Iterator[Frame]:
    """The frames before `stop` down to `first`, of which a few are in memory at a time."""
    at_once = max(1, _MOST_BYTES // (3 * index.width * index.height))
    for end in range(stop, first, -at_once):
        yield from reversed([*frames(Chunk(max(first, end - at_once), end))])


def _is_another(landmarks: FloatArray, others: Tracks, frame: int) -> bool:
    """Whether a pose (1, L, 5) lies on one that a track has in the frame."""
    there = others.bbox[others.frame_index == frame]
    if not len(there):
        return False
    corners = np.hstack([there[:, :2], there[:, :2] + there[:, 2:]])
    box = boxes(landmarks, MergeSettings().pose)[0]
    return bool((box_iou(corners, box) > _SAME_BODY).any())
