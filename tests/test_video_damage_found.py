"""Damage of which decoders say nothing, and what the container knows of it."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from annotate.domain.video import AnyFrame, Chunk, DamagedFrame, Frame, VideoIndex
from annotate.video import decode_with_damage, probe
from annotate.video.file import VideoPacket
from tests.made_videos import FRAMES, LAYOUTS, Layout, number_of
from tests.test_video_damage import GOP, H264_TS, outcomes, overwritten, without_ts_packet


def read(path: Path) -> tuple[VideoIndex, list[AnyFrame]]:
    index = probe(path)
    return index, list(decode_with_damage(path, index, Chunk(0, len(index))))


def shown(frames: list[AnyFrame]) -> dict[int, int]:
    """The numbers that sound frames carry in their pixels, by their index."""
    return {one.index: number_of(one.rgb) for one in frames if isinstance(one, Frame)}


def damaged(frames: list[AnyFrame]) -> dict[int, str]:
    return {one.index: one.reason for one in frames if isinstance(one, DamagedFrame)}


def same_in_chunks(path: Path, index: VideoIndex) -> bool:
    whole = outcomes(path, index, Chunk(0, len(index)))
    return all(
        outcomes(path, index, Chunk(start, min(start + 3, len(index)))) == whole[start : start + 3]
        for start in range(0, len(index), 4)
    )


def packets_of(path: Path) -> list[VideoPacket]:
    with av.open(str(path)) as container:
        return [packet for packet in container.demux(video=0) if packet.size]


def test_half_a_jpeg_is_damaged(tmp_path: Path) -> None:
    """The decoder would show what was in its memory before."""
    path = LAYOUTS["Motion JPEG in AVI"].make(tmp_path / "video.avi").path
    packet = packets_of(path)[20]
    data, at = path.read_bytes(), packet.pos or 0
    half, stop = at + packet.size // 2, at + packet.size
    path.write_bytes(data[:half] + b"\xff\xd9" + bytes(stop - half - 2) + data[stop:])
    _, frames = read(path)
    assert damaged(frames) == {20: "not decoded"}
    assert shown(frames) == {number: number for number in range(FRAMES) if number != 20}


@pytest.mark.parametrize("layout", [H264_TS, "HEVC with open GOPs in MPEG-TS"])
def test_what_is_lost_right_after_a_keyframe_is_found_from_every_chunk(
    layout: str, tmp_path: Path
) -> None:
    """Counters of the transport stream tell: the mark is on the packet before the keyframe. The
    lost frame is known by the gap in the time stamps, so the others keep their numbers.
    """
    path = LAYOUTS[layout].make(tmp_path / "video.ts").path
    packets = packets_of(path)
    key = next(place for place, one in enumerate(packets[20:], 20) if one.is_keyframe)
    start, stop = packets[key + 1].pos, packets[key + 2].pos
    assert start is not None
    assert stop is not None
    data = path.read_bytes()
    path.write_bytes(data[:start] + data[stop:])
    index, frames = read(path)
    assert len(index) == FRAMES
    assert damaged(frames)
    assert all(number == at for at, number in shown(frames).items())
    assert same_in_chunks(path, index)


def test_one_time_stamp_far_ahead_near_the_end_loses_no_frame(tmp_path: Path) -> None:
    """It moves its frame by few places, and is no more than the last one of a long video."""
    path = LAYOUTS["H.264 in FLV"].make(tmp_path / "video.flv").path
    packet = packets_of(path)[46]
    data = bytearray(path.read_bytes())
    at = data.rindex(b"\x09", 0, packet.pos) if packet.pos is None else packet.pos
    assert data[at] == 9  # a tag that holds video
    data[at + 7] ^= 0x40  # bits 24 to 31 of its time in milliseconds
    path.write_bytes(data)
    index, frames = read(path)
    assert len(index) == FRAMES
    assert index.interpolated == 1
    assert index.time_s[-1] < FRAMES / 25
    assert shown(frames) == {number: number for number in shown(frames)}
    assert len(shown(frames)) >= FRAMES - GOP


def test_an_index_that_leads_elsewhere_is_not_used(tmp_path: Path) -> None:
    """AVI counts its frames: where three are gone, all later ones are other frames than its index
    says.
    """
    path = LAYOUTS["Motion JPEG in AVI"].make(tmp_path / "video.avi").path
    places = [(packet.pos or 0) - 8 for packet in packets_of(path)]
    data = path.read_bytes()
    end, gone = data.rindex(b"idx1"), places[23] - places[20]
    filler = b"JUNK" + (gone - 8).to_bytes(4, "little") + bytes(gone - 8)
    path.write_bytes(data[: places[20]] + data[places[23] : end] + filler + data[end:])
    index, frames = read(path)
    assert list(shown(frames).values()) == [n for n in range(FRAMES) if n not in (20, 21, 22)]
    assert same_in_chunks(path, index)


def test_marks_of_the_container_count_where_frames_are_counted(tmp_path: Path) -> None:
    """Two recordings whose times overlap, so that frames are counted; one lacks a TS packet."""
    layout = replace(LAYOUTS[H264_TS], container_options={})
    part = layout.make(tmp_path / "part.ts").path
    sound = part.read_bytes()
    without_ts_packet(part, 0.6)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(sound + part.read_bytes())
    index, frames = read(joined)
    assert not len(index.keyframes)
    assert len(damaged(frames)) >= 2
    assert min(damaged(frames)) >= FRAMES
    numbers = [*range(FRAMES), *range(FRAMES)]
    assert all(number == numbers[at] for at, number in shown(frames).items())
    assert np.isin(range(FRAMES), list(shown(frames))).all()
    assert same_in_chunks(joined, index)


@pytest.mark.parametrize("place", [0, 1, 13, 30, FRAMES - 2, FRAMES - 1])
@pytest.mark.parametrize(
    "layout",
    [
        *(LAYOUTS[f"MPEG-2 in {container}"] for container in ("MKV", "MXF")),
        *(LAYOUTS[f"H.264 in {container}"] for container in ("MKV", "FLV", "fragmented MP4")),
        *(LAYOUTS[name] for name in ("AV1 in MKV", "HEVC with 10 bits in MKV", "WMV in ASF")),
        Layout(".mkv", codec="ffv1"),
    ],
    ids=lambda layout: f"{layout.codec}{layout.suffix}" if isinstance(layout, Layout) else None,
)
def test_a_packet_of_zeros_renumbers_no_frame_wherever_it_is(
    layout: Layout, place: int, tmp_path: Path
) -> None:
    """Some decoders pass over zeros without an error, or show the frame before again; and the last
    packets of a file are missed by nothing that follows.
    """
    path = layout.make(tmp_path / f"video{layout.suffix}").path
    overwritten(path, place)
    index, frames = read(path)
    assert len(index) == FRAMES
    assert 1 <= len(damaged(frames)) <= 2 * GOP
    assert shown(frames) == {number: number for number in shown(frames)}


@pytest.mark.parametrize("place", [12, 36, 48])
def test_a_keyframe_of_zeros_renumbers_no_frame_where_frames_are_counted(
    place: int, tmp_path: Path
) -> None:
    """The decoder leaves out frames after it without an error, and gives others out of order."""
    path = LAYOUTS["H.264 in AVI, times out of order"].make(tmp_path / "video.avi").path
    overwritten(path, place)
    index, frames = read(path)
    assert not len(index.keyframes)
    assert len(index) == FRAMES
    assert 1 <= len(damaged(frames)) <= 2 * GOP
    assert shown(frames) == {number: number for number in shown(frames)}
    assert same_in_chunks(path, index)


def flipped(path: Path, place: int, length: int) -> None:
    """Bytes amid a packet become others."""
    packet = packets_of(path)[place]
    data, begin = bytearray(path.read_bytes()), (packet.pos or 0) + packet.size // 2
    data[begin : begin + length] = bytes(byte ^ 0x55 for byte in data[begin : begin + length])
    path.write_bytes(data)


def test_checksums_of_ffv1_tell_damage_that_its_decoder_passes_over(tmp_path: Path) -> None:
    """Of the first version, whose packets have none, nothing can be told."""
    for level, found in (("3", {8, 9, 10, 11}), ("1", set())):
        layout = Layout(".mkv", codec="ffv1", options={"level": level}, frames=14)
        path = layout.make(tmp_path / f"{level}.mkv").path
        assert not damaged(read(path)[1])
        flipped(path, 8, 3)
        index, frames = read(path)
        assert damaged(frames).keys() == found
        assert index.undecodable == bool(found)
        assert same_in_chunks(path, index) or not found


def test_blocks_of_dv_that_are_none_are_damage(tmp_path: Path) -> None:
    layout = Layout(".mov", codec="dvvideo", size=(720, 576), frames=4)
    path = layout.make(tmp_path / "video.mov").path
    assert not damaged(read(path)[1])
    flipped(path, 2, 200)
    assert damaged(read(path)[1]).keys() == {2}
