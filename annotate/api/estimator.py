"""Poses of pictures that are in memory, without a store, a queue or a file."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotate.api.people import PeopleInFrame, check_picture, people_in
from annotate.domain.errors import UsageError
from annotate.domain.merge_settings import MergeSettings, TrackerSettings
from annotate.domain.options import SubmitOptions
from annotate.domain.pack import read_pack
from annotate.domain.progress import Progress, silent
from annotate.domain.settings import Provider, settings_from
from annotate.domain.skeleton import SKELETONS
from annotate.domain.tracks import Tracks
from annotate.domain.video import Frame, VideoIndex
from annotate.merge.merge import merge
from annotate.numeric.rgb_picture import RgbPicture
from annotate.pipeline import PoseEstimator as Pipeline
from annotate.use_cases.draw import FramePeople
from annotate.use_cases.find_pack import find_pack
from annotate.use_cases.load_models import models_of
from annotate.use_cases.submit import recipe_of

_DEFAULTS = SubmitOptions()
# Times are kept in units so fine.
_TIME_BASE = Fraction(1, 1_000_000)


class PoseEstimator:
    """The models of a pack, loaded in this process, and all that `annotate submit` does with them.

    Loading takes about a second: make one and keep it. It uses one core; for long videos
    `annotate.submit` uses all of them and remembers what is done.

        estimator = annotate.PoseEstimator()
        people = estimator.poses(rgb)
        for frame, people in zip(frames, estimator.track(frames, fps=30), strict=True):
            shown = annotate.draw(frame, people)

    Args:
        options: `pack`, `people`, `detect_every`, `rotations`, `precision` (`float` or `bf16`, not
            tried first) and `smooth` count; None is the defaults.
        provider: what runs the models, as `--provider` has it; None is `ANNOTATE_PROVIDER`, or the
            CPU or a proven accelerator.
        progress: called while the default pack is fetched.

    Raises:
        PackError: there is no such pack, or it is damaged, or the default one cannot be fetched.
        ProviderError: the provider cannot run the models.
        UsageError: the pack needs the detector on every frame, or turns crops itself; or
            `precision` is `int8`.
    """

    def __init__(
        self,
        options: SubmitOptions = _DEFAULTS,
        *,
        provider: Provider | None = None,
        progress: Progress = silent,
    ) -> None:
        settings = settings_from()
        settings = replace(settings, provider=provider or settings.provider)
        if options.precision == "int8":
            raise UsageError(
                "PoseEstimator has no videos to make 8-bit models for",
                "Make them with `annotate models quantize`, and name their pack.",
            )
        folder = find_pack(settings.packs, options.pack, progress)
        pack = read_pack(folder)
        recipe = recipe_of(pack, options, options.precision)
        models = models_of(folder, settings, recipe.precision)
        self._pipeline = Pipeline(
            models,
            people=recipe.people,
            detect_every=recipe.detect_every,
            rotations=recipe.rotations,
        )
        self._skeleton = SKELETONS[pack.skeleton]
        self._world_axes = pack.landmark.world_axes
        tracker = TrackerSettings(min_start_score=pack.landmark.min_start_score)
        self._merge = MergeSettings(smooth_hz=options.smooth, tracker=tracker)

    @property
    def landmark_names(self) -> tuple[str, ...]:
        """Names of the landmarks, in the model's order."""
        return self._skeleton.landmarks

    @property
    def provider(self) -> str:
        """What runs the models: `cpu`, `qnn`, or another accelerator."""
        return self._pipeline.provider

    def poses(self, rgb: NDArray[np.uint8]) -> PeopleInFrame:
        """The people of one picture, numbered from left to right.

        Args:
            rgb: (H, W, 3) uint8.

        Raises:
            UsageError: the picture has another shape or type.
        """
        (people,) = self.track([rgb], fps=1)
        return people

    def track(
        self,
        frames: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
        *,
        fps: float | None = None,
        time_s: ArrayLike | None = None,
    ) -> list[PeopleInFrame]:
        """The people of consecutive frames, tracked and smoothed, as a job gives them.

        They are equal with `people="near", detect_every=1`. Otherwise a job samples the planes of
        the video, not RGB, and landmarks differ a little.

        Args:
            frames: N pictures (H, W, 3) uint8 RGB of one size, or one array of them.
            fps: frames a second, where they are evenly spaced in time.
            time_s: instead, (N,) seconds of the frames, increasing by a microsecond at least.

        Returns:
            N entries, one for each frame.

        Raises:
            UsageError: a frame has another shape, size or type, or the times do not fit.
        """
        if not len(frames):
            return []
        index = _index_of(frames, _times(len(frames), fps, time_s))
        poses = self._pipeline.run(_frames(frames, index), index)
        size = (index.width, index.height)
        found = FramePeople(merge([poses], self._merge, self._skeleton, size))
        empty = Tracks.none(len(self._skeleton.landmarks), self._world_axes)
        return [
            people_in(frame, time, found.at(frame) or empty, self._skeleton)
            for frame, time in enumerate(index.time_s.tolist())
        ]


def _times(count: int, fps: float | None, time_s: ArrayLike | None) -> NDArray[np.float64]:
    """(N,) float64 seconds."""
    if (fps is None) == (time_s is None):
        raise UsageError("give fps or time_s, and not both", "For example: fps=30.")
    if fps is not None:
        if not 0 < fps <= 1 / _TIME_BASE:
            raise UsageError(f"fps cannot be {fps}", "Give frames a second, e.g. 29.97.")
        return np.arange(count) / fps
    times = np.asarray(time_s, np.float64)
    if times.shape != (count,) or not (np.diff(times) >= float(_TIME_BASE)).all():
        raise UsageError(
            f"time_s: expected {count} increasing seconds, one for each frame",
            "Give (N,) numbers.",
        )
    return times


def _index_of(
    frames: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], time_s: NDArray[np.float64]
) -> VideoIndex:
    check_picture(frames[0])
    height, width = frames[0].shape[:2]
    return VideoIndex(
        fingerprint="",
        size_bytes=0,
        codec="rawvideo",
        width=width,
        height=height,
        rotation=0,
        time_base=_TIME_BASE,
        pts=np.round(time_s / float(_TIME_BASE)).astype(np.int64),
        keyframes=np.zeros(1, np.int64),
        declared_frames=None,
    )


def _frames(
    frames: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], index: VideoIndex
) -> Iterator[Frame]:
    for number, rgb in enumerate(frames):
        check_picture(rgb)
        if rgb.shape[:2] != (index.height, index.width):
            raise UsageError(
                f"frame {number} is {rgb.shape[1]} x {rgb.shape[0]}, and the first one "
                f"{index.width} x {index.height}",
                "Give frames of one size.",
            )
        yield Frame(number, int(index.pts[number]), RgbPicture(rgb))
