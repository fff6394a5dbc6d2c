"""Frames one tick of a 90 kHz clock apart: work is bounded by frames, not by seconds of them."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.merge_settings import MergeSettings, SwapSettings
from annotate.merge.identity_swaps import identity_swaps
from annotate.merge.pose_table import PoseTable, pose_table
from annotate.merge.window import windows
from tests.made_tracks import SKELETON, merged, poses_of, walker

TICK_S = 1 / 90_000
# Of all arrays at once, in bytes. Without a bound, 1000 poses would ask for hundreds of GB.
MOST_MEMORY = 300e6


def ticks(count: int) -> NDArray[np.float64]:
    return np.arange(count, dtype=np.float64) * np.float64(TICK_S)


def peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("count", [300, 1000])
def test_an_identity_swap_is_found_in_little_memory(count: int) -> None:
    time_s = ticks(count)
    appearance = np.full((count, 6), 90, np.float32)
    appearance[count // 2 :] = 160
    found: list[int] = []

    def work() -> None:
        swaps = identity_swaps([np.arange(count)], appearance, time_s, SwapSettings())
        found.extend(swaps.tolist())

    assert peak_bytes(work) < MOST_MEMORY
    assert found == pytest.approx([count / 2], abs=SwapSettings().max_window_poses / 2)


def test_a_video_with_frames_a_tick_apart_is_merged() -> None:
    """Two seconds at 30 frames/s, with 300 frames a tick apart in the middle."""
    steps = np.concatenate([np.full(30, 1 / 30), np.full(300, TICK_S), np.full(30, 1 / 30)])
    time_s: NDArray[np.float64] = np.cumsum(steps)
    poses = poses_of([walker(time_s, (300, 600))], time_s, noise_px=1)
    assert peak_bytes(lambda: merged([poses])) < MOST_MEMORY
    tracks = merged([poses])
    assert tracks.track_id.tolist() == [1] * len(time_s)
    assert np.abs(tracks.smoothed[:, :, :2] - tracks.raw[:, :, :2]).max() < 20


def test_a_window_never_has_more_blocks_than_its_bound() -> None:
    settings = MergeSettings(max_window_blocks=2)
    time_s = ticks(80)
    poses = poses_of([walker(time_s, (300, 301))], time_s)
    table = pose_table(poses, settings.pose, SKELETON)
    blocks = [table.between(start, start + 10) for start in range(0, 80, 10)]
    found = list(windows(blocks, settings))
    assert [window.stop - window.start for window in found] == [10] * 8
    assert max(len(window.frame_s) for window in found) == 50
    assert PoseTable.concat(blocks).poses.pts.tolist() == poses.pts.tolist()
