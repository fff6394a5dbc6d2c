"""The images that a dataset names, decoded from its videos."""

from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from annotate.domain.errors import OutputError, UsageError
from annotate.domain.job import Job
from annotate.domain.progress import Progress
from annotate.domain.settings import Settings
from annotate.domain.video import Chunk
from annotate.formats.base import Dataset, DatasetVideo
from annotate.formats.names import image_name
from annotate.numeric.ranges import runs_of
from annotate.store import Store
from annotate.store.source_video import local_source
from annotate.use_cases.output import output_folder
from annotate.video import Reading, decode

# Of JPEG and WebP, a quality in percent at which artefacts of compression are hardly seen; other
# kinds lose nothing. For each image OpenCV complains about what its kind does not know.
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95]
_QUALITY = {".jpg": _JPEG, ".jpeg": _JPEG, ".webp": [cv2.IMWRITE_WEBP_QUALITY, 95]}

# The largest width and height in pixels: of the format WebP, and of the library that writes JPEG.
_LARGEST_SIDE = {".webp": 16_383, ".jpg": 65_500}


def check_sizes(dataset: Dataset) -> None:
    """Checks that the images can be written as the dataset names them.

    Raises:
        UsageError: a video is too large for the kind of images.
    """
    for video in dataset.videos:
        largest = _LARGEST_SIDE.get(video.image_ending)
        if largest is not None and max(video.width, video.height) > largest:
            raise UsageError(
                f"{video.image_ending} images have at most {largest:,} pixels a side, and "
                f"{video.name} has {video.width}x{video.height}",
                "Give --image-format png.",
            )


def write_images(
    store: Store,
    job: Job,
    dataset: Dataset,
    out: Path,
    settings: Settings,
    *,
    force: bool,
    progress: Progress,
) -> None:
    """Writes `VIDEO/frame_000123.jpg` for each frame that was processed; the folder appears whole.

    Raises:
        UsageError: the folder holds something else.
        VideoError: a video is not the one that was submitted.
        HostError: a video cannot be read now.
        OutputError: an image cannot be written.
    """
    with output_folder(out, force=force) as folder:
        for video in dataset.videos:
            _write_video(store, job, video, folder, settings, progress)


def _write_video(
    store: Store,
    job: Job,
    video: DatasetVideo,
    folder: Path,
    settings: Settings,
    progress: Progress,
) -> None:
    of_job = job.videos[video.id - 1]
    index = store.read_index(of_job.fingerprint, job.recipe.selection)
    count, label = max(int((~video.missing).sum()), 1), f"Images of {video.name}"
    (folder / PurePosixPath(video.folder)).mkdir(parents=True, exist_ok=True)
    quality = _QUALITY.get(video.image_ending.lower(), [])
    done, reading = 0, Reading(threads=0, limits=settings.limits)
    with local_source(store, settings, of_job, index, lambda _done, _all: None) as path:
        # Damage lies in frames that were not processed; those between it are decoded one by one.
        for start, stop in runs_of(~video.missing):
            chunk = Chunk(start, stop)
            for frame in decode(path, index, chunk, asked=video.frames, reading=reading):
                target = folder / image_name(video.folder, frame.index, video.image_ending)
                bgr = np.ascontiguousarray(frame.rgb[:, :, ::-1])
                if not cv2.imwrite(str(target), bgr, quality):
                    raise OutputError(f"cannot write {target}", "Make room, or name another place.")
                done += 1
                progress(label, done / count)
