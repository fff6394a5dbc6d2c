"""The videos among the files and folders that a user names, and what in folders is none."""

import difflib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from annotate.domain.errors import UsageError
from annotate.domain.settings import S3_SCHEME
from annotate.store import Store
from annotate.store.bucket_videos import BucketVideo, Source, list_bucket, opened
from annotate.video import holds_video, streams_video

# Files with these endings are taken for videos without a look: one that cannot be read is then
# rejected by name. `.ts` is not among them, since programs end in it too.
_FILM = [".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".ogv", ".webm", ".wmv", ".asf", ".f4v"]
_CAMERA = [".3g2", ".3gp", ".divx", ".m2ts", ".mpeg", ".mpg", ".mts", ".mxf", ".vob"]
VIDEO_ENDINGS = frozenset(_FILM + _CAMERA)
# Programs that copy or download give files such endings until they are complete.
UNFINISHED_ENDINGS = frozenset([".part", ".partial", ".crdownload", ".download", ".filepart"])


@dataclass(frozen=True)
class LeftOutFile:
    """A file, folder or object below a named folder or address that is not annotated.

    Attributes:
        path: as it was found.
        reason: in a few words.
    """

    path: str
    reason: str


@dataclass(frozen=True)
class FoundVideos:
    """What was found among the files and folders that a user named.

    Attributes:
        videos: what to annotate, each once, in the order of the names, then of the paths.
        left_out: of the folders and buckets. Hidden files are not listed.
    """

    videos: tuple[Source, ...]
    left_out: tuple[LeftOutFile, ...] = ()


def find_videos(
    named: Sequence[str | Path], *, store: Store | None = None, may_be_empty: bool = False
) -> FoundVideos:
    """The named files, and every file below the named folders, or `s3://bucket/prefix`, that FFmpeg
    can read as video, whatever its ending.

    Links are followed; of several paths to the same file, the first one counts. Hidden files and
    folders, `._x` of macOS among them, are not looked at.

    Args:
        store: is not searched.
        may_be_empty: whether a folder or an address without a video is no error.

    Raises:
        UsageError: there is no such file, or a folder or an address without a video.
        StoreError: a bucket's server does not answer, or refuses.
    """
    found: dict[str, Source] = {}
    left_out: list[LeftOutFile] = []
    for one in named:
        if str(one).startswith(S3_SCHEME):
            objects = _videos_in_bucket(str(one), store, left_out)
            if not objects and not may_be_empty:
                raise UsageError(f"no video at {one}", "Check the address and AWS_ENDPOINT_URL.")
            found |= {str(video): video for video in objects if str(video) not in found}
            continue
        path = Path(one)
        if not _is_folder(path):
            if not _exists(path):
                raise UsageError(f"no such file: {path}", _similar(path))
            found.setdefault(os.path.realpath(path), path)
            continue
        inside = _videos_below(path, None if store is None else store.folder, left_out)
        if not inside and not may_be_empty:
            raise UsageError(
                f"no video in the folder {path}",
                "No file in it, or in the folders below it, can be read as video. Name a file "
                "itself to see what is wrong with it. Numbered images become a video by "
                f"`ffmpeg -framerate 25 -i {path}/%05d.png -c:v ffv1 NEW.mkv`.",
            )
        for video in inside:
            found.setdefault(os.path.realpath(video), video)
    return FoundVideos(tuple(found.values()), tuple(left_out))


def _videos_below(folder: Path, store: Path | None, left_out: list[LeftOutFile]) -> list[Path]:
    """The videos below a folder, sorted; whatever else is there is added to `left_out`."""
    videos = []
    for path in sorted(_files_below(folder, store, left_out)):
        if not _exists(path):
            left_out.append(LeftOutFile(str(path), "a link that leads nowhere"))
        elif path.suffix.lower() in UNFINISHED_ENDINGS:
            left_out.append(LeftOutFile(str(path), "not complete yet"))
        elif path.suffix.lower() in VIDEO_ENDINGS or holds_video(path):
            videos.append(path)
        else:
            left_out.append(LeftOutFile(str(path), "not a video"))
    return videos


def _videos_in_bucket(
    url: str, store: Store | None, left_out: list[LeftOutFile]
) -> list[BucketVideo]:
    """The videos at an address, by their endings, else by some ranges of their bytes."""
    listing, videos = list_bucket(url), []
    left_out += [LeftOutFile(one, "a key that is no path") for one in listing.unusable]
    for video, size in listing.objects:
        ending, inside = Path(video.name).suffix.lower(), f"{store.files}/" if store else None
        hidden = any(part.startswith(".") for part in video.key.split("/"))
        if hidden or (inside and str(video).startswith(inside)):
            continue
        if ending in UNFINISHED_ENDINGS:
            left_out.append(LeftOutFile(str(video), "not complete yet"))
        elif ending in VIDEO_ENDINGS or (size and _is_video(video)):
            videos.append(video)
        else:
            left_out.append(LeftOutFile(str(video), "not a video"))
    return videos


def _is_video(video: BucketVideo) -> bool:
    with opened(video) as file:
        return streams_video(file)


def _files_below(top: Path, store: Path | None, left_out: list[LeftOutFile]) -> Iterator[Path]:
    """All files below a folder that are not hidden. A folder that several links lead to is searched
    once, so that a link to a folder above it makes no loop.
    """
    folders, seen = [top], {_identity(top)}
    if store is not None and _is_folder(store):
        seen.add(_identity(store))
    while folders:
        folder = folders.pop()
        try:
            names = [name for name in os.listdir(folder) if not name.startswith(".")]  # noqa: PTH208 - pathlib is slower
        except OSError as error:
            left_out.append(LeftOutFile(str(folder), f"cannot be listed: {error.strerror}"))
            continue
        for path in (folder / name for name in names):
            if not _is_folder(path):
                yield path
            elif (identity := _identity(path)) in seen:
                left_out.append(LeftOutFile(str(path), "a folder that is searched elsewhere"))
            else:
                seen.add(identity)
                folders.append(path)


# What may not be looked at raises an error in `Path.exists` and `Path.is_dir`.


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _similar(path: Path) -> str:
    folder, beside = path.parent, []
    with suppress(OSError):
        beside = [one.name for one in folder.iterdir()]
    close = difflib.get_close_matches(path.name, beside, n=1)
    return f"Did you mean {folder / close[0]}?" if close else "Check the path."
