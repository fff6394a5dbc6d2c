"""C3D: world landmarks as markers in metres, a file for each track, written by ezc3d.

Source: the C3D User Guide of Motion Lab Systems.
"""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np

from annotate.domain.errors import UsageError
from annotate.domain.keypoint_sets import BLAZEPOSE33, sets_from
from annotate.extras import library
from annotate.formats.base import Dataset, DatasetVideo, FolderFormat, PoseBlock
from annotate.formats.by_track import poses_by_track
from annotate.formats.trc import markers

# The residual of a point without a value.
_NO_VALUE = -1.0
# The number of the last frame that a file can have: it is stored in 16 bits.
_LAST_FRAME = 65_535


class C3d(FolderFormat):
    """`VIDEO/track_0001.c3d`: the axes of `trc`; every frame from the track's first to its last,
    and in gaps points without a value. C3D knows one rate: the frames' mean one.
    """

    name = "c3d"
    has_world = True
    keypoint_sets = sets_from(BLAZEPOSE33)

    def write_folder(self, dataset: Dataset, folder: Path) -> None:
        """Writes the files track by track.

        Raises:
            UsageError: the model gives no world landmarks, a track has more frames than a file can,
                or ezc3d is not installed.
        """
        for video in dataset.videos:
            place = folder / PurePosixPath(video.folder)
            place.mkdir(parents=True)
            for track, blocks in poses_by_track(video):
                _write(dataset, video, track, blocks, place)


C3D = C3d()


def _write(
    dataset: Dataset, video: DatasetVideo, track: int, blocks: Iterable[PoseBlock], folder: Path
) -> None:
    found, xyz = [], []
    for block in blocks:
        last = int(block.place[-1]) + 1
        if last > _LAST_FRAME:
            raise UsageError(
                f"track {track} of {video.name} reaches frame {last:,}, and C3D counts to "
                f"{_LAST_FRAME:,}",
                "Leave frames out with --every, or take --format trc.",
            )
        names, metres = markers(dataset, block)
        found.append(block.place)
        xyz.append(metres)
    place = np.concatenate(found)
    rows = place - place[0]
    points = np.full((4, len(names), int(rows[-1]) + 1), np.nan)
    points[:3, :, rows] = np.concatenate(xyz).transpose(2, 1, 0)
    points[3] = 1
    residuals = np.full((1, *points.shape[1:]), _NO_VALUE)
    residuals[:, :, rows] = 0
    file = library("ezc3d", "formats").c3d()
    parameters = file["parameters"]["POINT"]
    parameters["RATE"]["value"] = [_rate(video)]
    parameters["LABELS"]["value"] = names
    parameters["UNITS"]["value"] = ["m"]
    file["header"]["points"]["first_frame"] = int(place[0])
    file["data"]["points"] = points
    file["data"]["meta_points"]["residuals"] = residuals
    file.write(str(folder / f"track_{track:04d}.c3d"))


def _rate(video: DatasetVideo) -> float:
    """Frames of the dataset in a second."""
    seconds = float(video.time_s[-1] - video.time_s[0])
    return (len(video.frames) - 1) / seconds if seconds > 0 else video.fps or 1.0
