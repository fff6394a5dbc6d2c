"""Files that end early, or can be read no further, say how much is missing; whole ones never do."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import pytest

from annotate.domain.video import Chunk, Frame
from annotate.video import decode_with_damage, endings, probe
from tests.made_videos import FRAGMENTS, Layout, h264, mpeg4, number_of, with_edit_list
from tests.test_video_transport import noisy

FRAMES, HOLE = 50, 600
# The bit of a frame of VP8 that says that it is displayed (RFC 6386).
SHOWN = 0x10
# Bytes in front of a packet of IVF, and where the file's header counts packets.
IVF_HEADER, IVF_COUNT = 12, 24
# The least and the greatest fraction of the lost frames that are said where they are estimated.
NEAR = (0.5, 1.5)


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def hole(value: int, place: float = 0.5) -> Callable[[bytes], bytes]:
    """Bytes amid a file that are overwritten."""

    def damage(data: bytes) -> bytes:
        begin = int(len(data) * place)
        return data[:begin] + bytes([value]) * HOLE + data[begin + HOLE :]

    return damage


EVERY_FRAME = {"movflags": "frag_every_frame+empty_moov"}
LIVE = {"live": "1"}
gif = Layout(".gif", codec="gif", pix_fmt="rgb8", frames=FRAMES, paint=noisy)
SHORT: dict[str, tuple[Layout, Callable[[bytes], bytes], bool]] = {
    # The layout, what is done to the file, and whether about all lost frames can be known.
    "FLV": (h264(".flv"), half, True),
    "fragmented MP4, amid a fragment": (h264(".mp4", container_options=FRAGMENTS), half, False),
    "fragmented MP4, zeros": (h264(".mp4", container_options=EVERY_FRAME), hole(0), True),
    "fragmented MP4, ones": (h264(".mp4", container_options=EVERY_FRAME), hole(255), True),
    "fragmented MP4, its last ones": (
        h264(".mp4", container_options=EVERY_FRAME),
        hole(0, 0.89),
        False,
    ),
    "MKV without a duration": (h264(".mkv", container_options=LIVE), half, False),
    "GIF": (gif, half, False),
    "GIF, zeros": (gif, hole(0), True),
    "APNG": (replace(gif, suffix=".apng", codec="apng", pix_fmt="rgb24"), half, True),
    "IVF": (Layout(".ivf", codec="libvpx", options={"cpu-used": "8"}), half, True),
    "ASF": (Layout(".wmv", codec="wmv1"), half, False),
}


@pytest.mark.parametrize("name", SHORT)
def test_what_is_missing_is_said(name: str, tmp_path: Path) -> None:
    layout, damage, about_all = SHORT[name]
    path = replace(layout, size=(96, 64)).make(tmp_path / f"video{layout.suffix}").path
    assert (probe(path).missing_frames, probe(path).undecodable) == (0, 0)
    path.write_bytes(damage(path.read_bytes()))
    index = probe(path)
    lost = FRAMES - len(index)
    assert lost > 0
    # Nothing may follow the packet in which the file is cut.
    assert index.missing_frames or index.undecodable
    if about_all:
        assert NEAR[0] * lost <= index.missing_frames <= NEAR[1] * lost


def test_what_an_edit_list_hides_is_not_missing(tmp_path: Path) -> None:
    """Where the last frame is longer than the others, the list ends later than they would."""
    shown = with_edit_list((20, 51))
    path = h264(".mp4", rework=shown).make(tmp_path / "video.mp4").path
    index = probe(path)
    assert len(index) == FRAMES - 20
    assert index.missing_frames == 0


def test_empty_frames_of_avi_are_not_missing(tmp_path: Path) -> None:
    """They fill gaps of the clock; FFmpeg reads past them."""
    layout = mpeg4(".avi", sound_s=4, sound_codec="mp3", times=lambda n: n + 3 * (n > 20))
    index = probe(layout.make(tmp_path / "video.avi").path)
    assert index.declared_frames is not None
    assert index.declared_frames > len(index) == FRAMES
    assert index.missing_frames == 0


def test_hidden_frames_that_the_header_of_ivf_counts_are_not_missing(tmp_path: Path) -> None:
    """As vpxenc writes them: a hidden frame has a packet of its own."""
    path = Layout(".ivf", codec="libvpx", frames=12).make(tmp_path / "video.ivf").path
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        last = [bytes(packet) for packet in container.demux(video=0) if packet.size][-1]
    place = data.rindex(last)
    assert last[0] & SHOWN
    hidden = data[place - IVF_HEADER : place] + bytes([last[0] & ~SHOWN]) + last[1:]
    data[place - IVF_HEADER : place - IVF_HEADER] = hidden
    data[IVF_COUNT] += 1
    path.write_bytes(data)
    index = probe(path)
    assert (len(index), index.missing_frames) == (12, 0)


def test_a_clock_that_jumps_tells_nothing_of_what_is_missing(tmp_path: Path) -> None:
    years_ms = 10**11
    layout = Layout(".flv", codec="flv", fps=1000, times=lambda n: 40 * n + years_ms * (n > 20))
    index = probe(layout.make(tmp_path / "video.flv").path)
    assert index.assumed_fps is not None
    assert (len(index), index.missing_frames) == (FRAMES, 0)


def test_times_of_decoding_in_asf_are_none_of_lost_frames(tmp_path: Path) -> None:
    path = mpeg4(".asf").make(tmp_path / "video.asf").path
    index = probe(path)
    frames = list(decode_with_damage(path, index, Chunk(0, len(index))))
    assert [number_of(one.rgb) for one in frames if isinstance(one, Frame)] == list(range(FRAMES))
    assert index.undecodable == 0


def test_a_cut_off_mxf_shows_no_frame_in_the_place_of_another(tmp_path: Path) -> None:
    """Without the index at its end, a seek leads to other frames than their times say."""
    layout = Layout(".mxf", codec="jpeg2000", frames=12)
    path = layout.make(tmp_path / "video.mxf").path
    path.write_bytes(half(path.read_bytes()))
    index = probe(path)
    frames = list(decode_with_damage(path, index, Chunk(0, len(index))))
    shown = {one.index: number_of(one.rgb) for one in frames if isinstance(one, Frame)}
    assert len(shown) >= len(index) - 1
    assert all(number == at for at, number in shown.items())


def test_a_file_of_countless_boxes_is_not_looked_through_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, box = tmp_path / "v.mp4", b"\0\0\0\x08free"
    path.write_bytes(b"\0\0\0\x08moof" + 4 * box + b"\xff" * 8 + b"mfro")
    size = path.stat().st_size
    assert endings._behind_fragments(path, size) == 40
    monkeypatch.setattr(endings, "_MOST_BOXES", 5)
    assert endings._behind_fragments(path, size) is None
