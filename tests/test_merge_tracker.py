"""Which tracklet continues a track."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from annotate.domain.merge_settings import MergeSettings
from annotate.merge.open_track import OpenTrack
from annotate.merge.pose_table import pose_table
from annotate.merge.tracker import _matches
from tests.made_tracks import SKELETON, poses_of, steady, walker


@pytest.mark.parametrize("oks_weight", [0.0, 1.0], ids=["by the box", "by the keypoints"])
def test_a_fast_person_is_expected_where_the_last_speed_leads(oks_weight: float) -> None:
    """At 30 px a frame, after three frames."""
    settings = MergeSettings()
    settings = replace(settings, tracklet=replace(settings.tracklet, oks_weight=oks_weight))
    time_s = steady(2, 30)
    poses = poses_of([walker(time_s, (60, 1860))], time_s)
    table = pose_table(poses, settings.pose, SKELETON)
    track = OpenTrack(0)
    track.extend(table, np.arange(30), settings)
    behind = np.arange(33, 60)
    tracklets: Any = SimpleNamespace(first=behind[:1], rows=lambda _: behind)
    assert [*_matches([track], table, tracklets, np.array([0]), settings)] == [(0, 0)]
