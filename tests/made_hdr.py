"""HDR videos, made from standard pictures."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from annotate.domain.video import Hdr
from annotate.video.tone_map import WHITE_NITS, hlg_nits, pq_code

# The values of FFmpeg's enums, and from BT.709's primaries to those of BT.2020 (ITU-R BT.2087).
TRANSFER = {"pq": 16, "hlg": 18}
BT2020, BT2020_NCL = 9, 9
TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


def coded(standard: NDArray[np.uint8], hdr: Hdr) -> NDArray[np.uint16]:
    """A standard picture (H, W, 3) as a camera that shoots HDR codes it; 16 bits."""
    nits = WHITE_NITS * ((standard / 255) ** 2.4 @ TO_2020.T)
    if hdr == "pq":
        code: NDArray[np.uint16] = np.round(65535 * pq_code(nits)).astype(np.uint16)
        return code
    codes = np.linspace(0, 1, 65536)
    found: NDArray[np.uint16] = np.searchsorted(hlg_nits(codes), nits).astype(np.uint16)
    return found


def hdr_video(path: Path, pictures: Sequence[NDArray[np.uint8]], hdr: Hdr) -> Path:
    """Writes pictures (H, W, 3) as a lossless HEVC video with 10 bits, 25 a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=25)
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv444p10le"
        context = stream.codec_context
        context.options = {
            "preset": "ultrafast",
            "x265-params": "log-level=none:lossless=1:bframes=0",
        }
        context.color_trc, context.color_primaries = TRANSFER[hdr], BT2020
        context.colorspace = BT2020_NCL
        for number, standard in enumerate(pictures):
            deep = VideoFrame.from_ndarray(coded(standard, hdr), format="rgb48le")
            frame = deep.reformat(format="yuv444p10le", dst_colorspace=BT2020_NCL)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
