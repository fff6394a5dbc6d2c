"""The videos among the files and folders that a user names, and what in folders is none."""

import difflib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from annotate.domain.errors import UsageError, unreadable
from annotate.domain.images import ImageSequence
from annotate.domain.settings import S3_SCHEME, Settings
from annotate.queue.patience import with_patience
from annotate.store import Store
from annotate.store.bucket_videos import BucketVideo, Source, list_bucket, opened
from annotate.use_cases.find_images import (
    IMAGE_ENDINGS,
    animated_webp,
    by_pattern,
    is_image,
    sequences,
    titled,
)
from annotate.use_cases.places import exists, identity, is_folder
from annotate.video import holds_video, is_animated_webp, streams_video

# Files with these endings are taken for videos without a look: one that cannot be read is then
# rejected by name. `.ts` is not among them, since programs end in it too.
_FILM = [".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".ogv", ".webm", ".wmv", ".asf", ".f4v"]
_CAMERA = [".3g2", ".3gp", ".divx", ".m2ts", ".mpeg", ".mpg", ".mts", ".mxf", ".vob"]
VIDEO_ENDINGS = frozenset(_FILM + _CAMERA)
# Programs that copy or download give files such endings until they are complete.
UNFINISHED_ENDINGS = frozenset([".part", ".partial", ".crdownload", ".download", ".filepart"])
# Why images in a bucket are left out.
IMAGE_IN_BUCKET = "an image in a bucket"


@dataclass(frozen=True)
class LeftOutFile:
    """A file, folder or object below a named folder or address that is not annotated.

    Attributes:
        path: as it was found.
        reason: in a few words.
        notable: whether videos may be lost with it that the user means.
    """

    path: str
    reason: str
    notable: bool = False


class Listed(str):
    """A name from a list, which may have been written before its file went away: the others of the
    list are annotated all the same.
    """


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
    can read as video, whatever its ending. Numbered images are the frames of one video: those of
    a pattern such as `FOLDER/%05d.png`, those named together, and those of a folder without videos.

    Links are followed; of several paths to the same file, the first one counts. Hidden files and
    folders, `._x` of macOS among them, are not looked at.

    Args:
        store: is not searched.
        may_be_empty: whether a folder or an address without a video is no error.

    Raises:
        UsageError: there is no such file, or a folder or an address without a video.
        HostError: the host cannot tell now what is there.
        StoreError: a bucket's server does not answer, or refuses.
    """
    with _trouble_named():
        return _find_videos(named, store, may_be_empty=may_be_empty)


def find_patiently(
    named: Sequence[str | Path], settings: Settings, *, store: Store | None = None
) -> FoundVideos:
    """What `find_videos` finds, after a wait while the host cannot tell what is there; so it is
    where a place goes away that was there at first.

    Args:
        settings: of this host.

    Raises:
        UsageError, StoreError: as `find_videos`.
        HostError: the trouble lasts.
    """
    places = [Path(one) for one in named if not str(one).startswith(S3_SCHEME)]
    there: set[Path] = set()

    def look() -> FoundVideos:
        with _trouble_named():
            for place in there:
                place.stat()
            there.update(place for place in places if exists(place))
        return find_videos(named, store=store)

    return with_patience(look, settings)


@contextmanager
def _trouble_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unreadable(error.filename or "a folder", error) from error


def _find_videos(
    named: Sequence[str | Path], store: Store | None, *, may_be_empty: bool
) -> FoundVideos:
    found: dict[str, Source] = {}
    left_out: list[LeftOutFile] = []
    images: list[Path] = []
    for one in named:
        try:
            sources = _named(one, store, left_out, may_be_empty=may_be_empty)
        except UsageError as error:
            if not isinstance(one, Listed):
                raise
            left_out.append(LeftOutFile(str(one), error.message, notable=True))
            continue
        for source in sources:
            if isinstance(source, Path) and is_image(source):
                images.append(source)
            else:
                found.setdefault(_place(source), source)
    of_images, single = sequences(images)
    named_images: list[Source] = [*of_images, *single]
    for video in named_images:
        found.setdefault(_place(video), video)
    if named and not found and not may_be_empty:
        raise UsageError("nothing of the list is a video", left_out[-1].reason)
    return FoundVideos(tuple(titled(list(found.values()))), tuple(left_out))


def _named(
    one: str | Path, store: Store | None, left_out: list[LeftOutFile], *, may_be_empty: bool
) -> Sequence[Source]:
    """What a name means; other files of a folder, or of an address, are added to `left_out`.

    Raises:
        UsageError: it means nothing, or, unless that may be, no video.
    """
    if str(one).startswith(S3_SCHEME):
        before = len(left_out)
        objects = _videos_in_bucket(str(one), store, left_out)
        if not objects and not may_be_empty:
            raise _nothing_at(str(one), left_out[before:])
        return objects
    path = Path(one)
    if not is_folder(path):
        return [_named_file(path)]
    inside = _videos_below(path, None if store is None else store.folder, left_out)
    if not inside and not may_be_empty:
        raise UsageError(
            f"no video in the folder {path}",
            "No file in it, or in the folders below it, can be read as video. Name a file "
            "itself to see what is wrong with it.",
        )
    return inside


def _place(source: Source) -> str:
    """The same for two names of one file."""
    return str(source) if isinstance(source, BucketVideo) else os.path.realpath(str(source))


def _named_file(path: Path) -> Source:
    """What the user means by a path that is no folder.

    Raises:
        UsageError: there is no such file, and no image fits the pattern.
    """
    if not exists(path):
        images = by_pattern(path)
        if images is None:
            raise UsageError(f"no such file: {path}", _similar(path))
        return images
    return animated_webp(path) if is_animated_webp(path) else path


def _videos_below(folder: Path, store: Path | None, left_out: list[LeftOutFile]) -> list[Source]:
    """The videos below a folder, sorted; whatever else is there is added to `left_out`."""
    videos: list[Source] = []
    images: list[Path] = []
    for path in sorted(_files_below(folder, store, left_out)):
        if not exists(path):
            left_out.append(_gone(path))
        elif path.suffix.lower() in UNFINISHED_ENDINGS:
            left_out.append(LeftOutFile(str(path), "not complete yet"))
        elif path.suffix.lower() == ".webp" and is_animated_webp(path):
            videos.append(animated_webp(path))
        elif is_image(path):
            images.append(path)
        elif path.suffix.lower() in VIDEO_ENDINGS or holds_video(path):
            videos.append(path)
        else:
            left_out.append(_no_video(path))
    return sorted([*videos, *_of_images(images, videos, left_out)], key=str)


def _of_images(
    images: Sequence[Path], videos: Sequence[Source], left_out: list[LeftOutFile]
) -> list[ImageSequence]:
    """The sequences of images of folders that hold no video, where images may be covers of them or
    frames that were taken from them.
    """
    with_videos = {Path(str(video)).parent for video in videos}
    beside = [image for image in images if image.parent in with_videos]
    found, single = sequences(image for image in images if image.parent not in with_videos)
    left_out += [LeftOutFile(str(one), "an image beside videos") for one in beside]
    left_out += [LeftOutFile(str(one), "a single image") for one in single]
    return found


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
        elif ending in IMAGE_ENDINGS:
            left_out.append(LeftOutFile(str(video), IMAGE_IN_BUCKET))
        else:
            left_out.append(LeftOutFile(str(video), "not a video"))
    return videos


def _nothing_at(url: str, left_out: Sequence[LeftOutFile]) -> UsageError:
    """The error for an address without a video."""
    if is_image(Path(url)) or any(one.reason == IMAGE_IN_BUCKET for one in left_out):
        prefix = url.rpartition("/")[0] if is_image(Path(url)) else url
        return UsageError(
            f"{url} names images: those in a bucket are not joined into a video",
            f"Copy them into a folder, and submit that: `aws s3 cp --recursive {prefix} FOLDER`.",
        )
    return UsageError(f"no video at {url}", "Check the address and AWS_ENDPOINT_URL.")


def _is_video(video: BucketVideo) -> bool:
    with opened(video) as file:
        return streams_video(file)


def _files_below(top: Path, store: Path | None, left_out: list[LeftOutFile]) -> Iterator[Path]:
    """All files below a folder that are not hidden. A folder that several links lead to is searched
    once, so that a link to a folder above it makes no loop.

    Raises:
        OSError: a folder cannot be listed, though we may.
    """
    folders, seen = [top], {identity(top)}
    if store is not None and is_folder(store):
        seen.add(identity(store))
    while folders:
        folder = folders.pop()
        try:
            names = [name for name in os.listdir(folder) if not name.startswith(".")]  # noqa: PTH208 - pathlib is slower
        except PermissionError as error:
            if folder == top:
                raise
            reason = f"cannot be listed: {error.strerror}"
            left_out.append(LeftOutFile(str(folder), reason, notable=True))
            continue
        for path in (folder / name for name in names):
            if not is_folder(path):
                yield path
            elif (folder_id := identity(path)) in seen:
                left_out.append(LeftOutFile(str(path), "a folder that is searched elsewhere"))
            else:
                seen.add(folder_id)
                folders.append(path)


def _no_video(path: Path) -> LeftOutFile:
    """A file that is not a video, as far as we may see.

    Raises:
        OSError: it cannot be read, though we may.
    """
    try:
        if path.is_file():  # a pipe would block
            with path.open("rb") as file:
                file.read(1)
    except PermissionError:
        return LeftOutFile(str(path), "you may not read it", notable=True)
    return LeftOutFile(str(path), "not a video")


def _gone(path: Path) -> LeftOutFile:
    """A listed file that is not there.

    Raises:
        OSError: its folder is away too.
    """
    if path.is_symlink():
        return LeftOutFile(str(path), "a link that leads nowhere", notable=True)
    path.parent.stat()
    return LeftOutFile(str(path), "gone, or you may not look at it", notable=True)


def _similar(path: Path) -> str:
    folder, beside = path.parent, []
    with suppress(OSError):
        beside = [one.name for one in folder.iterdir()]
    if path.name in beside:
        return "It is a link that leads nowhere."
    close = difflib.get_close_matches(path.name, beside, n=1)
    return f"Did you mean {folder / close[0]}?" if close else "Check the path."
