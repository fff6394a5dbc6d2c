"""What decoding tells of a video: its first frames while packets are read, or all of them."""

from dataclasses import replace

import av
import numpy as np
from av.video.frame import VideoFrame

from annotate.domain.arrays import IntArray
from annotate.domain.errors import VideoError
from annotate.domain.video import NO_CROP, Crop, Display
from annotate.video.container_crop import clean_aperture, matroska_crop
from annotate.video.feed import Fed, Feed, number_of
from annotate.video.file import VideoFile, VideoPacket
from annotate.video.marks import marked
from annotate.video.orientation import displayed_size, orientation_of
from annotate.video.packets import MAX_REORDERED, NO_PTS, DecodedFrames, PacketTable
from annotate.video.picture import HDR, RgbConverter
from annotate.video.progress import ReadProgress

# The number of frames from the first keyframe on that are decoded to see whether packets and
# decoder agree: also more than the usual distance of hidden reference frames.
CHECKED_FRAMES = 2 * MAX_REORDERED
SCALE_DOWN = (
    "Scale it down: `ffmpeg -i FILE -vf scale=3840:-2 -c:v libx264 -crf 16 NEW.mp4`. `pixels` in "
    "ANNOTATE_LIMITS allows more."
)


class FirstFrames:
    """Decodes the first packets of a video while all of them are read.

    Attributes:
        enough: no more packets are decoded.
    """

    def __init__(self, video: VideoFile) -> None:
        # These pictures are not looked at: what smooths them is a fifth of decoding.
        context = video.stream.codec_context
        context.options = {**context.options, "skip_loop_filter": "all"}
        self._feed = Feed(video, numbered=True)
        self._record = _Record(video)
        self._first_key: int | None = None
        self.enough = False
        self._untimed = False

    def take(self, packet: VideoPacket, *, lost: bool) -> bool:
        """Decodes the next packet, as long as more frames are needed.

        Args:
            lost: the container knows that data of it is lost.

        Returns:
            Whether data of it is lost, as far as container and codec tell.

        Raises:
            VideoError: the picture cannot be displayed as it is.
        """
        if not self.enough:
            self._decode(packet, lost=lost)
        return lost or self._feed.lacks_data(packet)

    def _decode(self, packet: VideoPacket, *, lost: bool) -> None:
        if packet.is_keyframe and self._first_key is None:
            self._first_key = packet.pts
            self._untimed = self.enough = packet.pts is None
        self._add(self._feed.take(packet, corrupt=lost))

    def end(self) -> DecodedFrames | None:
        """What the decoder tells, after the last packet.

        None where the first keyframe has no time: then packets do not tell frames.

        Raises:
            VideoError: the video has no frame, or the picture cannot be displayed as it is.
        """
        if self._untimed:
            return None
        if not self.enough:
            self._add(self._feed.take(None))
        return self._record.found(whole=not self.enough)

    def _add(self, fed: Fed) -> None:
        self._record.add(fed)
        key = self._first_key
        self.enough = key is not None and self._record.count_from(key) >= CHECKED_FRAMES


def decode_all(video: VideoFile, read: ReadProgress) -> DecodedFrames:
    """What the decoder tells of all frames.

    Raises:
        VideoError: the video has no frame, or the picture cannot be displayed as it is.
    """
    record = _Record(video)
    read.add_pass()
    video.rewind()
    for fed in Feed(video, numbered=True).of(marked(video, read.count(video.packets()))):
        record.add(fed)
    return record.found(whole=True)


def damaged_packets(packets: PacketTable, decoded: DecodedFrames) -> int:
    """As `VideoIndex.undecodable`, but for frames that vanished between packets."""
    behind = 0 if decoded.whole else int(np.count_nonzero(packets.lost[packets.decoded :]))
    return _lost_front(packets, decoded) + decoded.damaged_packets + behind


def _lost_front(packets: PacketTable, decoded: DecodedFrames) -> int:
    """How many packets before the first keyframe give no frame since data of them is lost; 0 for a
    recording that only begins between keyframes.
    """
    before = int(packets.key.argmax()) if packets.key.any() else 0
    if not packets.lost[:before].any():
        return 0
    return max(0, before - int(np.count_nonzero(decoded.pts < packets.pts[before])))


class _Record:
    """Frames as rows of `DecodedFrames`."""

    def __init__(self, video: VideoFile) -> None:
        self._video = video
        self._rows: list[tuple[int, bool]] = []
        # Packets count from the first that can give a frame, which has this number.
        self._first = 0
        self._packets = 0
        self._bad: set[int] = set()
        # The numbers of the packets that gave a frame, and of those that gave a keyframe.
        self._shown: set[int] = set()
        self._keys: set[int] = set()
        self._damaged = False
        self._display: Display | None = None
        self._interlaced = False

    def add(self, fed: Fed) -> None:
        """A packet, and the frames that came out after it."""
        self._damaged = self._damaged or fed.damaged
        if fed.damaged:
            self._bad.add(self._packets)
        if fed.packet is not None and (self._packets or fed.packet.is_keyframe):
            self._first = self._first if self._packets else number_of(fed.packet)
            self._packets += 1
        for frame in fed.frames:
            if self._display is None:
                self._display = _displayed(self._video, frame)
            self._damaged = self._damaged or frame.is_corrupt
            self._interlaced = self._interlaced or frame.interlaced_frame
            self._shown.add(number_of(frame) - self._first)
            if frame.key_frame:
                self._keys.add(number_of(frame) - self._first)
            self._rows.append((NO_PTS if frame.pts is None else frame.pts, frame.key_frame))

    def count_from(self, pts: int) -> int:
        """How many of the frames are displayed at `pts` or later."""
        return sum(row_pts >= pts for row_pts, _ in self._rows)

    def found(self, *, whole: bool) -> DecodedFrames:
        """What was found.

        Raises:
            VideoError: no frame was.
        """
        if self._display is None:
            raise _no_frame(self._video)
        table = np.array(self._rows, dtype=np.int64)
        return DecodedFrames(
            pts=table[:, 0],
            key=table[:, 1] == 1,
            whole=whole,
            lost=self._lost(),
            damaged_packets=len(self._bad),
            damaged=self._damaged,
            display=replace(self._display, interlaced=self._interlaced),
        )

    def _lost(self) -> IntArray:
        """As in `DecodedFrames`: the packets that gave no frame from a damaged one up to the next
        keyframe, since decoders leave frames out without an error that lack their references.
        """
        without = []
        lost = False
        for number in range(self._packets):
            lost = number in self._bad or (lost and number not in self._keys)
            if lost and number not in self._shown:
                without.append(number)
        count = min(len(without), max(0, self._packets - len(self._rows)))
        order = np.arange(count)
        places = np.array(without[:count], np.int64)
        rising: IntArray = np.maximum.accumulate(places - order) + order
        return np.minimum(rising, len(self._rows) + order)


def _no_frame(video: VideoFile) -> VideoError:
    """The error for a video of which no frame was decoded."""
    most, width, height = video.limits.pixels, video.stream.width, video.stream.height
    if width * height > most:
        return VideoError(
            f"{video.path} has frames of {width}x{height}, over {most:,} pixels", SCALE_DOWN
        )
    return VideoError(
        f"no frame of {video.path} can be decoded",
        f"Check that it plays, and that its frames have at most {most:,} pixels.",
    )


def _crop(video: VideoFile, size: tuple[int, int]) -> Crop:
    """What the container cuts off the stored frames, which have that size (width, height)."""
    kind, crop = video.container.format.name, NO_CROP
    if "matroska" in kind:
        crop = matroska_crop(video.path, list(video.container.streams.video).index(video.stream))
    elif "mp4" in kind:
        crop = clean_aperture(video.path, video.stream.id, size)
    fits = crop.left + crop.right < size[0] and crop.top + crop.bottom < size[1]
    return crop if fits else NO_CROP


def _displayed(video: VideoFile, frame: VideoFrame) -> Display:
    """How the frame is displayed.

    Raises:
        VideoError: it is displayed tilted or too large, or its colours cannot be made RGB.
    """
    way = orientation_of(frame)
    if way is None:
        raise VideoError(
            f"{video.path} is to be displayed tilted, which is not supported",
            "Convert it: `ffmpeg -i FILE -c:v libx264 -crf 16 NEW.mp4`.",
        )
    aspect, crop = video.pixel_aspect, _crop(video, (frame.width, frame.height))
    kept = frame.width - crop.left - crop.right, frame.height - crop.top - crop.bottom
    width, height = displayed_size(*kept, aspect, way.rotation)
    if width * height > video.limits.pixels:
        raise VideoError(
            f"{video.path} is displayed at {width}x{height}, over {video.limits.pixels:,} pixels",
            SCALE_DOWN,
        )
    hdr = HDR.get(frame.color_trc)
    display = Display(width, height, way.rotation, way.mirrored, aspect, hdr, crop=crop)
    try:
        RgbConverter(display).rgb(frame)
    except av.FFmpegError as error:
        raise VideoError(
            f"{video.path} has colours that cannot be made RGB "
            f"({frame.format.name}, colour space {frame.colorspace})",
            "Convert it: `ffmpeg -i FILE -vf zscale=matrix=709,format=yuv420p -c:v libx264 -crf 16 "
            "NEW.mp4`.",
        ) from error
    return display
