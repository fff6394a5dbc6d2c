"""Frames that vanish between packets keep their numbers and times, where bytes tell of them."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from annotate.domain.errors import HostError
from annotate.domain.video import Chunk, DamagedFrame, Frame
from annotate.video import decode_with_damage, probe, raw_file
from annotate.video.asf import asf_frames
from annotate.video.container_crop import clean_aperture, matroska_crop
from annotate.video.matroska import is_cut_off, leads_nowhere
from tests.made_videos import FPS, LAYOUTS, Layout, av1, h264, mpeg2
from tests.test_video_transport import noisy, pictures

# Begins the part of ASF with the data packets.
ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
FRAMES = 40
SECTOR = 2048
# The frames whose packets are overwritten, in the order of the file.
GONE = range(17, 20)


def places_of(path: Path) -> list[tuple[int, int]]:
    """Where the packets of the video begin, in the order of the file, and their times."""
    with av.open(str(path)) as container:
        packets = [one for one in container.demux(video=0) if one.size]
    return [(one.pos or 0, one.pts or 0) for one in packets]


def overwrite(path: Path) -> set[int]:
    """The packets of frames become zeros, with their headers; returns their times."""
    data, places = path.read_bytes(), places_of(path)
    begin, end = (places[at][0] for at in (GONE.start, GONE.stop))
    path.write_bytes(data[:begin] + bytes(end - begin) + data[end:])
    return {places[at][1] for at in GONE}


@pytest.mark.parametrize(
    "layout",
    [
        h264(".mkv"),
        h264(".mkv", sound_s=FRAMES / FPS),
        h264(".flv"),
        h264(".nut"),
        h264(".ts"),
        mpeg2(".mxf"),
        LAYOUTS["VP9 in WebM"],
        LAYOUTS["Motion JPEG in AVI"],
    ],
    ids=["MKV", "MKV with sound", "FLV", "NUT", "MPEG-TS", "MXF", "WebM", "AVI"],
)
def test_frames_that_vanish_are_damaged(layout: Layout, tmp_path: Path) -> None:
    shown = replace(layout, frames=FRAMES, size=(96, 64), paint=noisy)
    path = shown.make(tmp_path / f"video{layout.suffix}").path
    truth = pictures(path)
    gone = overwrite(path)
    index = probe(path)
    assert index.pts.tolist() == list(truth)
    assert index.undecodable >= len(gone)
    frames = list(decode_with_damage(path, index, Chunk(0, FRAMES)))
    assert gone <= {one.pts for one in frames if isinstance(one, DamagedFrame)}
    sound = {one.pts: one.rgb.tobytes() for one in frames if isinstance(one, Frame)}
    assert sound.items() <= truth.items()
    assert len(sound) >= FRAMES - 2 * shown.gop


@pytest.mark.parametrize("sound_s", [0, 6])
def test_a_recorder_may_leave_frames_out(sound_s: float, tmp_path: Path) -> None:
    """Meanwhile there is sound."""
    layout = h264(".mkv", frames=FRAMES, times=lambda n: n + 100 * (n > 20), sound_s=sound_s)
    path = layout.make(tmp_path / "video.mkv").path
    assert len(probe(path)) == FRAMES


def test_a_file_that_ends_early_says_what_is_missing(tmp_path: Path) -> None:
    for layout in (av1(".ivf"), mpeg2(".mxf")):
        path = layout.make(tmp_path / f"video{layout.suffix}").path
        assert probe(path).missing_frames == 0
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        index = probe(path)
        # Of frames that come in another order, one may be missing amid.
        assert 0 <= layout.frames - len(index) - index.missing_frames <= 1
        assert index.missing_frames > 1


def test_a_matroska_file_that_was_cut_off_between_packets_lacks_its_end(tmp_path: Path) -> None:
    path = h264(".mkv", frames=FRAMES, size=(96, 64)).make(tmp_path / "v.mkv").path
    with av.open(str(path)) as container:
        packets = [one for one in container.demux(video=0) if one.size]
    last = packets[-4]
    path.write_bytes(path.read_bytes()[: (last.pos or 0) + 4 + last.size])
    assert not leads_nowhere(path, (last.pos or 0) + last.size)
    index = probe(path)
    assert (len(index), index.missing_frames) == (FRAMES - 3, 3)


@pytest.mark.parametrize(
    ("zeros", "added"), [(SECTOR, 0), (8, 0), (0, 99)], ids=["a sector", "a block", "garbage"]
)
def test_frames_behind_a_hole_in_the_last_cluster_are_missing(
    zeros: int, added: int, tmp_path: Path
) -> None:
    """FFmpeg goes on at the next cluster of Matroska, and there is none."""
    path = h264(".mkv", frames=FRAMES, size=(96, 64), paint=noisy).make(tmp_path / "v.mkv").path
    data, places = path.read_bytes(), places_of(path)
    last_cluster = data.rindex(b"\x1f\x43\xb6\x75")
    begin = [at for at, _ in places if at > last_cluster][2]
    hole = bytes(zeros) + np.random.default_rng(1).bytes(added)
    path.write_bytes(data[:begin] + hole + data[begin + zeros :])
    index = probe(path)
    assert len(index) < FRAMES
    assert len(index) + index.missing_frames == FRAMES


def test_trouble_of_the_host_is_no_damage_and_no_crop(tmp_path: Path) -> None:
    gone = tmp_path / "gone.mkv"
    for look in (is_cut_off, leads_nowhere, matroska_crop):
        with pytest.raises(HostError):
            look(gone, 0)
    with pytest.raises(HostError):
        clean_aperture(gone, 1, (96, 64))


def test_names_are_found_across_the_blocks_that_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_file, "_BLOCK_BYTES", 5)
    path = tmp_path / "v.mp4"
    path.write_bytes(b"....moof....")
    with path.open("rb") as file:
        assert raw_file.holds(file, 0, b"mfro", b"moof")
        assert raw_file.holds(file, 4, b"moof")
        assert not raw_file.holds(file, 5, b"moof")


@pytest.mark.parametrize(
    ("behind", "nowhere"),
    [
        (b"", False),
        (b"\xec\x82\0\0", False),
        (b"\xec\x83\0\0", True),
        (b"\xec\x01" + b"\xff" * 6 + b"\xf0", True),
        (b"\xa3\x84\x81\0\0\0", False),
        (b"\xa3\x84\0\0\0\0", True),
        (b"\x1f\x43\xb6\x75\x83\xe7\x81\1", False),
        (b"\x1c\x53\xbb\x6b\x90", False),
        (b"\x16\x54\xae\x6b\x80", True),
        (b"\0\0", True),
    ],
    ids=[
        *("the end", "void", "more than there is", "far more than a file holds", "a block"),
        *("a block of no track", "a cluster", "the index, cut off", "tracks", "zeros"),
    ],
)
def test_what_follows_the_last_packet_of_matroska(
    behind: bytes, *, nowhere: bool, tmp_path: Path
) -> None:
    path = tmp_path / "v.mkv"
    path.write_bytes(bytes(100) + behind)
    assert leads_nowhere(path, 96) is nowhere


@pytest.mark.parametrize("zeros", [True, False], ids=["a lost block", "garbage"])
@pytest.mark.parametrize("sound_s", [0, FRAMES / FPS], ids=["no sound", "sound"])
def test_frames_that_vanish_in_asf_are_damaged_or_missing(
    sound_s: float, *, zeros: bool, tmp_path: Path
) -> None:
    """FFmpeg passes over data packets that it cannot read; their frames are numbered."""
    layout = Layout(".wmv", codec="wmv2", frames=FRAMES, sound_s=sound_s)
    path = replace(layout, paint=noisy).make(tmp_path / "v.wmv").path
    whole, data = probe(path), path.read_bytes()
    assert (len(whole), whole.missing_frames, whole.undecodable) == (FRAMES, 0, 0)
    vanished = []
    for begin in range(data.index(ASF_DATA) + 1024, len(data) - 512, len(data) // 12):
        hole = bytes(512) if zeros else np.random.default_rng(begin).bytes(512)
        path.write_bytes(data[:begin] + hole + data[begin + 512 :])
        index = probe(path)
        assert np.abs(index.pts - whole.pts[: len(index)]).max() <= 1
        # The sound, and so the file, may be some milliseconds longer than the picture.
        missing = FRAMES - len(index)
        assert missing <= index.missing_s * FPS <= (missing + 2 if missing else 0), begin
        frames = list(decode_with_damage(path, index, Chunk(0, len(index))))
        vanished.append(missing + sum(isinstance(one, DamagedFrame) for one in frames))
    assert min(vanished) == 0 < 10 < max(vanished)


@pytest.mark.parametrize("fps", [25, 30])
def test_frames_in_another_order_than_displayed_are_not_lost_in_asf(
    fps: int, tmp_path: Path
) -> None:
    """Its times are those of decoding."""
    layout = Layout(".wmv", codec="mpeg4", frames=FRAMES, b_frames=2, fps=fps, paint=noisy)
    path = layout.make(tmp_path / "v.wmv").path
    whole = probe(path)
    assert (len(whole), whole.missing_frames, whole.undecodable) == (FRAMES, 0, 0)
    data, places = path.read_bytes(), asf_frames(path, 1).place
    for begin in np.unique(places)[1:3].tolist():
        path.write_bytes(data[:begin] + bytes(512) + data[begin + 512 :])
        index = probe(path)
        assert len(index) == FRAMES
        assert index.undecodable >= np.count_nonzero(places == begin)


def test_a_hole_in_a_stream_without_times_costs_the_frames_to_the_next_keyframe(
    tmp_path: Path,
) -> None:
    """The head of a keyframe of a raw stream is gone, and the decoder gives no frame after it."""
    path = h264(".h264", frames=FRAMES, size=(96, 64), paint=noisy).make(tmp_path / "v.h264").path
    data = path.read_bytes()
    key = [at for at in range(len(data)) if data[at : at + 4] == b"\0\0\1\x65"][1]
    path.write_bytes(data[: key - 2] + bytes(64) + data[key + 62 :])
    index = probe(path)
    frames = list(decode_with_damage(path, index, Chunk(0, len(index))))
    assert len(index) >= FRAMES - 2
    assert any(isinstance(one, DamagedFrame) for one in frames)


@pytest.mark.parametrize("lost", [1, 2])
def test_avi_lists_every_frame_where_some_carry_the_time_of_others(
    lost: int, tmp_path: Path
) -> None:
    """FFmpeg makes the times of display from the order of the frames that it finds."""
    layout = LAYOUTS["MPEG-4 with B-frames in AVI"]
    path = layout.make(tmp_path / "v.avi").path
    data, whole = path.read_bytes(), probe(path).pts.tolist()
    places = [place - 8 for place, _ in places_of(path)]
    for first in range(1, 14):
        begin, end = places[first], places[first + lost]
        path.write_bytes(data[:begin] + bytes(end - begin) + data[end:])
        index = probe(path)
        assert (index.pts.tolist(), index.missing_frames) == (whole, 0), first
