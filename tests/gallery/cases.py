"""The cases of the gallery: how each file is made, and what must come of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from PIL import Image

from tests.gallery import damage, names, no_videos
from tests.gallery.person import SIZE, person
from tests.made_videos import FPS, LAYOUTS, Layout, Made, h264

Outcome = Literal["done", "damaged", "rejected", "any"]
# Of frames that show a person, the share that must have one.
PEOPLE_SHARE = 0.8


@dataclass(frozen=True)
class Answer:
    """What must come of a file.

    Attributes:
        outcome: `done`, every frame; `damaged`, it is annotated and what is missing is said;
            `rejected`, with a reason; `any` of them, as long as nothing is lost in silence.
        frames: how many frames the sound video has; None takes those that PyAV decodes.
        size: width and height of the displayed picture in pixels; None where nothing is shown.
        people: whether a person is found in most frames; None where that is of no matter.
    """

    outcome: Outcome
    frames: int | None = None
    size: tuple[int, int] | None = None
    people: bool | None = None


@dataclass(frozen=True)
class Case:
    """A file: how it is made in an empty folder, and what must come of it."""

    make: Callable[[Path], Path]
    answer: Answer


def sound(layout: Layout) -> Case:
    """A video that is whole: every frame is annotated, in its size."""
    shown = replace(layout, paint=person)

    def make(folder: Path) -> Path:
        return shown.make(folder / f"video{layout.suffix}").path

    # Reworked files show fewer frames than were made: PyAV tells how many.
    frames = layout.frames if layout.rework is None else None
    large = min(layout.size) >= min(SIZE)
    return Case(make, Answer("done", frames, layout.size, people=True if large else None))


def spoiled(layout: Layout, spoil: Callable[[Path], None], outcome: Outcome) -> Case:
    """A video with damage."""

    def make(folder: Path) -> Path:
        path = replace(layout, paint=person).make(folder / f"video{layout.suffix}").path
        spoil(path)
        return path

    return Case(make, Answer(outcome, layout.frames, layout.size))


def named(name: str | bytes) -> Case:
    """A sound video of that name."""
    layout = replace(SMALL, frames=6, paint=person)

    def make(folder: Path) -> Path:
        made: Made = layout.make(folder / "video.mp4")
        return names.renamed(made.path, name)

    return Case(make, Answer("done", 6, layout.size, people=True))


small = partial(h264, size=SIZE, frames=24)
SMALL = small(".mp4")


def _codec(suffix: str, codec: str, pix_fmt: str = "yuv420p", **more: object) -> Case:
    options = {"size": SIZE, "frames": 12, **more}
    return sound(Layout(suffix, codec=codec, pix_fmt=pix_fmt, **options))  # type: ignore[arg-type]


def _images(make: Callable[[list[Image.Image], Path], Path], frames: int = 12) -> Case:
    """Images, all of them frames of one video."""

    def made(folder: Path) -> Path:
        return make([Image.fromarray(person(number, *SIZE)) for number in range(frames)], folder)

    return Case(made, Answer("done", frames, SIZE, people=True))


def _animation(shown: list[Image.Image], path: Path) -> Path:
    shown[0].save(path, save_all=True, append_images=shown[1:], duration=40)
    return path


def _numbered(shown: list[Image.Image], folder: Path, suffix: str) -> Path:
    folder.mkdir()
    for number, image in enumerate(shown):
        image.save(folder / f"{number:05d}{suffix}")
    return folder


LARGER = {name: replace(layout, size=SIZE) for name, layout in LAYOUTS.items()}

LAYOUT_CASES: Mapping[str, Case] = {
    name: sound(layout if "odd" in name or layout.rotation else LARGER[name])
    for name, layout in LAYOUTS.items()
}
CODEC_CASES: Mapping[str, Case] = {
    "H.264 in 10 bits": _codec(".mp4", "libx264", "yuv420p10le"),
    "H.264 in 4:2:2 and 10 bits": _codec(".mkv", "libx264", "yuv422p10le"),
    "H.264 in RGB": _codec(".mkv", "libx264rgb", "rgb24"),
    "H.264 in gray": _codec(".mp4", "libx264", "gray"),
    "FFV1 in gray with 16 bits": _codec(".mkv", "ffv1", "gray16le"),
    "FFV1 with alpha": _codec(".mkv", "ffv1", "yuva420p"),
    "VP9 with alpha in WebM": _codec(".webm", "libvpx-vp9", "yuva420p"),
    "VP9 in 4:4:4": _codec(".webm", "libvpx-vp9", "yuv444p"),
    "ProRes 4444 with alpha": _codec(".mov", "prores_ks", "yuva444p10le"),
    "QuickTime animation with alpha": _codec(".mov", "qtrle", "argb"),
    "HuffYUV in AVI": _codec(".avi", "huffyuv", "yuv422p"),
    "Ut Video in AVI": _codec(".avi", "utvideo", "yuv422p"),
    "DNxHD in MXF": _codec(
        ".mxf", "dnxhd", "yuv422p", size=(1280, 720), options={"b": "60M"}, frames=4
    ),
    "CineForm in MOV": _codec(".mov", "cfhd", "yuv422p10le", size=(256, 256)),
    "JPEG 2000 in MOV": _codec(".mov", "jpeg2000", "yuv420p"),
    "uncompressed in AVI": _codec(".avi", "rawvideo", "bgr24"),
    "MPEG-1 in a program stream": _codec(".mpg", "mpeg1video", muxer="mpeg"),
    "MPEG-2 in VOB": _codec(".vob", "mpeg2video", muxer="vob"),
    "MS-MPEG-4 in AVI": _codec(".avi", "msmpeg4"),
    "Sorenson H.263 in FLV": _codec(".flv", "flv"),
    # The pixels of this size of H.263 are 12:11, so 352 by 288 are shown as 384 by 288.
    "H.263 in 3GP": replace(
        h263 := _codec(".3gp", "h263", size=(352, 288)),
        answer=replace(h263.answer, size=(384, 288)),
    ),
    "Sorenson Video in MOV": _codec(".mov", "svq1", "yuv410p"),
    "animated GIF": _codec(".gif", "gif", "rgb8"),
    "animated PNG": _codec(".apng", "apng", "rgb24"),
    "animated WebP": _images(lambda shown, folder: _animation(shown, folder / "video.webp")),
    "numbered JPEG": _images(lambda shown, folder: _numbered(shown, folder / "walk", ".jpg")),
    "numbered PNG": _images(lambda shown, folder: _numbered(shown, folder / "walk", ".png")),
    "numbered TIFF": _images(lambda shown, folder: _numbered(shown, folder / "walk", ".tif")),
    "numbered WebP": _images(lambda shown, folder: _numbered(shown, folder / "walk", ".webp")),
    "H.264 in NUT": sound(small(".nut")),
    "H.264 in 3G2": sound(small(".3g2")),
    "H.264 without a container": sound(small(".h264", b_frames=0)),
    "HEVC without a container": sound(replace(LARGER["HEVC with 10 bits in MKV"], suffix=".hevc")),
    "AV1 in IVF": sound(replace(LARGER["AV1 in MKV"], suffix=".ivf")),
    "interlaced MPEG-2": _codec(".ts", "mpeg2video", options={"flags": "+ildct+ilme", "top": "1"}),
}
SHAPE_CASES: Mapping[str, Case] = {
    "1 by 1": _codec(".mkv", "ffv1", size=(1, 1), frames=3),
    "2 by 2": _codec(".mkv", "ffv1", size=(2, 2), frames=3),
    "7 by 5": _codec(".mkv", "ffv1", size=(7, 5), frames=3),
    "1920 by 16": _codec(".mp4", "libx264", size=(1920, 16), frames=3),
    "16 by 1920": _codec(".mp4", "libx264", size=(16, 1920), frames=3),
    "3840 by 2160": _codec(".mp4", "mjpeg", "yuvj420p", size=(3840, 2160), frames=2),
    "7680 by 4320": _codec(".mkv", "mjpeg", "yuvj420p", size=(7680, 4320), frames=2),
}
TIME_CASES: Mapping[str, Case] = {
    "1 frame a second": sound(small(".mp4", times=lambda n: n * FPS)),
    "1000 frames a second": sound(small(".mp4", times=lambda n: n, frames=24)),
    "a start before zero": sound(small(".mkv", times=lambda n: n - 10)),
    "a start after an hour": sound(small(".mp4", times=lambda n: n + 3600 * FPS)),
    "a gap of a day": sound(small(".mkv", times=lambda n: n + (n // 12) * 86400 * FPS)),
}
DAMAGE_CASES: Mapping[str, Case] = {
    **{
        f"MP4 cut off at {share}%": spoiled(
            SMALL, partial(damage.cut_off, share=share / 100), "rejected"
        )
        for share in (10, 50, 90)
    },
    **{
        f"{title} cut off at {share}%": spoiled(
            small(suffix, container_options=options, frames=48),
            partial(damage.cut_off, share=share / 100),
            "any",
        )
        for title, suffix, options in (
            ("MP4 with its index in front", ".mp4", {"movflags": "faststart"}),
            ("MKV", ".mkv", {}),
            ("MPEG-TS", ".ts", {}),
            ("AVI", ".avi", {}),
            ("FLV", ".flv", {}),
        )
        for share in (10, 50, 90)
    },
    "MP4 without moov": spoiled(SMALL, damage.without_moov, "rejected"),
    "a packet of zeros in MP4": spoiled(SMALL, partial(damage.zero_packet, number=9), "damaged"),
    "a packet of zeros in MKV": spoiled(
        small(".mkv"), partial(damage.zero_packet, number=9), "damaged"
    ),
    "a lost packet of MPEG-TS": spoiled(small(".ts"), damage.without_ts_packet, "any"),
    "garbage between packets of MPEG-TS": spoiled(small(".ts"), damage.garbage_amid, "any"),
    "flipped bytes in MKV": spoiled(small(".mkv", frames=48), damage.flip_bytes, "any"),
    "flipped bytes in AVI": spoiled(small(".avi", frames=48), damage.flip_bytes, "any"),
    "flipped bytes in MPEG-TS": spoiled(small(".ts", frames=48), damage.flip_bytes, "any"),
    "flipped bytes in WebM": spoiled(
        replace(LARGER["VP8 in WebM"], frames=48), damage.flip_bytes, "any"
    ),
    "zeros at the end": spoiled(SMALL, damage.zeros_at_the_end, "done"),
}
_NAMES: Mapping[str, str | bytes] = {
    "with spaces": "my video  1.mp4",
    "with quotes": 'it\'s "one".mp4',
    "with a newline": "two\nlines.mp4",
    "with an escape sequence": "\x1b[31mred.mp4",
    "with emoji": "🏃‍♀️ läuft.mp4",
    "with a leading dash": "-rf.mp4",
    "with 255 bytes": "x" * 251 + ".mp4",
    "in Latin-1": b"caf\xe9.mp4",
    "with percent signs": "100%d.mp4",
    "with a glob": "[a-z]*?.mp4",
    "with two dots": "..video..mp4",
    "without an ending": "video",
    "with the ending of a text": "video.txt",
}
NAME_CASES: Mapping[str, Case] = {f"named {title}": named(name) for title, name in _NAMES.items()}
REJECTED = Answer("rejected")
NO_VIDEO_CASES: Mapping[str, Case] = {
    name: Case(make, REJECTED) for name, make in no_videos.MAKERS.items()
} | {
    "a link to a video": Case(
        lambda folder: names.linked(SMALL.make(folder / "real.mp4").path), Answer("done", 24, SIZE)
    ),
}

CASES: Mapping[str, Case] = {
    **LAYOUT_CASES,
    **CODEC_CASES,
    **SHAPE_CASES,
    **TIME_CASES,
    **DAMAGE_CASES,
    **NAME_CASES,
    **NO_VIDEO_CASES,
}
