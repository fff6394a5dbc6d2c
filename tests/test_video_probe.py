"""The index: what `probe` finds in a video, against how the video was made."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from annotate.domain.errors import VideoError
from annotate.domain.video import Chunk, Frame
from annotate.video import decode, decode_with_damage, probe
from annotate.video.file import VideoPacket
from annotate.video.orientation import Orientation, orientation
from annotate.video.writer import Encoding, VideoWriter
from tests.made_videos import (
    FPS,
    FRAMES,
    LAYOUTS,
    SHOW_FIRST_REFERENCE,
    AnyPacket,
    Layout,
    make_video,
    number_of,
    repacked,
)

H264 = "H.264 with B-frames in MP4"


@pytest.mark.parametrize(
    ("name", "codec", "time_base", "declared"),
    [
        (H264, "h264", Fraction(1, 12800), FRAMES),
        ("HEVC with open GOPs in MPEG-TS", "hevc", Fraction(1, 90000), None),
        ("VP9 in WebM", "vp9", Fraction(1, 1000), None),
        ("AV1 in MP4", "av1", Fraction(1, 12800), FRAMES),
        ("MPEG-4 with B-frames in AVI", "mpeg4", Fraction(1, 25), FRAMES),
        ("H.264 in fragmented MP4", "h264", Fraction(1, 12800), None),
    ],
)
def test_properties_of_the_file(
    name: str, codec: str, time_base: Fraction, declared: int | None, tmp_path: Path
) -> None:
    path = make_video(name, tmp_path).path
    index = probe(path)
    assert (index.codec, index.time_base, index.declared_frames) == (codec, time_base, declared)
    assert (index.width, index.height, index.rotation) == (160, 120, 0)
    assert index.size_bytes == path.stat().st_size
    assert index.fingerprint == hashlib.sha256(path.read_bytes()).hexdigest()
    assert index.pts.dtype == index.keyframes.dtype == np.int64


@pytest.mark.parametrize(
    ("name", "keyframes"),
    [
        (H264, [0, 12, 24, 36, 48]),
        ("HEVC with open GOPs in MPEG-TS", [0, 12, 24, 36, 48]),
        ("H.264 with one keyframe in the whole file", [0]),
        ("H.264 with keyframes only", list(range(FRAMES))),
        # Pictures 17 to 44: its first one is no keyframe, but decoding can start before it.
        ("edit list that begins amid a GOP", [0, 24 - 17, 36 - 17]),
        ("H.264 in MPEG-TS without its front", [0, 12, 24]),
        ("H.264 in AVI, times out of order", []),
        ("MPEG-4, every packet marked as keyframe", [0]),
        ("H.264 refreshed bit by bit", [0]),
    ],
)
def test_keyframes_are_where_the_encoder_set_them(
    name: str, keyframes: list[int], tmp_path: Path
) -> None:
    assert probe(make_video(name, tmp_path).path).keyframes.tolist() == keyframes


def test_found_frames_differ_from_the_declared(tmp_path: Path) -> None:
    """The sample table lists 50 frames; the file ends before."""
    index = probe(make_video("H.264 in MP4 without its back", tmp_path).path)
    assert index.declared_frames == FRAMES
    assert len(index) < FRAMES
    # The last frame may be there in part.
    assert index.missing_s == pytest.approx((FRAMES - len(index)) / index.fps, abs=1.5 / index.fps)


def test_missing_seconds_are_reported(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mkv", tmp_path / "cut.mkv"
    random = np.random.default_rng(1)
    with VideoWriter(whole, Encoding(fps=Fraction(5))) as video:
        for _ in range(100):
            video.write(random.integers(0, 256, (64, 64, 3), np.uint8))
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    assert probe(whole).missing_s == 0
    index = probe(cut)
    assert index.missing_s == pytest.approx(20 - index.time_s[-1], abs=0.5)


@pytest.mark.parametrize(("share", "lasts_s"), [(0.5, 1.0), (0.9, 1.8), (1.0, 2.0)])
def test_a_short_matroska_file_that_was_cut_off_says_so(
    share: float, lasts_s: float, tmp_path: Path
) -> None:
    """Its segment is said to be longer than the file."""
    path = make_video("H.264 in MKV", tmp_path).path
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    index = probe(path)
    assert len(index) == pytest.approx(lasts_s * FPS, abs=5)
    assert index.missing_s == pytest.approx(2 - len(index) / FPS, abs=0.05)


def test_the_duration_that_flv_states_tells_what_is_missing(tmp_path: Path) -> None:
    path = replace(LAYOUTS["H.264 in FLV"], fps=5).make(tmp_path / "video.flv").path
    assert probe(path).missing_s == 0
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    index = probe(path)
    assert index.missing_s == pytest.approx(FRAMES / 5 - len(index) / 5, abs=0.05)


@pytest.mark.parametrize("missing", [1, 20, 60, 100, 150, 200, 300])
@pytest.mark.parametrize("name", ["H.264 in MP4 without its back", "Motion JPEG in AVI"])
def test_every_frame_of_a_file_that_lacks_a_few_bytes_can_be_decoded(
    name: str, missing: int, tmp_path: Path
) -> None:
    layout = replace(LAYOUTS[name], rework=None)
    path = layout.make(tmp_path / f"cut{layout.suffix}").path
    data = path.read_bytes()
    end = data.rindex(b"idx1") if layout.suffix == ".avi" else len(data)
    path.write_bytes(data[: end - missing])
    index = probe(path)
    assert len(index) in (FRAMES - 2, FRAMES - 1, FRAMES)
    frames = list(decode_with_damage(path, index, Chunk(FRAMES - 5, len(index))))
    assert [frame.index for frame in frames] == list(range(FRAMES - 5, len(index)))
    # What is there of the last frame in part is no picture of it.
    assert all(isinstance(frame, Frame) for frame in frames[:-1])


@pytest.mark.parametrize(
    ("rotation", "size"), [(0, (160, 120)), (90, (120, 160)), (180, (160, 120)), (270, (120, 160))]
)
def test_rotation_is_applied_to_the_sides(
    rotation: int, size: tuple[int, int], tmp_path: Path
) -> None:
    path = Layout(".mp4", rotation=rotation, size=size).make(tmp_path / "video.mp4").path
    index = probe(path)
    assert (index.rotation, index.width, index.height) == (rotation, *size)
    [frame] = decode(path, index, Chunk(37, 38))
    assert number_of(frame.rgb) == 37


def test_tilted_display_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tilted.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 64
        stream.set_display_rotation(30)
        container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(VideoError, match="displayed tilted") as caught:
        probe(path)
    assert "ffmpeg" in caught.value.hint


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([65536, 0, 0, 0, 65536, 0, 0, 0, 2**30], Orientation(0)),
        ([0, 65536, 0, -65536, 0, 0, 1080 << 16, 0, 2**30], Orientation(90)),
        ([0, -131072, 0, 32768, 0, 0, 0, 0, 2**30], Orientation(270)),
        ([-65536, 3, 0, -3, -65536, 0, 0, 0, 2**30], Orientation(180)),
        ([0] * 9, Orientation(0)),
        ([-65536, 0, 0, 0, 65536, 0, 0, 0, 2**30], Orientation(0, mirrored=True)),
        ([65536, 0, 0, 0, -65536, 0, 0, 0, 2**30], Orientation(180, mirrored=True)),
        ([46341, 46341, 0, -46341, 46341, 0, 0, 0, 2**30], None),
    ],
    ids=[
        "identity",
        "quarter turn with a shift",
        "quarter turn with scales",
        "half turn with rounding errors",
        "all zeros",
        "mirrored",
        "upside down in a mirror",
        "eighth turn",
    ],
)
def test_display_matrix(matrix: list[int], expected: Orientation | None) -> None:
    assert orientation(matrix) == expected


def test_side_data_that_pyav_does_not_know(tmp_path: Path) -> None:
    """JPEG pictures with EXIF, which PyAV 18 cannot list; their orientation 6 is a quarter turn."""
    made = Layout(".avi", codec="mjpeg", pix_fmt="yuvj420p", size=(160, 120)).make(
        tmp_path / "exif.avi"
    )
    tiff = b"II*\0" + b"\x08\0\0\0" + b"\1\0" + b"\x12\1\3\0\1\0\0\0\6\0\0\0" + bytes(4)
    exif = b"\xff\xe1" + (len(tiff) + 8).to_bytes(2, "big") + b"Exif\0\0" + tiff

    def with_exif(packet: VideoPacket) -> list[AnyPacket]:
        data = bytes(packet)
        new = av.Packet(data[:2] + exif + data[2:])
        new.pts, new.dts, new.time_base = packet.pts, packet.dts, packet.time_base
        new.is_keyframe = True
        return [new]

    repacked(made.path, with_exif)
    index = probe(made.path)
    assert (index.rotation, index.width, index.height) == (90, 120, 160)
    [frame] = decode(made.path, index, Chunk(21, 22))
    stored = np.rot90(frame.rgb)
    assert number_of(stored) == 21


def test_reserved_colour_space_is_taken_for_none(tmp_path: Path) -> None:
    path = make_video("VP9 in WebM", tmp_path).path
    plain = [frame.rgb for frame in decode(path, probe(path), Chunk(10, 14))]
    data, sync_code = bytearray(path.read_bytes()), b"\x49\x83\x42"
    assert data.count(sync_code) == 5
    at = -1
    while (at := data.find(sync_code, at + 1)) >= 0:
        data[at + 3] = data[at + 3] & 0x1F | 6 << 5
    path.write_bytes(data)
    reserved = [frame.rgb for frame in decode(path, probe(path), Chunk(10, 14))]
    np.testing.assert_array_equal(plain, reserved)


def test_hidden_frames_in_separate_packets_are_not_frames(tmp_path: Path) -> None:
    """Each keyframe hidden, and after it a packet with the command to show it."""
    made = Layout(".nut", codec="libvpx-vp9", options={"cpu-used": "8"}).make(
        tmp_path / "hidden.nut"
    )

    def in_two(packet: VideoPacket) -> Iterator[AnyPacket]:
        data = bytes(packet)
        parts = [data]
        if packet.is_keyframe:
            parts = [bytes([data[0] & ~0b10]) + data[1:], SHOW_FIRST_REFERENCE]
        for place, part in enumerate(parts):
            new = av.Packet(part)
            new.pts = new.dts = (packet.pts or 0) + place
            new.time_base, new.is_keyframe = packet.time_base, packet.is_keyframe and not place
            yield new

    repacked(made.path, in_two)
    with av.open(str(made.path)) as container:
        assert sum(packet.size > 0 for packet in container.demux(video=0)) == FRAMES + 5
    index = probe(made.path)
    assert len(index) == FRAMES
    assert index.keyframes.tolist() == [0]  # the packets that are marked show nothing
    for chunk in (Chunk(0, FRAMES), Chunk(12, 14), Chunk(35, 38)):
        numbers = [number_of(frame.rgb) for frame in decode(made.path, index, chunk)]
        assert numbers == list(range(chunk.start, chunk.stop))


def test_frames_of_another_size_are_scaled_to_the_first(tmp_path: Path) -> None:
    """Two recordings in one stream, the second one larger."""
    parts = []
    for start_s, size in [(0, (160, 120)), (9, (320, 240))]:
        options = {"output_ts_offset": str(start_s)}
        layout = replace(LAYOUTS[H264], size=size, container_options=options)
        parts.append(layout.make(tmp_path / "part.ts").path.read_bytes())
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(parts))
    index = probe(path)
    assert (len(index), index.width, index.height) == (2 * FRAMES, 160, 120)
    frames = [frame.rgb for frame in decode(path, index, Chunk(0, 2 * FRAMES))]
    assert {rgb.shape for rgb in frames} == {(120, 160, 3)}
    halved = np.repeat(np.repeat(frames[60], 2, axis=0), 2, axis=1)
    assert number_of(halved) == 10
    [frame] = decode(path, index, Chunk(60, 61))
    np.testing.assert_array_equal(frame.rgb, frames[60])


@pytest.mark.parametrize("shift_ms", [40, 20, -20, 200])
def test_a_misplaced_time_stamp_is_interpolated(shift_ms: int, tmp_path: Path) -> None:
    made = make_video("H.264 in MKV", tmp_path)

    def misplaced(packet: VideoPacket) -> list[AnyPacket]:
        if packet.pts == 41 * 40:
            packet.pts += shift_ms
        return [packet]

    repacked(made.path, misplaced)
    index = probe(made.path)
    assert (index.interpolated, index.assumed_fps) == (shift_ms not in (20, -20), None)
    times_s = np.arange(FRAMES) / FPS
    times_s[41] += shift_ms / 1000 if shift_ms in (20, -20) else 0
    np.testing.assert_allclose(index.time_s, times_s, atol=0.001)
    for chunk in (Chunk(0, FRAMES), Chunk(40, 43)):
        numbers = [number_of(frame.rgb) for frame in decode(made.path, index, chunk)]
        assert numbers == list(range(chunk.start, chunk.stop))


@pytest.mark.parametrize("starts_s", [(9, 0), (0, 0)], ids=["jump back", "same again"])
def test_frames_are_counted_where_times_start_again(
    starts_s: tuple[int, int], tmp_path: Path
) -> None:
    parts = []
    for start_s in starts_s:
        layout = replace(LAYOUTS[H264], container_options={"output_ts_offset": str(start_s)})
        parts.append(layout.make(tmp_path / "part.ts").path.read_bytes())
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(parts))
    index = probe(path)
    assert (len(index), index.assumed_fps) == (2 * FRAMES, FPS)
    numbers = [number_of(frame.rgb) for frame in decode(path, index, Chunk(48, 53))]
    assert numbers == [48, 49, 0, 1, 2]


def test_progress_reaches_the_end_and_never_falls(tmp_path: Path) -> None:
    path = (
        Layout(".mov", codec="prores_ks", pix_fmt="yuv422p10le", size=(640, 480))
        .make(tmp_path / "large.mov")
        .path
    )
    reports: list[tuple[int, int]] = []
    probe(path, lambda done, total: reports.append((done, total)))
    size = path.stat().st_size
    assert size > 3 * 2**20
    assert len(reports) > 4
    assert reports == sorted(reports)
    assert {total for _, total in reports} == {2 * size}
    assert reports[-1] == (2 * size, 2 * size)


def test_progress_of_a_whole_decode_is_reported_too(tmp_path: Path) -> None:
    path = make_video("H.264 in AVI, times out of order", tmp_path).path
    reports: list[tuple[int, int]] = []
    probe(path, lambda done, total: reports.append((done, total)))
    size = path.stat().st_size
    assert reports[-1] == (3 * size, 3 * size)
