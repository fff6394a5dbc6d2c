"""Names of folders and images that datasets give to videos and their frames."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from annotate.domain.names import file_key, printable


def video_folders(videos: Sequence[str]) -> list[str]:
    """For each video the folder that its images are named after, no two the same folder on any
    system.

    It is the video's name without its ending, or with it where that alone tells two videos apart.
    It never leads out of the dataset's own folder.

    Args:
        videos: names, no two alike.

    >>> video_folders(["a.mp4", "b.mp4", "b.mov"])
    ['a', 'b.mp4', 'b.mov']
    >>> video_folders(["/x/../a.mp4"])
    ['x/_/a']
    """
    names = [_below(name) for name in videos]
    stems = [str(PurePosixPath(name).with_suffix("")) for name in names]
    alike, whole = Counter(map(file_key, stems)), set(map(file_key, names))
    return [
        stem if alike[key] == 1 and (stem == name or key not in whole) else name
        for name, stem, key in zip(names, stems, map(file_key, stems), strict=True)
    ]


def image_name(folder: str, frame: int, suffix: str = ".jpg") -> str:
    """Name of a frame's image: readers take the integer at the end of the stem as its number."""
    return f"{folder}/frame_{frame:06d}{suffix}"


def _below(name: str) -> str:
    parts = [part for part in PurePosixPath(printable(name)).parts if part != "/"]
    return "/".join("_" if part == ".." else part for part in parts) or "_"
