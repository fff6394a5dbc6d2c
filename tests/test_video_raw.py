"""Raw streams without a container, and animated GIF: all frames, in order, at any start."""

from pathlib import Path

import numpy as np
import pytest

from annotate.domain.errors import VideoError
from annotate.domain.video import Chunk
from annotate.video import decode, probe
from tests.made_videos import FPS, FRAMES, Layout, number_of

RAW = {
    "H.264": Layout(".h264", muxer="h264"),
    "H.264 with B-frames": Layout(".h264", muxer="h264", b_frames=3),
    "HEVC": Layout(".hevc", "libx265", {"x265-params": "log-level=none"}, muxer="hevc"),
    "MPEG-1": Layout(".m1v", "mpeg1video", muxer="mpeg1video", b_frames=2),
    "MPEG-2": Layout(".m2v", "mpeg2video", muxer="mpeg2video", b_frames=2),
    "MPEG-4": Layout(".m4v", "mpeg4", muxer="m4v", b_frames=2),
    "AV1": Layout(".obu", "libsvtav1", {"preset": "12"}, muxer="obu"),
    "RealVideo": Layout(".rm", "rv20"),
    "GIF": Layout(".gif", "gif", pix_fmt="rgb8"),
    "DV": Layout(".dv", "dvvideo", muxer="dv", size=(720, 576)),
}
# The size in square pixels; DV of 4:3 has pixels of 16:15.
SIZES = {"DV": (768, 576)}


@pytest.mark.parametrize("name", RAW)
def test_all_frames_of_a_raw_stream_are_found(name: str, tmp_path: Path) -> None:
    layout = RAW[name]
    # Workers read a copy without an ending.
    path = layout.make(tmp_path / f"raw{layout.suffix}").path.rename(tmp_path / "original")
    index = probe(path)
    assert len(index) == FRAMES
    # FFmpeg's times of raw MPEG-1 leave a gap at the beginning.
    assert index.fps == pytest.approx(FPS, rel=0.03)
    assert (index.width, index.height) == SIZES.get(name, layout.size)
    frames = list(decode(path, index, Chunk(0, FRAMES)))
    assert [number_of(frame.rgb) for frame in frames] == list(range(FRAMES))
    later = list(decode(path, index, Chunk(30, 33)))
    assert [number_of(frame.rgb) for frame in later] == [30, 31, 32]


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_not_taken_for_a_raw_stream(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "noise"
    path.write_bytes(np.random.default_rng(seed).bytes(200_000))
    with pytest.raises(VideoError, match="is not a video file") as caught:
        probe(path)
    assert "-fps_mode passthrough" in caught.value.hint
