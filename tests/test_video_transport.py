"""Transport streams of which packets are lost or overwritten: no frame is lost in silence."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from annotate.domain.video import Chunk, DamagedFrame, Frame
from annotate.video import decode_with_damage, probe
from annotate.video.holes import has_hole
from tests.gallery.damage import zero_packet
from tests.made_videos import LAYOUTS, Layout, h264, picture

TS_PACKET, HEADER, VIDEO_PID, GOP = 188, 4, 0x100, 12
# How the picture of a keyframe begins.
IDR = b"\0\0\1\x65"
# Bytes of zeros amid a packet.
HOLE = 64
# Counters of packets begin anew after so many.
COUNTED = 16
# Every so many packets are tried.
EVERY = 7


def noisy(number: int, width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A picture with moving detail, so that frames fill several packets."""
    rgb = picture(number, width, height)
    grain = np.random.default_rng(1).integers(0, 60, (height, width + 200, 3), np.uint8)
    rgb[height // 2 :] = grain[height // 2 :, 3 * number : 3 * number + width]
    return rgb


SMALL = h264(".ts", frames=30, size=(96, 64), paint=noisy)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SMALL.make(tmp_path_factory.mktemp("ts") / "sound.ts").path


def packets_of_video(data: bytes) -> list[int]:
    """Where the packets of the video begin."""
    places = range(0, len(data) - TS_PACKET + 1, TS_PACKET)
    return [at for at in places if (data[at + 1] & 0x1F) << 8 | data[at + 2] == VIDEO_PID]


def payload_at(data: bytes, at: int) -> int:
    return at + HEADER + (1 + data[at + HEADER] if data[at + 3] & 0x20 else 0)


def drop(data: bytes, at: int) -> bytes:
    return data[:at] + data[at + TS_PACKET :]


def zero(data: bytes, at: int) -> bytes:
    begin = payload_at(data, at)
    return data[:begin] + bytes(at + TS_PACKET - begin) + data[at + TS_PACKET :]


def pictures(path: Path) -> dict[int, bytes]:
    index = probe(path)
    frames = decode_with_damage(path, index, Chunk(0, len(index)))
    return {frame.pts: frame.rgb.tobytes() for frame in frames if isinstance(frame, Frame)}


@pytest.mark.parametrize("damage", [drop, zero])
def test_a_lost_packet_is_said_and_smears_no_picture(
    damage: Callable[[bytes, int], bytes], sound: Path, tmp_path: Path
) -> None:
    """Wherever it is, at the head of a frame, in it, or at its end."""
    truth, data = pictures(sound), sound.read_bytes()
    heads = 0
    for at in packets_of_video(data)[2::EVERY]:
        heads += data[at + 1] >> 6 & 1
        path = tmp_path / "damaged.ts"
        path.write_bytes(damage(data, at))
        index = probe(path)
        frames = list(decode_with_damage(path, index, Chunk(0, len(index))))
        assert index.undecodable or any(isinstance(one, DamagedFrame) for one in frames), at
        for one in frames:
            assert isinstance(one, DamagedFrame) or one.rgb.tobytes() == truth[one.pts], at
    assert heads


def test_a_lost_frame_of_m2ts_is_said(tmp_path: Path) -> None:
    """A time code is in front of each of its packets."""
    made = replace(SMALL, suffix=".m2ts").make(tmp_path / "video.m2ts").path
    index, data = probe(made), bytearray(made.read_bytes())
    with av.open(str(made)) as container:
        packets = [one for one in container.demux(video=0) if one.size]
    begin, end = packets[GOP + 5].pos or 0, packets[GOP + 6].pos or 0
    data[begin:end] = bytes(end - begin)
    made.write_bytes(data)
    damaged = probe(made)
    assert damaged.pts.tolist() == index.pts.tolist()
    assert damaged.undecodable


def test_as_many_lost_packets_as_the_counters_count_are_said(sound: Path, tmp_path: Path) -> None:
    """The counters go on, but bytes belong to no packet, and frames are missing in the clock."""
    truth, data = pictures(sound), sound.read_bytes()
    places, path = packets_of_video(data), tmp_path / "damaged.ts"
    for first in range(GOP, len(places) - 2 * COUNTED, COUNTED):
        damaged = bytearray(data)
        for at in places[first : first + COUNTED]:
            damaged[at : at + TS_PACKET] = bytes(TS_PACKET)
        path.write_bytes(damaged)
        index = probe(path)
        assert index.pts.tolist() == list(truth), first
        assert pictures(path).items() < truth.items(), first


@pytest.mark.parametrize("stride", [188, 192])
def test_bytes_between_packets_cost_no_frame(stride: int, sound: Path, tmp_path: Path) -> None:
    """Garbage, and the time codes of M2TS."""
    data, path = sound.read_bytes(), tmp_path / "odd.ts"
    packets = [data[at : at + TS_PACKET] for at in range(0, len(data), TS_PACKET)]
    apart = [bytes(stride - TS_PACKET) + packet for packet in packets]
    amid = bytes(999) if stride == TS_PACKET else b""
    path.write_bytes(b"".join([*apart[:60], amid, *apart[60:]]))
    assert pictures(path) == pictures(sound)


def test_frames_that_vanish_before_a_keyframe_are_said(sound: Path, tmp_path: Path) -> None:
    """Whole packets of the last frame before it are gone; recordings that were joined, or go on
    much later, lack nothing there.
    """
    data = sound.read_bytes()
    heads = [at for at in packets_of_video(data) if data[at + 1] & 0x40]
    path = tmp_path / "damaged.ts"
    path.write_bytes(data[: heads[GOP - 1]] + data[heads[GOP] :])
    index = probe(path)
    frames = list(decode_with_damage(path, index, Chunk(0, len(index))))
    assert [one.index for one in frames if isinstance(one, DamagedFrame)] == [GOP - 2, GOP - 1]
    assert pictures(path).items() <= pictures(sound).items()


def later(seconds: float) -> Layout:
    return replace(SMALL, container_options={"output_ts_offset": str(seconds)})


def test_recordings_that_were_joined_lack_nothing(sound: Path, tmp_path: Path) -> None:
    """The second one goes on at once, others a fifth of a second and a minute later."""
    starts = (1.2, 2.6, 60)
    parts = [later(seconds).make(tmp_path / "part.ts").path.read_bytes() for seconds in starts]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(sound.read_bytes() + b"".join(parts))
    assert len(pictures(joined)) == 4 * SMALL.frames


def test_a_front_that_is_lost_is_said(sound: Path, tmp_path: Path) -> None:
    """A recording that only begins between keyframes has none."""
    data = sound.read_bytes()
    path = tmp_path / "damaged.ts"
    (at,) = [one for one in packets_of_video(data)[:9] if IDR in data[one : one + TS_PACKET]]
    path.write_bytes(drop(data, at))
    # The frame that the keyframe's head belongs to, and those that follow up to the next one.
    assert probe(path).undecodable >= GOP - 1
    path.write_bytes(data[packets_of_video(data)[25] :])
    index = probe(path)
    assert len(index) < SMALL.frames
    assert index.undecodable == 0


@pytest.mark.parametrize(
    "name",
    ["H.264 with B-frames in MP4", "HEVC with 10 bits in MKV", "MPEG-2 in MKV", "H.264 in FLV"],
)
def test_zeros_amid_a_packet_are_damage(name: str, tmp_path: Path) -> None:
    """As a lost block of the disk leaves them."""
    layout = replace(LAYOUTS[name], paint=noisy, frames=30)
    path = layout.make(tmp_path / f"video{layout.suffix}").path
    truth, data = pictures(path), path.read_bytes()
    with av.open(str(path)) as container:
        packets = [bytes(one) for one in container.demux(video=0) if one.size > 2 * HOLE]
    for packet in packets[::4]:
        at = data.index(packet) + len(packet) // 2
        path.write_bytes(data[:at] + bytes(HOLE) + data[at + HOLE :])
        found = pictures(path)
        assert len(found) < len(truth)
        assert found.items() <= truth.items()


def test_a_packet_of_zeros_behind_the_first_frames_is_said(tmp_path: Path) -> None:
    """Of a codec with start codes, whose packets may end with zeros."""
    path = Layout(".avi", codec="mpeg4", frames=48).make(tmp_path / "video.avi").path
    zero_packet(path, number=45)
    assert probe(path).undecodable == 1


@pytest.mark.parametrize("suffix", [".ts", ".mp4"])
def test_damage_behind_the_first_frames_is_said_when_a_video_is_read(
    suffix: str, tmp_path: Path
) -> None:
    """A lost packet of a transport stream, and zeros amid a packet: frames that are annotated as
    damaged, though not one of them was decoded yet.
    """
    path = replace(SMALL, suffix=suffix, frames=48).make(tmp_path / f"video{suffix}").path
    data = path.read_bytes()
    if suffix == ".ts":
        at = packets_of_video(data)[-3]
        path.write_bytes(drop(data, at))
    else:
        at = data.index(b"mdat") + (data.index(b"moov") - data.index(b"mdat")) * 9 // 10
        path.write_bytes(data[:at] + bytes(HOLE) + data[at + HOLE :])
    # The frame whose head is lost, and the one before it that its rest was taken for a part of.
    assert probe(path).undecodable == (2 if suffix == ".ts" else 1)


@pytest.mark.parametrize("name", ["01_one_bad_packet_frame40", "02_one_bad_packet_frame5"])
def test_packets_of_zeros_are_said_when_a_video_is_read(name: str, shared_data: Path) -> None:
    """Also behind the frames that are decoded then."""
    assert probe(shared_data / "cases" / f"{name}.mp4").undecodable == 1


def test_a_hole_is_zeros_without_a_start_code_behind_them() -> None:
    avc = bytes([1, 100, 0, 30, 0xFF])
    unit = b"\x65\x88\x84\x01"
    for codec, setup, data, hole in (
        ("h264", b"", b"\0\0\0\1" + unit + bytes(9) + b"\0\0\1" + unit, False),
        ("h264", b"", b"\0\0\0\1" + unit + bytes(3) + unit, True),
        ("h264", b"", b"\0\0\0\1" + unit + bytes(50), False),
        ("h264", avc, b"\0\0\0\4" + unit + b"\0\0\0\4" + unit, False),
        ("h264", avc, b"\0\0\0\x0b" + unit + bytes(3) + unit, True),
        ("h264", avc, b"\0\0\0\4" + unit + bytes(4) + unit, True),
        ("h264", avc, b"\0\0\0\x08" + unit + bytes(4), False),
        ("h264", avc, b"\0\0\0\x06" + unit + bytes(2) + b"\0\0\0\4" + unit, False),
        ("mjpeg", b"", unit + bytes(99) + unit, False),
    ):
        assert has_hole(codec, setup, memoryview(data)) == hole
