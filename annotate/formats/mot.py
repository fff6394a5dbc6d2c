"""MOT Challenge: the boxes of tracks, a line for each pose.

Source: the format of MOT16 and MOT17, as TrackEval and CVAT read it.
"""

from pathlib import Path, PurePosixPath

import numpy as np

from annotate.domain.keypoint_sets import COCO17
from annotate.formats.base import Dataset, DatasetVideo, FolderFormat, PoseBlock
from annotate.numeric.words import decimals, integers, joined, listed, text_of

# The class "pedestrian".
_PERSON = 1


class Mot(FolderFormat):
    """`VIDEO/gt/gt.txt`: frame (from 1: the source index plus 1), track (as the video counts it),
    left, top, width, height, 1 (to be counted), class, and the share of keypoints that are visible.
    `VIDEO/seqinfo.ini` describes the video.
    """

    name = "mot"
    keypoint_sets = (COCO17,)

    def write_folder(self, dataset: Dataset, folder: Path) -> None:
        """Writes the files of each video as streams."""
        for video in dataset.videos:
            sequence = folder / PurePosixPath(video.folder)
            (sequence / "gt").mkdir(parents=True)
            (sequence / "seqinfo.ini").write_text(_description(video), "utf-8")
            with (sequence / "gt" / "gt.txt").open("wb") as out:
                out.writelines(_lines(video, block) for block in video.poses())


MOT = Mot()


def _lines(video: DatasetVideo, block: PoseBlock) -> bytes:
    return text_of(
        joined(
            integers(video.frames[block.place] + 1),
            b",",
            integers(block.video_track),
            b",",
            listed(block.bbox, 2),
            b",1,%d," % _PERSON,
            decimals(np.round((block.v == 2).mean(axis=1), 3), 3),
            b"\n",
        )
    )


def _description(video: DatasetVideo) -> str:
    length = int(video.frames[-1]) + 1 if len(video.frames) else 0
    return (
        "[Sequence]\n"
        f"name={PurePosixPath(video.folder).name}\n"
        "imDir=img1\n"
        f"frameRate={video.fps:g}\n"
        f"seqLength={length}\n"
        f"imWidth={video.width}\n"
        f"imHeight={video.height}\n"
        f"imExt={video.image_ending}\n"
    )
