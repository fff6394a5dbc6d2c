"""Which frames of a damaged video are sound: the same ones wherever a chunk begins.

The unit is a keyframe span: the frames from one keyframe of the index to the next. What is sound in
it is decided by one decode with one thread, always from the same keyframe, so that neither chunks
nor threads change the answer. A frame is damaged where the decoder gives no picture of its packet,
or flags it; and so is every frame that is decoded after it, up to the next sound keyframe, since it
may be predicted from what is missing. Decoders do not flag those, and show them smeared.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

import av
from av.video.frame import VideoFrame

from annotate.domain.video import DamageReason, VideoIndex
from annotate.video.feed import Feed
from annotate.video.file import Packets, VideoFile
from annotate.video.marks import MarkedPackets, marked
from annotate.video.packets import NO_PTS

# The number of frames by which a seek aims before the keyframe, tried in turn. Containers without
# an index seek by the time of decoding, which is earlier than the time of display, and so land
# after the keyframe.
SEEK_MARGINS = (0, 16, 128, 1024)
# The number of keyframes before a span at which its decode may have to begin because the ones after
# them are not sound. If none of them is, it begins at the file's beginning.
MAX_STARTS = 16


@dataclass(frozen=True)
class Span:
    """The frames between two keyframes, and what is wrong with them.

    Attributes:
        start: the keyframe, or the file's beginning, from which they are decoded.
        first, stop: they are the frames `[first, stop)`.
        damaged: reasons by frame; empty for a sound span.
    """

    start: int
    first: int
    stop: int
    damaged: dict[int, DamageReason]


def examined(source: VideoFile, index: VideoIndex, frame: int) -> Span:
    """The keyframe span that holds a frame of a video whose frames have time stamps; `source` stays
    where it is.
    """
    number = int(index.keyframes.searchsorted(frame, "right")) - 1
    start = _start(source, index, number)
    found = _span(source, index, number, start)
    before = int(index.keyframes.searchsorted(start)) - 1
    if found.damaged and before >= 0:
        # A start that only looks sound must not decide.
        other = _span(source, index, number, int(index.keyframes[before]))
        found, other = sorted((found, other), key=lambda span: len(span.damaged))
        # What a decoder once finds damaged is so, though it may not find it from elsewhere.
        flagged = {frame: why for frame, why in other.damaged.items() if why == "corrupt"}
        found = replace(found, damaged=flagged | found.damaged)
    return found


def sound_frames(
    source: VideoFile, index: VideoIndex, span: Span
) -> Iterator[tuple[int, VideoFrame]]:
    """The frames of a span that are not damaged, with their indices."""
    numbers = {
        int(index.pts[frame]): frame
        for frame in range(span.first, span.stop)
        if frame not in span.damaged
    }
    with source.again() as video:
        for frame in video.frames(_packets(video, index, span.start)):
            number = None if frame.pts is None else numbers.pop(frame.pts, None)
            if number is not None:
                yield number, frame
            if not numbers:
                return


def packets_from(video: VideoFile, index: VideoIndex, start: int) -> MarkedPackets | None:
    """The packets from keyframe `start` on, in decoding order; None where it is not found."""
    if start == 0:
        return marked(video, video.packets())
    packets = _by_seeking(video, index, start)
    if packets is None:
        # The container does not seek. Packets that are read and not decoded cost little.
        video.rewind()
        packets = _from_key(marked(video, video.packets()), index.pts[start])
    return packets


def _packets(video: VideoFile, index: VideoIndex, start: int) -> Packets:
    """The same without marks; none where the keyframe is not found."""
    return (packet for packet, _ in packets_from(video, index, start) or ())


def _start(source: VideoFile, index: VideoIndex, number: int) -> int:
    """The keyframe from which the span of that number is decoded: the last one at or before it that
    decodes as a keyframe, among so many; or the file's beginning.
    """
    for start in index.keyframes[max(0, number - MAX_STARTS + 1) : number + 1][::-1].tolist():
        if start == 0 or _is_sound_keyframe(source, index, start):
            return int(start)
    return 0


def _is_sound_keyframe(source: VideoFile, index: VideoIndex, start: int) -> bool:
    with source.again() as video:
        for frame in video.frames(_packets(video, index, start)):
            if frame.pts is not None and frame.pts >= index.pts[start]:
                sound = frame.key_frame and not frame.is_corrupt
                return bool(sound and frame.pts == index.pts[start])
    return False


def _span(source: VideoFile, index: VideoIndex, number: int, start: int) -> Span:
    """The span of that number, as a decode from the keyframe `start` on shows it."""
    first = int(index.keyframes[number])
    stop = int([*index.keyframes.tolist(), len(index)][number + 1])
    packets, frames = _decoded(source, index, start, stop)
    places = {int(pts): place for place, pts in enumerate(index.pts[first:stop], first)}
    keys = frozenset(index.pts[index.keyframes].tolist())
    # The next keyframe, too: frames before it may be predicted from it.
    known = frozenset(index.pts[start : stop + 1].tolist())
    damaged: dict[int, DamageReason] = {}
    # Frames that are displayed before `key_pts` but decoded after it may need frames before it.
    lost = lost_before = False
    key_pts: int | None = None
    vanished = iter(sorted(places.keys() - {pts for pts, _ in packets}))
    next_vanished = next(vanished, None)
    for pts, bad in packets:
        while next_vanished is not None and next_vanished < pts:
            lost, next_vanished = True, next(vanished, None)
        frame = frames.get(pts)
        reason: DamageReason | None = None
        if frame is None:
            reason = "not decoded" if bad or pts in known else None
        elif bad or not frame.sound:
            reason = "corrupt"
        elif frame.key and pts in keys:
            lost, lost_before, key_pts = False, lost, pts
        elif lost or (lost_before and key_pts is not None and pts < key_pts):
            reason = "reference lost"
        if reason is not None and pts in places:
            damaged[places[pts]] = reason
        lost = lost or reason in ("not decoded", "corrupt")
    unfed = set(places.values()) - damaged.keys() - {places.get(pts) for pts, _ in packets}
    damaged.update(dict.fromkeys(unfed, "not decoded"))
    return Span(start, first, stop, damaged)


class _Shown(NamedTuple):
    """A frame that came out: the decoder takes it for a keyframe; for sound, and in order."""

    key: bool
    sound: bool


def _decoded(
    source: VideoFile, index: VideoIndex, start: int, stop: int
) -> tuple[list[tuple[int, bool]], dict[int, _Shown]]:
    """A decode from keyframe `start` on, until all frames before `stop` have come out.

    Returns:
        The pts of each packet in decoding order (`NO_PTS` where it has none) with whether it is
        damaged; and the frames that came out, by their pts.
    """
    end = int(index.pts[stop]) if stop < len(index) else None
    fed: list[tuple[int, bool]] = []
    shown: dict[int, _Shown] = {}
    latest = NO_PTS
    with source.again() as video:
        for packet, bad, frames in Feed(video).of(packets_from(video, index, start) or iter(())):
            if packet is not None:
                fed.append((NO_PTS if packet.pts is None else packet.pts, bad))
            for frame in frames:
                pts = NO_PTS if frame.pts is None else frame.pts
                in_order, latest = pts > latest, max(pts, latest)
                shown[pts] = _Shown(frame.key_frame, in_order and not frame.is_corrupt)
            if end is not None and latest >= end:
                break
    return fed, shown


def _by_seeking(video: VideoFile, index: VideoIndex, start: int) -> MarkedPackets | None:
    """The packets from keyframe `start` on; None where seeking does not lead there."""
    # Marks of a transport stream stand before the gaps that they are for.
    margins = SEEK_MARGINS[1:] if video.container.format.name == "mpegts" else SEEK_MARGINS
    for margin in margins:
        with suppress(av.FFmpegError):
            video.seek(int(index.pts[max(0, start - margin)]))
            packets = _from_key(marked(video, video.packets()), index.pts[start])
            if packets is not None:
                return packets
    return None


def _from_key(packets: MarkedPackets, pts: int) -> MarkedPackets | None:
    """The packets from the keyframe at `pts` on; None where they begin after it."""
    for packet, lost in packets:
        if packet.pts is None or not packet.is_keyframe:
            continue
        if packet.pts == pts:
            return chain([(packet, lost)], packets)
        if packet.pts > pts:
            return None
    return None
