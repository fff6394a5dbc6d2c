"""The clock that players show, in files whose picture begins half a second after the sound."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from annotate.domain.options import Selection
from annotate.numeric.selection import selected_frames
from annotate.video import probe
from tests.made_sound import add_sound
from tests.made_videos import FPS, picture

LATE_S = Fraction(1, 2)
# Matroska keeps milliseconds, and the encoder of the sound starts up to 64 ms early.
TOLERANCE_S = 0.065


def late_picture(path: Path, shift_s: int = 0) -> Path:
    """A second of silence from 0 s on, and 10 pictures from half a second on."""
    options = {"output_ts_offset": str(shift_s)} if shift_s else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=FPS)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = 160, 120
        stream.codec_context.time_base = Fraction(1, 2 * FPS)
        add_sound(container, 1.0)
        for number in range(10):
            frame = VideoFrame.from_ndarray(picture(number, 160, 120), format="rgb24")
            frame.pts, frame.time_base = 2 * number + int(LATE_S * 2 * FPS), Fraction(1, 2 * FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("suffix", "shift_s"), [(".mp4", 0), (".mkv", 0), (".ts", 0), (".ts", 5000)]
)
def test_times_count_from_the_start_of_the_sound(suffix: str, shift_s: int, tmp_path: Path) -> None:
    path = late_picture(tmp_path / f"late{suffix}", shift_s)
    index = probe(path)
    # What `ffplay -ss` and ffprobe's `start_time` refer to.
    with av.open(str(path)) as container:
        stream, start = container.streams.video[0], container.start_time
        assert stream.start_time is not None
        assert stream.time_base is not None
        assert start is not None
        assert index.start_s == pytest.approx(float(stream.start_time * stream.time_base))
        assert index.container_start_s == start / 1e6
    assert index.player_s[0] == pytest.approx(float(LATE_S), abs=TOLERANCE_S)
    assert index.time_s[0] == 0
    third = float(index.player_s[3])
    assert selected_frames(index, Selection(start_s=third, end_s=third + 0.1)).tolist() == [3, 4, 5]
    assert not len(selected_frames(index, Selection(end_s=float(LATE_S) - TOLERANCE_S)))


def test_without_sound_the_first_frame_is_at_zero(tmp_path: Path) -> None:
    path = tmp_path / "late.ts"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = 160, 120
        frame = VideoFrame.from_ndarray(picture(0, 160, 120), format="rgb24")
        frame.pts, frame.time_base = 3, Fraction(1, FPS)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    index = probe(path)
    assert index.start_s == pytest.approx(3 / FPS)
    assert index.player_s.tolist() == [0.0]
