"""DeepLabCut's table of a video with several individuals, as comma-separated values.

Source: the files that DeepLabCut writes when it analyses videos, as it and movement read them.
"""

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

import numpy as np

from annotate.domain.keypoint_sets import COCO17, sets_from
from annotate.formats.base import Dataset, DatasetVideo, PoseBlock, StreamFormat
from annotate.formats.frames import frames_of
from annotate.numeric.words import constant, decimals, flat, joined, rows_of

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
            out.writelines(_lines(dataset, video))


DEEPLABCUT = DeepLabCut()


def _lines(dataset: Dataset, video: DatasetVideo) -> Iterator[bytes]:
    absent = b"," * (len(dataset.keypoints.names) * len(_COORDINATES))
    columns = {track: column for column, track in enumerate(video.tracks.track_id.tolist())}
    for place, found in frames_of(dataset, video, partial(_cells, dataset)):
        people = [absent] * len(columns)
        for track, cells in found:
            people[columns[track]] = cells
        yield b"%d%b\n" % (int(video.frames[place]), b"".join(people))


def _cells(dataset: Dataset, block: PoseBlock) -> list[tuple[int, bytes]]:
    """The track of each pose, and its cells; those that the model does not know are empty."""
    x, y = np.moveaxis(block.xy, 2, 0)
    pieces = (b",", decimals(x, 2), b",", decimals(y, 2), b",", decimals(block.visibility, 3))
    words = joined(*pieces)
    words[:, ~dataset.known] = 0
    words[:, ~dataset.known, :1] = constant(b",,,")
    return list(zip(block.video_track.tolist(), rows_of(flat(words)), strict=True))
