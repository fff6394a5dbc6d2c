"""Damaged videos: no frame is lost in silence, and no answer depends on where a chunk begins."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from annotate.domain.video import AnyFrame, Chunk, DamagedFrame, Frame, VideoIndex
from annotate.video import Reading, decode_with_damage, probe
from tests.made_videos import FRAMES, LAYOUTS, number_of

TS_PACKET = 188
GOP = 12


def outcome(frame: AnyFrame) -> str:
    """The picture's hash, or what is wrong with it."""
    if isinstance(frame, DamagedFrame):
        return frame.reason
    return hashlib.sha256(frame.rgb.tobytes()).hexdigest()


def outcomes(path: Path, index: VideoIndex, chunk: Chunk, threads: int = 1) -> list[str]:
    frames = list(decode_with_damage(path, index, chunk, reading=Reading(threads=threads)))
    assert [frame.index for frame in frames] == list(range(chunk.start, chunk.stop))
    assert [frame.pts for frame in frames] == index.pts[chunk.start : chunk.stop].tolist()
    return [outcome(frame) for frame in frames]


def overwritten(path: Path, *places: int) -> None:
    """The bytes of some packets become 0."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    data = path.read_bytes()
    for packet in [packets[place] for place in places]:
        at = data.index(bytes(packet), packet.pos or 0)
        data = data[:at] + bytes(packet.size) + data[at + packet.size :]
    path.write_bytes(data)


def without_ts_packet(path: Path, part: float) -> None:
    """A packet of 188 bytes that carries video is lost."""
    data = path.read_bytes()
    payload = 0x10
    carriers = [
        at
        for at in range(0, len(data), TS_PACKET)
        if data[at + 1 : at + 3] == b"\x01\x00" and data[at + 3] & payload
    ]
    at = carriers[int(len(carriers) * part)]
    path.write_bytes(data[:at] + data[at + TS_PACKET :])


def with_flipped_bytes(path: Path, seed: int) -> None:
    random, data = np.random.default_rng(seed), bytearray(path.read_bytes())
    start, stop = data.index(b"mdat") + 4, data.rindex(b"moov") - 4
    for at in random.integers(start + 1000, stop, 6).tolist():
        data[at] ^= int(random.integers(1, 256))
    path.write_bytes(data)


H264, HEVC = "H.264 with B-frames in MP4", "HEVC with open GOPs in MP4"
H264_TS, HEVC_TS = "H.264 in MPEG-TS with a late start", "HEVC with open GOPs in MPEG-TS"
DAMAGES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "first packet": (H264, lambda path: overwritten(path, 0)),
    "packet among the first": (H264, lambda path: overwritten(path, 5)),
    "keyframe": (H264, lambda path: overwritten(path, 24)),
    "two keyframes and a frame between": (H264, lambda path: overwritten(path, 12, 17, 24)),
    "last packet": (H264, lambda path: overwritten(path, 49)),
    "open GOP": ("H.264 with open GOPs", lambda path: overwritten(path, 27)),
    "keyframe of an open GOP": (HEVC, lambda path: overwritten(path, 24)),
    "HEVC": (HEVC, lambda path: overwritten(path, 18)),
    "VP9": ("VP9 in WebM", lambda path: overwritten(path, 20)),
    "AV1": ("AV1 in MP4", lambda path: overwritten(path, 20)),
    "MPEG-4": ("MPEG-4 with B-frames in MP4", lambda path: overwritten(path, 20)),
    "Motion JPEG": ("Motion JPEG in AVI", lambda path: overwritten(path, 20, 21, 30)),
    "one GOP": ("H.264 with one keyframe in the whole file", lambda path: overwritten(path, 30)),
    "times out of order": ("H.264 in AVI, times out of order", lambda path: overwritten(path, 20)),
    **{
        f"{name[:4]} without a TS packet at {part}": (
            name,
            lambda path, part=part: without_ts_packet(path, part),  # type: ignore[misc]
        )
        for name, parts in ((H264_TS, (0.1, 0.35, 0.6, 0.8)), (HEVC_TS, (0.35, 0.4)))
        for part in parts
    },
    **{
        f"flipped bytes {seed}": (H264, lambda path, seed=seed: with_flipped_bytes(path, seed))  # type: ignore[misc]
        for seed in range(6)
    },
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_the_same_wherever_a_chunk_begins(name: str, tmp_path: Path) -> None:
    layout, damage = DAMAGES[name]
    path = LAYOUTS[layout].make(tmp_path / f"video{LAYOUTS[layout].suffix}").path
    damage(path)
    index = probe(path)
    assert FRAMES - 1 <= len(index) <= FRAMES
    whole = outcomes(path, index, Chunk(0, len(index)))
    assert outcomes(path, index, Chunk(0, len(index)), threads=2) == whole
    for start in range(0, len(index), 3):
        for stop in {start + 1, min(start + 9, len(index))}:
            assert outcomes(path, index, Chunk(start, stop)) == whole[start:stop], (start, stop)


@pytest.mark.parametrize("name", [name for name in DAMAGES if "flipped" not in name])
def test_frames_that_are_not_marked_are_those_of_the_sound_video(name: str, tmp_path: Path) -> None:
    """In pixels: what damage smears is marked."""
    layout, damage = DAMAGES[name]
    path = LAYOUTS[layout].make(tmp_path / f"video{LAYOUTS[layout].suffix}").path
    index = probe(path)
    whole = outcomes(path, index, Chunk(0, len(index)))
    sound = dict(zip((index.pts - index.pts[0]).tolist(), whole, strict=True))
    damage(path)
    damaged = probe(path)
    frames = list(decode_with_damage(path, damaged, Chunk(0, len(damaged))))
    shown = [frame for frame in frames if isinstance(frame, Frame)]
    assert len(shown) >= FRAMES // 4
    assert [frame.reason for frame in frames if isinstance(frame, DamagedFrame)]
    if len(damaged.keyframes):
        for frame in shown:
            assert outcome(frame) == sound[frame.pts - int(index.pts[0])]


def test_damage_ends_at_the_next_keyframe(tmp_path: Path) -> None:
    path = LAYOUTS[H264].make(tmp_path / "video.mp4").path
    overwritten(path, 28)
    index = probe(path)
    frames = list(decode_with_damage(path, index, Chunk(0, FRAMES)))
    damaged = [frame.index for frame in frames if isinstance(frame, DamagedFrame)]
    assert damaged
    assert set(damaged) <= set(range(2 * GOP, 3 * GOP))
    for frame in frames:
        if isinstance(frame, Frame):
            assert number_of(frame.rgb) == frame.index


def test_asked_frames_of_a_damaged_video_do_not_depend_on_the_chunk(tmp_path: Path) -> None:
    """Frames that nobody asks for are skipped, and their damage with them."""
    path = LAYOUTS[H264].make(tmp_path / "video.mp4").path
    overwritten(path, 5, 17, 40)
    index = probe(path)
    asked = np.arange(1, FRAMES, 2)
    whole = [outcome(f) for f in decode_with_damage(path, index, Chunk(0, 25), asked=asked)]
    assert "not decoded" in whole or "reference lost" in whole
    for start in range(25):
        chunk = Chunk(start, min(start + 4, 25))
        some = [outcome(f) for f in decode_with_damage(path, index, chunk, asked=asked)]
        assert some == whole[chunk.start : chunk.stop]


def test_recordings_that_were_joined_have_no_damage(shared_data: Path, tmp_path: Path) -> None:
    """Their counters jump where one ends and the next begins."""
    parts = []
    for start_s in (0, 9):
        layout = replace(LAYOUTS[H264_TS], container_options={"output_ts_offset": str(start_s)})
        parts.append(layout.make(tmp_path / "part.ts").path.read_bytes())
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(parts))
    for path in (joined, shared_data / "cases" / "16_two_ts_joined.ts"):
        index = probe(path)
        with av.open(str(path)) as container:
            assert any(packet.is_corrupt for packet in container.demux(video=0))
        frames = decode_with_damage(path, index, Chunk(0, len(index)))
        assert all(isinstance(frame, Frame) for frame in frames)
