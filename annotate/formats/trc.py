"""TRC: world landmarks as markers in metres, a file for each track, as OpenSim reads them.

Source: OpenSim's documentation of marker files.
"""

import math
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile

import numpy as np
from numpy.typing import NDArray

from annotate.domain.errors import UsageError
from annotate.domain.keypoint_sets import BLAZEPOSE33, sets_from
from annotate.formats.base import Dataset, DatasetVideo, FolderFormat, PoseBlock
from annotate.formats.by_track import poses_by_track
from annotate.numeric.words import integers, joined, listed, millionths, text_of

# World landmarks point down and away from the camera; OpenSim's y points up.
_AXES = np.array([1.0, -1.0, -1.0])


class Trc(FolderFormat):
    """`VIDEO/track_0001.trc`: x to the right, y up, z towards the camera, the middle of the hips as
    origin; a row for each pose, numbered by its frame, so that rows are missing in gaps.
    """

    name = "trc"
    has_world = True
    keypoint_sets = sets_from(BLAZEPOSE33)

    def write_folder(self, dataset: Dataset, folder: Path) -> None:
        """Writes the files track by track.

        Raises:
            UsageError: the model gives no world landmarks.
        """
        for video in dataset.videos:
            place = folder / PurePosixPath(video.folder)
            place.mkdir(parents=True)
            for track, blocks in poses_by_track(video):
                _write(dataset, video, blocks, place / f"track_{track:04d}.trc")


TRC = Trc()


def markers(dataset: Dataset, block: PoseBlock) -> tuple[list[str], NDArray[np.float64]]:
    """Names of the markers that the model knows, and their places: (P, M, 3) float64 metres.

    Raises:
        UsageError: the model gives no world landmarks.
    """
    if not block.world.shape[2]:
        raise UsageError(
            "these tracks have no world landmarks, which this format holds",
            "BlazePose packs give them: `annotate models pull blazepose-full --force`, then "
            "`annotate submit` with `--pack blazepose-full`.",
        )
    known = np.flatnonzero(dataset.known)
    return [dataset.keypoints.names[k] for k in known], block.world[:, known] * _AXES + 0.0


def _write(dataset: Dataset, video: DatasetVideo, blocks: Iterable[PoseBlock], path: Path) -> None:
    """The head says how many rows there are, so they are written to a file of their own before."""
    first, rows = 0, 0
    with TemporaryFile(dir=path.parent) as body:
        for block in blocks:
            names, xyz = markers(dataset, block)
            first = first if rows else int(video.frames[block.place[0]])
            rows += len(block)
            body.write(_lines(video, block, xyz))
        body.seek(0)
        with path.open("wb") as out:
            out.write(_head(video, names, first, rows, path.name).encode())
            shutil.copyfileobj(body, out)


def _head(video: DatasetVideo, names: list[str], first: int, rows: int, file: str) -> str:
    rate = f"{video.fps:g}"
    axes = "\t".join(f"{a}{n}" for n in range(1, len(names) + 1) for a in "XYZ")
    return (
        f"PathFileType\t4\t(X/Y/Z)\t{file}\n"
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\t"
        "OrigNumFrames\n"
        f"{rate}\t{rate}\t{rows}\t{len(names)}\tm\t{rate}\t{first}\t{rows}\n"
        f"Frame#\tTime\t{(chr(9) * 3).join(names)}\t\t\n\t\t{axes}\n\n"
    )


def _lines(video: DatasetVideo, block: PoseBlock, xyz: NDArray[np.float64]) -> bytes:
    return text_of(
        joined(
            integers(video.frames[block.place]),
            b"\t",
            millionths(video.time_s[block.place]),
            b"\t",
            listed(xyz.reshape(len(block), math.prod(xyz.shape[1:])), 4, b"\t"),
            b"\n",
        )
    )
