"""Numbers and times for people, and lines that several commands print."""

import logging
from typing import TYPE_CHECKING

import typer

from annotate.domain.names import printable_lines

if TYPE_CHECKING:
    from annotate.domain.video import VideoIndex
    from annotate.queue.job_status import JobStatus, VideoStatus

# The number of ranges of damaged frames that a line names.
SHOWN_RANGES = 4


def say(text: str, *, err: bool = False) -> None:
    """Prints lines; names in them cannot move the cursor or change colours of the terminal."""
    typer.echo(printable_lines(text), err=err)


class PrintedWarnings(logging.Handler):
    """Prints what the program logs as a warning, beside the bars if there are some."""

    def emit(self, record: logging.LogRecord) -> None:
        """Called by `logging`."""
        from annotate.cli.progress import print_line  # not every command needs its libraries

        print_line(record.getMessage(), "yellow")


# As viewers and cameras call them.
HDR_NAMES = {"pq": "PQ (HDR10)", "hlg": "HLG"}


def number(value: float) -> str:
    """With a comma between thousands: 1,234; one decimal below 10.

    >>> number(1234.5), number(2.34)
    ('1,234', '2.3')
    """
    return f"{value:,.1f}" if 0 < abs(value) < 10 and value % 1 else f"{value:,.0f}"


def count(value: int, noun: str) -> str:
    """So many of a thing.

    >>> count(1, "worker"), count(1200, "frame")
    ('1 worker', '1,200 frames')
    """
    return f"{number(value)} {noun}{'' if value == 1 else 's'}"


def duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `2 h 05 min`.

    >>> duration(200.2)
    '3 min 20 s'
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def amount(size_b: float) -> str:
    """So many bytes, in two or three digits.

    >>> amount(900), amount(2_340_000), amount(210_400_000), amount(1.26e12)
    ('1 KB', '2.3 MB', '210 MB', '1.3 TB')
    """
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size_b >= size:
            return f"{number(round(size_b / size, 1))} {unit}"
    return f"{max(1, round(size_b / 1e3))} KB"


def duplicate_video(name: str, first: str) -> str:
    """A line about a file with the content of another one."""
    return f"duplicate  {name}: duplicate of {first}; annotated once, exported as both"


def truncated_video(name: str, missing_s: float) -> str:
    """A line about a file that holds less than its header promises."""
    return f"truncated  {name}: last {missing_s:.1f} s missing; the rest is annotated"


def accounts(status: "JobStatus") -> list[str]:
    """What became of the frames: a line for the job, and one for each video that lost some, whose
    size changed, or that shows too many people.
    """
    videos = [video.account for video in status.videos]
    decoded = sum(one.decoded for one in videos)
    damaged = sum(one.damaged for one in videos)
    missing = sum(one.missing for one in videos)
    return [
        f"Frames: {number(decoded)} decoded, {number(damaged)} damaged, {number(missing)} missing.",
        *(
            account(video)
            for video in status.videos
            if video.account.damaged or video.account.missing
        ),
        *(fitted_frames(video) for video in status.videos if video.fitted),
        *(crowded_frames(video) for video in status.videos if video.crowded),
    ]


def account(video: "VideoStatus") -> str:
    """A line about the frames of a video, with the first ranges of damaged ones."""
    one = video.account
    declared = "" if one.declared is None else f"{number(one.declared)} declared, "
    ranges = [f"{frame_range(one.start, one.stop)} ({one.reason})" for one in video.damaged]
    shown = ", ".join(ranges[:SHOWN_RANGES])
    more = f" and {len(ranges) - SHOWN_RANGES} more" if len(ranges) > SHOWN_RANGES else ""
    where = f": frames {shown}{more}" if ranges else ""
    return (
        f"  {video.video.name}: {declared}{number(one.decoded)} decoded, "
        f"{number(one.missing)} missing, {number(one.damaged)} damaged{where}"
    )


def frame_range(start: int, stop: int) -> str:
    """The frames `[start, stop)`, as people write them.

    >>> frame_range(3, 4), frame_range(3, 6)
    ('3', '3-5')
    """
    return str(start) if stop == start + 1 else f"{start}-{stop - 1}"


def fitted_frames(video: "VideoStatus") -> str:
    """A line about frames whose size changed amid the video."""
    frames = count(sum(one.count for one in video.fitted), "frame")
    ranges = [
        f"{frame_range(one.start, one.stop)} ({one.width}x{one.height})" for one in video.fitted
    ]
    more = f" and {len(ranges) - SHOWN_RANGES} more" if len(ranges) > SHOWN_RANGES else ""
    shown = ", ".join(ranges[:SHOWN_RANGES]) + more
    return f"  {video.video.name}: {frames} of another size, fitted into the first: {shown}"


def crowded_frames(video: "VideoStatus") -> str:
    """A line about frames in which the detector found more people than are annotated."""
    frames, most = count(sum(one.count for one in video.crowded), "frame"), video.crowded[0].most
    ranges = [frame_range(one.start, one.stop) for one in video.crowded]
    more = f" and {len(ranges) - SHOWN_RANGES} more" if len(ranges) > SHOWN_RANGES else ""
    shown = ", ".join(ranges[:SHOWN_RANGES]) + more
    return (
        f"  {video.video.name}: over {most} people in {frames}, the surest {most} are annotated: "
        f"{shown}"
    )


def other_streams(name: str, stream: int | None, streams: tuple[int, ...]) -> str:
    """A line about a file with several video streams, by their indexes in the container."""
    others = ", ".join(str(one) for one in streams if one != stream)
    return f"streams    {name}: stream {stream} is annotated; it also has {others} (see --stream)"


def repaired_clock(name: str, interpolated: int, assumed_fps: float | None) -> str:
    """A line about a file whose time stamps cannot be used as they are."""
    if assumed_fps is None:
        return f"clock      {name}: {count(interpolated, 'time stamp')} out of order, interpolated"
    rate = f"{assumed_fps:g} frames per second"
    return f"clock      {name}: unusable time stamps; counted at {rate} (see --assume-fps)"


def joined_images(name: str, index: "VideoIndex") -> str:
    """A line about a video that was joined from images."""
    frames = count(len(index), "image")
    gaps = f", {count(index.image_gaps, 'number')} between them missing" if index.image_gaps else ""
    return (
        f"images     {name}: {frames}{gaps}; {index.assumed_fps or 0:g} a second (see --assume-fps)"
    )


def damaged_video(name: str, packets: int) -> str:
    """A line about a file with damaged packets."""
    return f"damaged    {name}: {damaged_packets(packets)}; the rest is annotated"


def damaged_packets(packets: int) -> str:
    """So many packets are damaged."""
    return f"{count(packets, 'packet')} {'is' if packets == 1 else 'are'} damaged"


def displayed_video(name: str, index: "VideoIndex") -> str:
    """A line about a file whose pixels are not square."""
    shape = f"{index.pixel_aspect.numerator}:{index.pixel_aspect.denominator}"
    size = f"{index.width}x{index.height}"
    return f"pixels     {name}: stored with pixels {shape}; annotated as displayed, {size}"


def video_notes(name: str, index: "VideoIndex") -> list[str]:
    """Lines about what is odd in a video, if anything."""
    odd_clock = bool(index.assumed_fps or index.interpolated)
    images = index.image_gaps is not None
    hdr = HDR_NAMES.get(index.hdr or "")
    moments = "the odd and even lines of a frame show two moments (see --deinterlace)"
    notes = {
        truncated_video(name, index.missing_s): index.missing_s > 0,
        damaged_video(name, index.undecodable): index.undecodable > 0,
        repaired_clock(name, index.interpolated, index.assumed_fps): odd_clock and not images,
        joined_images(name, index): images,
        other_streams(name, index.stream, index.video_streams): len(index.video_streams) > 1,
        displayed_video(name, index): index.pixel_aspect != 1,
        f"HDR        {name}: {hdr} is tone-mapped to standard pictures": index.hdr is not None,
        f"interlaced {name}: {moments}": index.interlaced,
    }
    return [line for line, holds in notes.items() if holds]
