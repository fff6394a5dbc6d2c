"""Bursts of consecutive frames from the user's videos, on which cheaper arithmetic is tried."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.model_spec import DetectorSpec, LandmarkSpec
from annotate.domain.names import printable
from annotate.domain.picture import Picture
from annotate.domain.progress import Progress
from annotate.domain.video import Chunk, Frame, VideoIndex
from annotate.inference import Models
from annotate.numeric.geometry import letterbox_roi
from annotate.pipeline import PoseEstimator
from annotate.pipeline.calibration_crops import Crops
from annotate.pipeline.crops import model_crop
from annotate.pipeline.decoders import landmark_decoder
from annotate.pipeline.fidelity import Outputs
from annotate.video import decode

# Frames of a burst: three points make a second difference.
BURST = 3
# The part of each video that bursts are taken from begins here: what comes before may have
# calibrated 8-bit models.
_BEGIN = 2 / 3


def take_bursts(
    videos: Sequence[tuple[Path, VideoIndex]], models: Models, count: int, progress: Progress
) -> Crops:
    """Crops of about `count` bursts, spread over the last third of each video.

    Args:
        videos: files and their indexes.

    Returns:
        Of the detectors every frame; of the landmark model every person of a burst's middle frame,
        `BURST` crops of each in a row, in the same ROI.

    Raises:
        VideoError: a video cannot be read.
    """
    crops = Crops()
    each = -(-count // len(videos))
    estimator = PoseEstimator(models, detect_every=2 if models.pack.carries_people else 1)
    for number, (path, index) in enumerate(videos):
        for place, frames in enumerate(_bursts(path, index, each)):
            progress(
                f"Trying the models on {printable(path.name)}",
                (number + place / each) / len(videos),
            )
            _add(crops, frames, estimator, models)
    return crops


def jitter(spec: LandmarkSpec, outputs: Sequence[Outputs]) -> float:
    """The median second difference of landmarks over the frames of bursts, as a fraction of the
    crop's side; NaN where no person is in all frames of a burst.

    Args:
        outputs: of the landmark model for the crops of `take_bursts`.
    """
    decoder = landmark_decoder(spec)
    found = [decoder.decode(one) for one in outputs]
    steps = []
    for at in range(0, len(found), BURST):
        burst = found[at : at + BURST]
        if all(one.score >= spec.min_score for one in burst):
            places = np.stack([one.landmarks[: spec.count, :2] for one in burst])
            steps.append(np.linalg.norm(np.diff(places, 2, axis=0)[0], axis=1))
    return float(np.median(steps)) / max(spec.size) if steps else float("nan")


def _bursts(path: Path, index: VideoIndex, count: int) -> Iterator[Sequence[Frame]]:
    last = len(index) - BURST
    if last < 0:
        return
    for at in np.unique(np.linspace(last * _BEGIN, last, count).astype(int)).tolist():
        frames = list(decode(path, index, Chunk(at, at + BURST)))
        if len(frames) == BURST:  # else one is damaged
            yield frames


def _add(crops: Crops, frames: Sequence[Frame], estimator: PoseEstimator, models: Models) -> None:
    pictures = [frame.picture for frame in frames]
    width, height = pictures[0].size
    for stage, spec in models.pack.stages.items():
        if isinstance(spec, DetectorSpec):
            whole = letterbox_roi(width, height, spec.size, spec.padding)
            crops.of(stage).extend(_crop(pictures, whole, spec))
    for roi in estimator.poses(pictures[BURST // 2].rgb).roi:
        crops.landmark.extend(_crop(pictures, roi, models.pack.landmark))


def _crop(
    pictures: Sequence[Picture], roi: FloatArray, spec: DetectorSpec | LandmarkSpec
) -> list[FloatArray]:
    return [model_crop(picture, roi, spec) for picture in pictures]
