"""The cases of the gallery, and what must come of each."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial

from tests.gallery import changes, damage, names, no_videos
from tests.gallery.case import (
    SMALL,
    Answer,
    Case,
    animation,
    changed,
    coded,
    cut_anywhere,
    joined_images,
    named,
    numbered,
    small,
    sound,
    spoiled,
    x264,
)
from tests.gallery.displays import DISPLAY_CASES
from tests.gallery.person import SIZE
from tests.made_videos import ENCRYPTED, FPS, LAYOUTS

LARGER = {name: replace(layout, size=SIZE) for name, layout in LAYOUTS.items()}

LAYOUT_CASES: dict[str, Case] = {
    name: sound(layout if "odd" in name or layout.rotation else LARGER[name])
    for name, layout in LAYOUTS.items()
}
# Of their last frame a part is there.
LAYOUT_CASES |= {
    name: replace(case, answer=replace(case.answer, outcome="damaged"))
    for name, case in LAYOUT_CASES.items()
    if name.endswith("without its back")
}
CODEC_CASES: Mapping[str, Case] = {
    "H.264 in 10 bits": coded(".mp4", "libx264", "yuv420p10le"),
    "H.264 in 4:2:2 and 10 bits": coded(".mkv", "libx264", "yuv422p10le"),
    "H.264 in RGB": coded(".mkv", "libx264rgb", "rgb24"),
    "H.264 in gray": coded(".mp4", "libx264", "gray"),
    "FFV1 in gray with 16 bits": coded(".mkv", "ffv1", "gray16le"),
    "FFV1 with alpha": coded(".mkv", "ffv1", "yuva420p"),
    "VP9 with alpha in WebM": coded(".webm", "libvpx-vp9", "yuva420p"),
    "VP9 in 4:4:4": coded(".webm", "libvpx-vp9", "yuv444p"),
    "ProRes 4444 with alpha": coded(".mov", "prores_ks", "yuva444p10le"),
    "QuickTime animation with alpha": coded(".mov", "qtrle", "argb"),
    # The pixels of PAL are 16:15, so 720 by 576 are shown as 768 by 576.
    "DV without a container": replace(
        dv := coded(".dv", "dvvideo", size=(720, 576), muxer="dv", frames=6),
        answer=replace(dv.answer, size=(768, 576)),
    ),
    "HuffYUV in AVI": coded(".avi", "huffyuv", "yuv422p"),
    "Ut Video in AVI": coded(".avi", "utvideo", "yuv422p"),
    "DNxHD in MXF": coded(
        ".mxf", "dnxhd", "yuv422p", size=(1280, 720), options={"b": "60M"}, frames=4
    ),
    "CineForm in MOV": coded(".mov", "cfhd", "yuv422p10le", size=(256, 256)),
    "JPEG 2000 in MOV": coded(".mov", "jpeg2000", "yuv420p"),
    "uncompressed in AVI": coded(".avi", "rawvideo", "bgr24"),
    "MPEG-1 in a program stream": coded(".mpg", "mpeg1video", muxer="mpeg"),
    "MPEG-2 in VOB": coded(".vob", "mpeg2video", muxer="vob"),
    "MS-MPEG-4 in AVI": coded(".avi", "msmpeg4"),
    "Sorenson H.263 in FLV": coded(".flv", "flv"),
    # The pixels of this size of H.263 are 12:11, so 352 by 288 are shown as 384 by 288.
    "H.263 in 3GP": replace(
        h263 := coded(".3gp", "h263", size=(352, 288)),
        answer=replace(h263.answer, size=(384, 288)),
    ),
    "Sorenson Video in MOV": coded(".mov", "svq1", "yuv410p"),
    # Larger than others, since 256 colours leave little of a small person.
    "animated GIF": coded(".gif", "gif", "rgb8", size=(480, 400)),
    "animated PNG": coded(".apng", "apng", "rgb24"),
    "animated WebP": joined_images(lambda shown, folder: animation(shown, folder / "video.webp")),
    "numbered JPEG": joined_images(lambda shown, folder: numbered(shown, folder / "walk", ".jpg")),
    "numbered PNG": joined_images(lambda shown, folder: numbered(shown, folder / "walk", ".png")),
    "numbered TIFF": joined_images(lambda shown, folder: numbered(shown, folder / "walk", ".tif")),
    "numbered WebP": joined_images(lambda shown, folder: numbered(shown, folder / "walk", ".webp")),
    "H.264 in NUT": sound(small(".nut")),
    "H.264 in 3G2": sound(small(".3g2")),
    "H.264 without a container": sound(small(".h264", b_frames=0)),
    "H.264 with B-frames without a container": sound(small(".h264")),
    "H.264 with a pyramid of B-frames": sound(
        small(".mp4", options=x264(bframes=7, b_pyramid="normal", b_adapt=0))
    ),
    "H.264 with fields": sound(small(".ts", options=x264(tff=1))),
    "H.264 in FLV without a duration": sound(
        small(".flv", container_options={"flvflags": "no_duration_filesize"})
    ),
    "MPEG-1 without a container": coded(".m1v", "mpeg1video", muxer="mpeg1video", b_frames=2),
    "MPEG-2 without a container": coded(".m2v", "mpeg2video", muxer="mpeg2video", b_frames=2),
    "MPEG-4 without a container": coded(".m4v", "mpeg4", muxer="m4v", b_frames=2),
    "AV1 without a container": sound(replace(LARGER["AV1 in MKV"], suffix=".obu", muxer="obu")),
    "RealVideo in RM": coded(".rm", "rv20"),
    "HEVC without a container": sound(replace(LARGER["HEVC with 10 bits in MKV"], suffix=".hevc")),
    "AV1 in IVF": sound(replace(LARGER["AV1 in MKV"], suffix=".ivf")),
    "interlaced MPEG-2": coded(".ts", "mpeg2video", options={"flags": "+ildct+ilme", "top": "1"}),
}
SHAPE_CASES: Mapping[str, Case] = {
    "1 by 1": coded(".mkv", "ffv1", size=(1, 1), frames=3),
    "2 by 2": coded(".mkv", "ffv1", size=(2, 2), frames=3),
    "7 by 5": coded(".mkv", "ffv1", size=(7, 5), frames=3),
    "1920 by 16": coded(".mp4", "libx264", size=(1920, 16), frames=3),
    "16 by 1920": coded(".mp4", "libx264", size=(16, 1920), frames=3),
    "3840 by 2160": coded(".mp4", "mjpeg", "yuvj420p", size=(3840, 2160), frames=2),
    "7680 by 4320": coded(".mkv", "mjpeg", "yuvj420p", size=(7680, 4320), frames=2),
}
TIME_CASES: Mapping[str, Case] = {
    "1 frame a second": sound(small(".mp4", times=lambda n: n * FPS)),
    **{
        f"{fps} frames a second": sound(small(".mp4", fps=fps))
        for fps in (5, 24, 30, 50, 60, 120, 240, 480, 1000)
    },
    "30000/1001 frames a second": sound(small(".mp4", fps=Fraction(30000, 1001))),
    "repeated time stamps": spoiled(small(".flv", b_frames=0), damage.repeat_times, "done"),
    "a start before zero": sound(small(".mkv", times=lambda n: n - 10)),
    "a start after an hour": sound(small(".mp4", times=lambda n: n + 3600 * FPS)),
    "time stamps that are all the same but for a tick": sound(small(".mkv", fps=90_000)),
    "three frames a millisecond": sound(small(".mkv", fps=3000)),
    "5 frames": sound(small(".mp4", frames=5)),
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
            small(suffix, container_options=options, frames=48, fps=5),
            partial(damage.cut_off, share=share / 100),
            "any",
        )
        for title, suffix, options in (
            ("MP4 with its index in front", ".mp4", {"movflags": "faststart"}),
            ("MKV", ".mkv", {}),
            ("AVI", ".avi", {}),
            ("FLV", ".flv", {}),
        )
        for share in (10, 50, 90)
    },
    # Nothing tells how long they were.
    **{f"MPEG-TS cut off at {share}%": cut_anywhere(share / 100) for share in (10, 50, 90)},
    "MP4 without moov": spoiled(SMALL, damage.without_moov, "rejected"),
    "a packet of zeros in MP4": spoiled(SMALL, partial(damage.zero_packet, number=9), "damaged"),
    "a packet of zeros in MKV": spoiled(
        small(".mkv"), partial(damage.zero_packet, number=9), "damaged"
    ),
    **{
        f"a lost sector in {title}": spoiled(layout, damage.lost_sector, "damaged")
        for title, layout in (
            ("MP4", small(".mp4", frames=48)),
            ("MKV", small(".mkv", frames=48)),
            ("FLV", small(".flv", frames=48)),
            ("MPEG-TS", small(".ts", frames=48)),
            ("WebM", replace(LARGER["VP9 in WebM"], frames=48)),
            ("MXF", replace(LARGER["MPEG-2 in MXF"], frames=48)),
        )
    },
    "a lost packet of MPEG-TS": spoiled(small(".ts"), damage.without_ts_packet, "any"),
    "garbage between packets of MPEG-TS": spoiled(small(".ts"), damage.garbage_amid, "any"),
    "garbage between packets of a program stream": spoiled(
        replace(LARGER["MPEG-2 with open GOPs in a program stream"], frames=48),
        damage.garbage_amid,
        "any",
    ),
    "garbage between packets of FLV": spoiled(small(".flv"), damage.garbage_amid, "any"),
    "flipped bytes in MP4": spoiled(small(".mp4", frames=48), damage.flip_bytes, "any"),
    "flipped bytes in MKV": spoiled(small(".mkv", frames=48), damage.flip_bytes, "any"),
    "flipped bytes in AVI": spoiled(small(".avi", frames=48), damage.flip_bytes, "any"),
    "flipped bytes in MPEG-TS": spoiled(small(".ts", frames=48), damage.flip_bytes, "any"),
    "flipped bytes in WebM": spoiled(
        replace(LARGER["VP8 in WebM"], frames=48), damage.flip_bytes, "any"
    ),
    "an encrypted MP4": spoiled(
        small(".mp4", container_options=ENCRYPTED), lambda _path: None, "rejected"
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

CHANGE_CASES: Mapping[str, Case] = {
    "a file that grows": changed(changes.grow),
    "a file that shrinks": changed(changes.shrink),
    "a file that is replaced": changed(changes.replace),
    "a file that vanishes": changed(changes.vanish),
}

CASES: Mapping[str, Case] = {
    **LAYOUT_CASES,
    **CODEC_CASES,
    **SHAPE_CASES,
    **DISPLAY_CASES,
    **TIME_CASES,
    **DAMAGE_CASES,
    **NAME_CASES,
    **NO_VIDEO_CASES,
    **CHANGE_CASES,
}
