"""Takes crops from the user's videos, as inputs for calibrating and judging a pack's models."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.errors import UsageError
from annotate.domain.model_spec import DetectorSpec
from annotate.domain.progress import Progress
from annotate.domain.video import Chunk, Frame, VideoIndex
from annotate.inference import Models
from annotate.numeric.geometry import letterbox_roi
from annotate.pipeline import PoseEstimator
from annotate.pipeline.crops import model_crop
from annotate.video import decode, probe


@dataclass(frozen=True, eq=False)
class Crops:
    """Inputs of the two models: each (height, width, 3) float32 RGB in the model's range.

    Attributes:
        detector: whole frames, letterboxed.
        landmark: people, each in the ROI that the pipeline gives them.
        person_detector: whole frames, if the pack has such a model.
    """

    detector: list[FloatArray] = field(default_factory=list)
    landmark: list[FloatArray] = field(default_factory=list)
    person_detector: list[FloatArray] = field(default_factory=list)

    def of(self, stage: str) -> list[FloatArray]:
        """The crops for a stage of the pack."""
        crops: list[FloatArray] = getattr(self, stage)
        return crops


def take_crops(
    videos: Sequence[Path], models: Models, frames: int, progress: Progress
) -> tuple[Crops, Crops]:
    """Crops of about `frames` frames, spread over the videos.

    Returns:
        The crops for calibration, and the held-out crops for judging: those of the last third of
        each video.

    Raises:
        UsageError: one of the two parts shows no person.
        VideoError: a video cannot be read.
    """
    calibration, held_out = Crops(), Crops()
    each = max(3, -(-frames // len(videos)))
    # With `detect_every` above 1 the ROIs are those of frame tracking, as in real runs.
    estimator = PoseEstimator(models, detect_every=2 if models.pack.carries_people else 1)
    for count, path in enumerate(videos):
        index = probe(path)
        total = min(each, len(index))
        for number, frame in enumerate(_spread(path, index, total)):
            progress(f"Taking crops from {path.name}", (count + number / total) / len(videos))
            _add_crops(
                calibration if number < total * 2 // 3 else held_out, frame, estimator, models
            )
    if not calibration.landmark or not held_out.landmark:
        raise UsageError(
            "no person is found in the frames taken from the videos",
            "Name videos that show people from beginning to end.",
        )
    return calibration, held_out


def _add_crops(crops: Crops, frame: Frame, estimator: PoseEstimator, models: Models) -> None:
    width, height = frame.picture.size
    for stage, spec in models.pack.stages.items():
        if isinstance(spec, DetectorSpec):
            whole = letterbox_roi(width, height, spec.size, spec.padding)
            crops.of(stage).append(model_crop(frame.picture, whole, spec))
    for roi in estimator.poses(frame.rgb).roi:
        crops.landmark.append(model_crop(frame.picture, roi, models.pack.landmark))


def _spread(path: Path, index: VideoIndex, count: int) -> Iterator[Frame]:
    """About `count` frames from beginning to end: keyframes if there are enough of them, since they
    decode fast.
    """
    if len(index.keyframes) >= count:
        for at in _evenly(index.keyframes.tolist(), count):
            yield from decode(path, index, Chunk(at, at + 1))
        return
    wanted = set(_evenly(range(len(index)), count))
    for frame in decode(path, index, Chunk(0, len(index))):
        if frame.index in wanted:
            yield frame


def _evenly(values: Iterable[int], count: int) -> list[int]:
    listed = list(values)
    places = np.linspace(0, len(listed) - 1, min(count, len(listed))).round().astype(int)
    return [listed[place] for place in places]
