"""The exact two-stage pipeline over one frame and over a chunk's frames."""

from collections.abc import Iterable

import numpy as np

from annotate.domain import FloatArray, Frame, Poses, VideoIndex
from annotate.geometry import apply_affine, crop_to_picture, letterbox_roi, rois_from_points
from annotate.inference import Models
from annotate.pipeline.crops import Maps, crop, sampling, to_range
from annotate.pipeline.detector import Detections, anchor_centres, decode_detections, suppress
from annotate.pipeline.landmarks import COLUMNS, decode_landmarks, refine, to_picture

FramePoses = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


class PoseEstimator:
    """Every person in a frame: detector, ROI, crop, landmark model.

    Keeps no state from frame to frame that could change an answer, so that none depends on where
    a chunk begins.
    """

    def __init__(self, models: Models) -> None:
        self._models = models
        self._anchors = anchor_centres(models.pack.detector)
        self._letterboxes: dict[tuple[int, ...], Maps] = {}

    @property
    def provider(self) -> str:
        """The execution provider that runs the models."""
        return self._models.provider

    def detect(self, rgb: np.ndarray) -> Detections:
        """Stage 1 on the whole picture; boxes and points in pixels of the picture."""
        spec = self._models.pack.detector
        height, width = rgb.shape[:2]
        square = letterbox_roi(width, height)
        maps = self._letterboxes.get(rgb.shape)
        if maps is None:
            maps = self._letterboxes[rgb.shape] = sampling(square, spec.size)
        image = to_range(crop(rgb, maps, "zero"), spec.value_range)
        outputs = self._models.detector.run(image)
        boxes = np.concatenate([o[0] for o in outputs[: len(spec.boxes)]])
        logits = np.concatenate([o.reshape(-1) for o in outputs[len(spec.boxes) :]])
        found = suppress(decode_detections(boxes, logits, self._anchors, spec), spec)
        place = crop_to_picture(square, 1)
        corners = apply_affine(place, found.box.reshape(-1, 2, 2)).reshape(-1, 4)
        return Detections(found.score, corners, apply_affine(place, found.points))

    def landmarks(self, rgb: np.ndarray, roi: FloatArray) -> tuple[FloatArray, float]:
        """Stage 2 on one ROI.

        Returns:
            (m, 5) float32 landmarks in pixels of the picture, auxiliary ones included, and the
            probability that the ROI holds a person.
        """
        spec = self._models.pack.landmark
        image = to_range(crop(rgb, sampling(roi, spec.size), spec.border), spec.value_range)
        raw, flag, *heatmap = self._models.landmark.run(image)
        landmarks = decode_landmarks(raw, spec)
        if heatmap:
            landmarks = refine(landmarks, heatmap[0][0], spec)
        return to_picture(landmarks, roi, spec.size), float(flag.reshape(-1)[0])

    def poses(self, rgb: np.ndarray) -> FramePoses:
        """Everyone in one picture, in descending order of detection score.

        Args:
            rgb: (H, W, 3) uint8.

        Returns:
            The columns detection_score (n,), score (n,), roi (n, 4), landmarks (n, L, 5) of
            `annotate.domain.Poses`.
        """
        stage_1, stage_2 = self._models.pack.detector, self._models.pack.landmark
        found = self.detect(rgb)
        rois = rois_from_points(
            found.points[:, stage_1.roi_centre], found.points[:, stage_1.roi_tip], stage_1.roi_scale
        )
        kept, scores, landmarks = [], [], []
        for row, roi in enumerate(rois):
            placed, flag = self.landmarks(rgb, roi)
            if flag >= stage_2.min_flag:
                kept.append(row)
                scores.append(flag)
                landmarks.append(placed[: stage_2.count])
        shape = (len(kept), stage_2.count, len(COLUMNS))
        return (
            found.score[kept],
            np.array(scores, np.float32),
            rois[kept],
            np.array(landmarks, np.float32).reshape(shape),
        )

    def run(self, frames: Iterable[Frame], index: VideoIndex) -> Poses:
        """The poses of consecutive frames of the video that `index` describes."""
        frame_index, rows = [], []
        for frame in frames:
            frame_index.append(frame.index)
            rows.append(self.poses(frame.rgb))
        detection_score, score, roi, landmarks = (
            np.concatenate(column) for column in zip(*rows, strict=True)
        )
        return Poses(
            frame_index=np.array(frame_index, np.int64),
            pts=index.pts[frame_index],
            time_s=index.time_s[frame_index],
            offsets=np.cumsum([0, *(len(row[0]) for row in rows)], dtype=np.int64),
            detection_score=detection_score,
            score=score,
            roi=roi,
            landmarks=landmarks,
        )
