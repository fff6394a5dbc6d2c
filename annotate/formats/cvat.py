"""CVAT for video 1.1: a skeleton track for each person, as XML.

Source: the format page of CVAT, and the code of its importer: frames are those of the video, a
shape holds until the next one, and `outside` ends it.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.keypoint_sets import KeypointSet
from annotate.formats.base import Dataset, DatasetVideo, PoseBlock, StreamFormat
from annotate.formats.by_track import poses_by_track
from annotate.numeric.words import Words, decimals, integers, joined, pick, rows_of

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
                out.writelines(_track(dataset, video, track, blocks))
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
) -> Iterator[bytes]:
    """The text of one track, pose by pose."""
    yield b'<track id="%d" label="person" source="auto">\n' % track
    last, end = None, b""
    for block in blocks:
        place = block.place
        if last is not None and place[0] > last + 1:
            yield end
        # A stretch ends with the last pose before a gap, and maybe with the last one of the block,
        # unless the video ends there too.
        ends = np.append(np.diff(place) > 1, True) & (place + 1 < len(video.frames))
        after = _skeletons(dataset.keypoints, block.take(ends), video.frames[place[ends] + 1], True)
        shown = iter(after)
        last, end = int(place[-1]), b""
        for text, is_end in zip(
            _skeletons(dataset.keypoints, block, video.frames[place], False), ends, strict=True
        ):
            yield end + text
            end = next(shown) if is_end else b""
    yield end + b"</track>\n"


def _skeletons(
    keypoints: KeypointSet, block: PoseBlock, frame: IntArray, ended: bool
) -> list[bytes]:
    """A keyframe for each pose of a block in the frames (P,); `ended`: the person has left."""
    outside = pick([b"0", b"1"], (block.v == 0) | ended)
    occluded = pick([b"0", b"1"], block.v == 1)
    x, y = (decimals(block.xy[:, :, axis], 2) for axis in range(2))
    pieces: list[bytes | Words] = [
        b'<skeleton frame="',
        integers(frame),
        b'" keyframe="1" outside="%d" occluded="0" z_order="0">\n' % ended,
    ]
    for number, name in enumerate(keypoints.names):
        pieces += [
            f'<points label={quoteattr(name)} keyframe="1" outside="'.encode(),
            outside[:, number],
            b'" occluded="',
            occluded[:, number],
            b'" points="',
            x[:, number],
            b",",
            y[:, number],
            b'"></points>\n',
        ]
    return rows_of(joined(*pieces, b"</skeleton>\n"))


def _filter(video: DatasetVideo) -> str:
    """How CVAT takes the same frames of the video: all of them, or every Nth."""
    steps = np.unique(np.diff(video.frames))
    return f"step={steps[0]}" if len(steps) == 1 and steps[0] > 1 else ""
