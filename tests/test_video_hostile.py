"""Files that are not videos, or damaged ones: each gives an error with a next step."""

import os
import shutil
import struct
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from annotate.domain.errors import ExitCode, VideoError
from annotate.domain.video import Chunk
from annotate.video import decode, decode_with_damage, probe
from tests.made_sound import add_sound
from tests.made_videos import ENCRYPTED, LAYOUTS


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "good.mp4"
    return LAYOUTS["H.264 with B-frames in MP4"].make(path).path


def content(data: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(data)

    return make


def picture(path: Path) -> None:
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "rgb24"
        container.mux(stream.encode(av.VideoFrame(64, 64, "rgb24")))
        container.mux(stream.encode(None))


def sound(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        add_sound(container, 1.0)


def sound_with_a_cover(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        sound = container.add_stream("aac", rate=16000, layout="mono")
        container.mux(cover.encode(av.VideoFrame(64, 64, "yuvj420p")))
        container.mux(cover.encode(None))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))


def giant(width: int, height: int, in_header: bool) -> Callable[[Path], None]:
    """Pictures that claim to have that size; `in_header`: their container claims it too."""

    def make(path: Path) -> None:
        made = LAYOUTS["Motion JPEG in AVI"].make(path.with_suffix(".avi")).path
        data, at = bytearray(made.read_bytes()), -1
        while (at := data.find(b"\xff\xc0", at + 1)) >= 0:
            struct.pack_into(">HH", data, at + 5, height, width)
        if in_header:
            struct.pack_into("<ii", data, data.index(b"strf") + 12, width, height)
        path.write_bytes(data)

    return make


def without_index(path: Path) -> None:
    data = LAYOUTS["H.264 with B-frames in MP4"].make(path.with_stem("whole")).path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])


def without_pictures(path: Path) -> None:
    data = LAYOUTS["H.264 with B-frames in MP4"].make(path.with_stem("whole")).path.read_bytes()
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    path.write_bytes(data[:start] + bytes(end - start) + data[end:])


def unknown_codec(path: Path) -> None:
    data = LAYOUTS["H.264 with B-frames in MP4"].make(path.with_stem("whole")).path.read_bytes()
    at = data.index(b"avc1", data.index(b"stsd"))
    path.write_bytes(data[:at] + b"zzzz" + data[at + 4 :])


NO_VIDEO = "is not a video file, or is cut off"
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\ngood.mp4\n#EXT-X-ENDLIST\n"


CASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (Path.exists, "does not exist"),
    "folder": (Path.mkdir, "is a folder"),
    "pipe": (os.mkfifo, "is not a regular file"),
    "empty": (Path.touch, "is empty"),
    "text": (content(b"Dear Sir or Madam,\n" * 500), NO_VIDEO),
    "zeros": (content(bytes(100_000)), NO_VIDEO),
    "noise": (content(np.random.default_rng(1).bytes(100_000)), NO_VIDEO),
    "playlist of a good video": (content(PLAYLIST), NO_VIDEO),
    "concat script of a good video": (content(b"ffconcat version 1.0\nfile good.mp4"), NO_VIDEO),
    "picture": (picture, NO_VIDEO),
    "sound": (sound, "holds no video, only sound or pictures"),
    "sound with a cover": (sound_with_a_cover, "holds no video, only sound or pictures"),
    "cut off before its index": (without_index, NO_VIDEO),
    "pictures overwritten": (without_pictures, "no frame of .* can be decoded"),
    "unknown codec": (unknown_codec, "has a codec that this FFmpeg cannot decode"),
    "giant frames": (giant(9000, 9001, True), "no frame of .* can be decoded"),
    "giant frames, stated only inside": (
        giant(9000, 9001, False),
        "no frame of .* can be decoded",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_file_is_named_with_a_next_step(
    case: str, good: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make, message = CASES[case]
    shutil.copy(good, tmp_path / "good.mp4")
    path = tmp_path / "bad.mp4"
    make(path)
    with pytest.raises(VideoError, match=message) as caught:
        probe(path)
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code is ExitCode.BAD_VIDEO
    assert capfd.readouterr().err == ""


def encrypted(path: Path) -> None:
    layout = replace(
        LAYOUTS["H.264 with B-frames in MP4"],
        container_options=ENCRYPTED,
    )
    layout.make(path)


def test_an_encrypted_video_is_refused_as_encrypted(tmp_path: Path, shared_data: Path) -> None:
    """Decoders see noise, of which they make a frame now and then."""
    encrypted(tmp_path / "made.mp4")
    for path in (tmp_path / "made.mp4", shared_data / "cases" / "12_encrypted_cenc.mp4"):
        with pytest.raises(VideoError, match="is encrypted") as caught:
            probe(path)
        assert "copy protection" in caught.value.hint


def test_file_without_permission(good: Path) -> None:
    """As another user, since root may read everything."""
    if os.geteuid() != 0:
        good.chmod(0)
        with pytest.raises(VideoError, match="may not be read"):
            probe(good)
        good.chmod(0o644)
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(shutil.copy(good, folder))
        path.chmod(0)
        os.seteuid(65534)
        try:
            with pytest.raises(VideoError, match="may not be read"):
                probe(path)
        finally:
            os.seteuid(0)


@pytest.mark.parametrize("name", ["concat:a.mp4", "http:a.mp4", "a%03d.mp4", "\udcff.mp4"])
def test_names_that_libraries_read_as_something_else(
    name: str, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(good, tmp_path / name)
    index = probe(Path(name))
    assert len(index) == 50
    assert len(list(decode(Path(name), index, Chunk(30, 33)))) == 3


def test_metadata_in_an_unknown_encoding_does_not_matter(tmp_path: Path) -> None:
    layout = LAYOUTS["H.264 in MKV"]
    path = layout.make(tmp_path / "title.mkv").path
    data = path.read_bytes()
    assert b"Lavf" in data
    path.write_bytes(data.replace(b"Lavf", b"\xff\xfe\xe4v"))
    assert len(probe(path)) == 50


def test_sound_that_comes_and_goes_is_ignored(tmp_path: Path) -> None:
    """A stream that is neither at the beginning nor at the end, where FFmpeg looks for streams."""
    parts = []
    mute, loud = "H.264 with B-frames in MP4", "H.264 with a sound track"
    for start_s, name in [(0, mute), (20, mute), (40, loud), (60, mute)]:
        options = {"output_ts_offset": str(start_s)}
        layout = replace(LAYOUTS[name], container_options=options)
        parts.append(layout.make(tmp_path / "part.ts").path.read_bytes())
    empty_packet = b"\x47\x1f\xff\x10" + bytes(184)
    path = tmp_path / "all.ts"
    path.write_bytes((empty_packet * 2000).join(parts))
    with av.open(str(path)) as container:
        assert len(container.streams) == 1
    index = probe(path)
    assert len(index) == 200
    assert [f.index for f in decode(path, index, Chunk(197, 200))] == [197, 198, 199]


def test_file_that_grows_is_not_indexed(good: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(good, tmp_path))

    def record_on(_done: int, _total: int) -> None:
        with path.open("ab") as file:
            file.write(bytes(100))

    with pytest.raises(VideoError, match="changed while it was read") as caught:
        probe(path, record_on)
    assert "when it is complete" in caught.value.hint


def test_random_damage_ends_in_frames_or_in_an_error(tmp_path: Path) -> None:
    """There is no other exception, crash or hang; both outcomes must occur."""
    rng = np.random.default_rng(0)
    outcomes: Counter[bool | ExitCode] = Counter()
    for name in list(LAYOUTS)[::4]:
        layout = LAYOUTS[name]
        path = layout.make(tmp_path / f"video{layout.suffix}").path
        sound = np.frombuffer(path.read_bytes(), np.uint8)
        for damages in [1, 3, 10, 30, 100] * 2:
            damaged = sound.copy()
            damaged[rng.integers(len(sound), size=damages)] = rng.integers(256, size=damages)
            path.write_bytes(damaged.tobytes())
            try:
                index = probe(path)
                frames = list(decode_with_damage(path, index, Chunk(0, len(index))))
                assert [frame.index for frame in frames] == list(range(len(index)))
                outcomes[True] += 1
            except VideoError as error:
                outcomes[error.exit_code] += 1
    assert outcomes.keys() == {True, ExitCode.BAD_VIDEO}
