"""Things that have the name of a video, and hold none that can be annotated."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import av

from tests.gallery.person import person
from tests.made_sound import add_sound
from tests.made_videos import Layout


def _bytes(content: bytes, name: str = "video.mp4") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return make


def _playlist(target: str, name: str) -> Callable[[Path], Path]:
    """A playlist whose one entry is another file or host."""

    def make(folder: Path) -> Path:
        Layout(".ts", frames=6, paint=person).make(folder / "part.ts")
        path = folder / name
        path.write_text(
            f"ffconcat version 1.0\nfile '{target}'\n"
            if name.endswith("ffconcat")
            else f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n"
        )
        return path

    return make


def _picture(folder: Path) -> Path:
    path = folder / "video.png"
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(person(0, 64, 48), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def _sound(folder: Path) -> Path:
    path = folder / "video.mp4"
    with av.open(str(path), "w") as container:
        add_sound(container, 1.0)
    return path


def _folder(folder: Path) -> Path:
    path = folder / "video.mp4"
    path.mkdir()
    return path


def _fifo(folder: Path) -> Path:
    path = folder / "video.mp4"
    os.mkfifo(path)
    return path


def _loop(folder: Path) -> Path:
    path = folder / "video.mp4"
    path.symlink_to(path)
    return path


def _device(folder: Path) -> Path:
    path = folder / "video.mp4"
    path.symlink_to("/dev/zero")
    return path


def _refers_elsewhere(folder: Path) -> Path:
    """A MOV whose media data is said to be in another file."""
    part = Layout(".mov", frames=6, paint=person).make(folder / "part.mov").path
    data = part.read_bytes()
    own = b"url \0\0\0\x01"
    assert own in data
    path = folder / "video.mov"
    # Without the mark "in this file"; the media data is gone, too.
    at = data.index(b"mdat")
    size = int.from_bytes(data[at - 4 : at], "big") - 8
    gone = data[: at + 4] + bytes(size) + data[at + 4 + size :]
    path.write_bytes(gone.replace(own, b"url \0\0\0\0"))
    return path


def _dangling(folder: Path) -> Path:
    path = folder / "video.mp4"
    path.symlink_to(folder / "gone.mp4")
    return path


MAKERS: Mapping[str, Callable[[Path], Path]] = {
    "an empty file": _bytes(b""),
    "one byte": _bytes(b"\0"),
    "a text": _bytes(b"This is no video.\n" * 100),
    "zeros": _bytes(bytes(100_000)),
    "random bytes": _bytes(bytes(range(256)) * 400),
    "a web page": _bytes(b"<!DOCTYPE html><html><body>Log in</body></html>"),
    "a still picture": _picture,
    "sound without a picture": _sound,
    "a folder named like a video": _folder,
    "a FIFO": _fifo,
    "a link to itself": _loop,
    "a link to nothing": _dangling,
    "a device": _device,
    "a MOV of another file's pictures": _refers_elsewhere,
    "a description of a session": _bytes(
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        b"m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "video.sdp",
    ),
    "a manifest of DASH": _bytes(
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
        b"<Period><AdaptationSet><Representation><BaseURL>http://127.0.0.1:9/x.mp4</BaseURL>"
        b"</Representation></AdaptationSet></Period></MPD>",
        "video.mpd",
    ),
    "a playlist of a local file": _playlist("part.ts", "video.m3u8"),
    "a playlist of another host": _playlist("http://127.0.0.1:9/x.ts", "video.m3u8"),
    "a list of a local file": _playlist("part.ts", "video.ffconcat"),
    "a list that calls itself a video": _playlist("part.ts", "video.mp4"),
}
