"""TRC: world landmarks as markers in metres, a file for each track, as OpenSim reads them.

Source: OpenSim's documentation of marker files.
"""

from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from annotate.domain.errors import UsageError
from annotate.domain.keypoint_sets import BLAZEPOSE33, BODY_FEET, COCO17
from annotate.formats.base import Dataset, DatasetVideo, FolderFormat, PoseBlock
from annotate.formats.by_track import poses_by_track

# World landmarks point down and away from the camera; OpenSim's y points up.
_AXES = np.array([1.0, -1.0, -1.0])


class Trc(FolderFormat):
    """`VIDEO/track_0001.trc`: x to the right, y up, z towards the camera, the middle of the hips as
    origin; a row for each pose, numbered by its frame, so that rows are missing in gaps.
    """

    name = "trc"
    keypoint_sets = (BLAZEPOSE33, BODY_FEET, COCO17)

    def write_folder(self, dataset: Dataset, folder: Path) -> None:
        """Writes the files track by track.

        Raises:
            UsageError: the model gives no world landmarks.
        """
        for video in dataset.videos:
            place = folder / PurePosixPath(video.folder)
            place.mkdir(parents=True)
            for block in poses_by_track(video):
                path = place / f"track_{int(block.video_track[0]):04d}.trc"
                path.write_text(_text(dataset, video, block, path.name), "utf-8", newline="\n")


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


def _text(dataset: Dataset, video: DatasetVideo, block: PoseBlock, name: str) -> str:
    names, xyz = markers(dataset, block)
    rate, rows = f"{video.fps:g}", len(block)
    frames, times = video.frames[block.place], video.time_s[block.place]
    axes = "\t".join(f"{a}{n}" for n in range(1, len(names) + 1) for a in "XYZ")
    head = (
        f"PathFileType\t4\t(X/Y/Z)\t{name}\n"
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\t"
        "OrigNumFrames\n"
        f"{rate}\t{rate}\t{rows}\t{len(names)}\tm\t{rate}\t{frames[0]}\t{rows}\n"
        f"Frame#\tTime\t{(chr(9) * 3).join(names)}\t\t\n\t\t{axes}\n\n"
    )
    lines = (
        f"{frame}\t{time:.6f}\t{chr(9).join(map(str, values))}\n"
        for frame, time, values in zip(
            frames.tolist(), times.tolist(), xyz.reshape(rows, -1).tolist(), strict=True
        )
    )
    return head + "".join(lines)
