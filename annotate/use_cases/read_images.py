"""Reads numbered images: they are joined into a video, which is filed in the store as its bytes."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path

from annotate.domain.digests import digest_of
from annotate.domain.errors import StoreError
from annotate.domain.images import ImageSequence
from annotate.domain.options import SubmitOptions
from annotate.domain.progress import ByteProgress
from annotate.domain.settings import Settings
from annotate.domain.video import VideoIndex
from annotate.store.known_files import state_of
from annotate.video import JOIN_VERSION, joined
from annotate.video.clock import DEFAULT_FPS

# Seconds since its last write after which a file counts as what a killed process left.
LEFT_BEHIND_S = 24 * 3600.0


def rate_of(options: SubmitOptions) -> Fraction:
    """Frames per second of images, which have no times."""
    if options.assume_fps is None:
        return DEFAULT_FPS
    return Fraction(options.assume_fps).limit_denominator(1001)


def version_of(images: ImageSequence, rate: Fraction) -> str | None:
    """64 hex digits that change when an image is written, or another one comes; None while a change
    may not show, since one was touched within the last seconds.

    Raises:
        HostError: an image is away.
    """
    states = [state_of(path) for path in images.paths]
    if not all(state.is_settled for state in states):
        return None
    return digest_of(
        {
            "place": str(images.folder.absolute()),
            "images": list(zip(images.names, map(asdict, states), strict=True)),
            "rate": str(rate),
            "join": JOIN_VERSION,
        }
    )


@contextmanager
def joined_file(
    images: ImageSequence, rate: Fraction, settings: Settings, report: ByteProgress
) -> Iterator[Path]:
    """The video of the images, in this host's cache; it is deleted after the block.

    Raises:
        VideoError: no image can be read.
        HostError: an image cannot be read now.
        StoreError: the cache cannot be written.
    """
    total = sum(state_of(path).size for path in images.paths)
    path = settings.cache / "images" / f"{images.folder.name}.{os.getpid()}.{id(images):x}.mov"
    try:
        _make_folder(path.parent)
        joined(images, rate, path, lambda done: report(done, total))
        yield path
    except OSError as error:
        raise StoreError(
            f"cannot write to the cache {path.parent}: {error.strerror or error}",
            "Make room there, or name another folder with ANNOTATE_CACHE.",
        ) from error
    finally:
        path.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Makes the folder, without what processes left there that were killed."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > LEFT_BEHIND_S:
                path.unlink()


def as_images(index: VideoIndex, images: ImageSequence, rate: Fraction) -> VideoIndex:
    """The index of a joined video, with what is known of its images."""
    if images.animated:
        return index
    return replace(index, assumed_fps=float(rate), image_gaps=images.gaps)
