"""DeepLabCut's table of a video with several individuals, as comma-separated values.

Source: the files that DeepLabCut writes when it analyses videos, as it and movement read them.
"""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from annotate.domain.keypoint_sets import COCO17, sets_from
from annotate.formats.base import Dataset, DatasetVideo, StreamFormat
from annotate.formats.frames import frames_of

_SCORER = "annotate"
_COORDINATES = ("x", "y", "likelihood")


class DeepLabCut(StreamFormat):
    """Four heads (scorer, individuals, bodyparts, coords), then a row for each frame with x, y and
    likelihood (the visibility) of every keypoint of every track; cells of absent people are empty.
    """

    name = "deeplabcut"
    suffix = ".csv"
    signatures = (b"scorer,annotate", b"scorer\n")
    keypoint_sets = sets_from(COCO17)
    one_video = True

    def write(self, dataset: Dataset, out: BinaryIO) -> None:
        """Writes the file as a stream: as wide as there are tracks."""
        for video in dataset.videos:
            tracks, keypoints = video.tracks.track_id.tolist(), dataset.keypoints.names
            cells = [(f"track_{t}", k, c) for t in tracks for k in keypoints for c in _COORDINATES]
            heads = [("scorer", [_SCORER] * len(cells))]
            names = ("individuals", "bodyparts", "coords")
            heads += [(name, [cell[level] for cell in cells]) for level, name in enumerate(names)]
            for name, values in heads:
                out.write((",".join([name, *values]) + "\n").encode())
            for line in _lines(dataset, video):
                out.write(line.encode())


DEEPLABCUT = DeepLabCut()


def _lines(dataset: Dataset, video: DatasetVideo) -> Iterator[str]:
    absent = "," * (len(dataset.keypoints.names) * len(_COORDINATES))
    columns = {track: column for column, track in enumerate(video.tracks.track_id.tolist())}
    for place, block, rows in frames_of(dataset, video):
        people = [absent] * len(columns)
        for row in rows if block else ():
            assert block is not None  # noqa: S101 - for mypy
            values = np.column_stack([block.xy[row], block.visibility[row]])
            values[~dataset.known] = np.nan
            cells = ("" if np.isnan(n) else str(n) for n in values.reshape(-1).tolist())
            people[columns[int(block.video_track[row])]] = "".join(f",{cell}" for cell in cells)
        yield f"{int(video.frames[place])}{''.join(people)}\n"
