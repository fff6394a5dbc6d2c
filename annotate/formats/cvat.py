"""CVAT for video 1.1: a skeleton track for each person, as XML.

Source: the format page of CVAT, and the code of its importer: frames are those of the video, a
shape holds until the next one, and `outside` ends it.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from annotate.domain.keypoint_sets import KeypointSet
from annotate.formats.base import Dataset, DatasetVideo, PoseBlock, StreamFormat
from annotate.formats.by_track import poses_by_track

_START = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<!-- annotate -->\n'


class Cvat(StreamFormat):
    """Every pose is a keyframe. A hidden keypoint is `occluded`, an unlabelled one `outside`; the
    whole skeleton is `outside` in the first frame after a gap's begin or the track's end.
    """

    name = "cvat"
    suffix = ".xml"
    signatures = (_START.encode(),)
    one_video = True

    def write(self, dataset: Dataset, out: BinaryIO) -> None:
        """Writes the file as a stream, track by track."""
        out.write(_START.encode())
        for video in dataset.videos:
            out.write(_head(dataset.keypoints, video).encode())
            for track, blocks in poses_by_track(video):
                out.writelines(line.encode() for line in _track(dataset, video, track, blocks))
        out.write(b"</annotations>\n")


CVAT = Cvat()


def _head(keypoints: KeypointSet, video: DatasetVideo) -> str:
    first, last = (int(video.frames[at]) if len(video.frames) else 0 for at in (0, -1))
    names = "".join(
        f"<label><name>{name}</name><type>points</type><attributes></attributes>"
        "<parent>person</parent></label>\n"
        for name in keypoints.names
    )
    return (
        "<version>1.1</version>\n<meta><task>"
        f"<name>{escape(video.name)}</name><size>{len(video.frames)}</size>"
        "<mode>interpolation</mode><overlap>0</overlap>"
        f"<start_frame>{first}</start_frame><stop_frame>{last}</stop_frame>"
        f"<frame_filter>{_filter(video)}</frame_filter>\n<labels>\n"
        "<label><name>person</name><type>skeleton</type><attributes></attributes>"
        f"<svg>{escape(_svg(keypoints))}</svg></label>\n{names}</labels>\n"
        f"<original_size><width>{video.width}</width><height>{video.height}</height>"
        f"</original_size></task><source>{escape(video.name)}</source></meta>\n"
    )


def _svg(keypoints: KeypointSet) -> str:
    """The drawing of the skeleton that CVAT asks for: its points on a circle, and its edges."""
    count = len(keypoints.names)
    turn = 2 * np.pi * np.arange(count) / count
    xy = np.round(50 + 40 * np.stack([np.sin(turn), -np.cos(turn)], axis=1), 2).tolist()
    edges = "".join(
        f'<line x1="{xy[a][0]}" y1="{xy[a][1]}" x2="{xy[b][0]}" y2="{xy[b][1]}" data-type="edge" '
        f'data-node-from="{a + 1}" data-node-to="{b + 1}"></line>'
        for a, b in keypoints.edges
    )
    points = "".join(
        f'<circle r="0.75" cx="{x}" cy="{y}" data-type="element node" data-element-id="{n}" '
        f'data-node-id="{n}" data-label-name="{name}"></circle>'
        for n, ((x, y), name) in enumerate(zip(xy, keypoints.names, strict=True), start=1)
    )
    return edges + points


def _track(
    dataset: Dataset, video: DatasetVideo, track: int, blocks: Iterable[PoseBlock]
) -> Iterator[str]:
    """Lines of one track."""
    yield f'<track id="{track}" label="person" source="auto">\n'
    last: tuple[PoseBlock, int, int] | None = None
    for block in blocks:
        for row, place in enumerate(block.place.tolist()):
            if last is not None and place > last[2] + 1:
                yield from _ended(dataset, video, *last)
            yield _skeleton(dataset.keypoints, block, row, int(video.frames[place]))
            last = block, row, place
    if last is not None:
        yield from _ended(dataset, video, *last)
    yield "</track>\n"


def _ended(
    dataset: Dataset, video: DatasetVideo, block: PoseBlock, row: int, place: int
) -> Iterator[str]:
    """The end of a stretch whose last pose lies at `place`, unless the video ends there too."""
    if place + 1 < len(video.frames):
        after = int(video.frames[place + 1])
        yield _skeleton(dataset.keypoints, block, row, after, ended=True)


def _skeleton(
    keypoints: KeypointSet, block: PoseBlock, row: int, frame: int, *, ended: bool = False
) -> str:
    points = "".join(
        f'<points label={quoteattr(name)} keyframe="1" outside="{int(ended or v == 0)}" '
        f'occluded="{int(v == 1)}" points="{x},{y}"></points>\n'
        for name, (x, y), v in zip(
            keypoints.names, block.xy[row].tolist(), block.v[row].tolist(), strict=True
        )
    )
    return (
        f'<skeleton frame="{frame}" keyframe="1" outside="{int(ended)}" occluded="0" '
        f'z_order="0">\n{points}</skeleton>\n'
    )


def _filter(video: DatasetVideo) -> str:
    """How CVAT takes the same frames of the video: all of them, or every Nth."""
    steps = np.unique(np.diff(video.frames))
    return f"step={steps[0]}" if len(steps) == 1 and steps[0] > 1 else ""
