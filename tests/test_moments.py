"""Suspicious moments: each rule finds its fault in made tracks, and finds nothing where none is.

Every case stands twice: a little beyond a threshold, and a little short of it.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from annotate.domain.moments import MOMENT_KINDS, WEIGHTS, MomentKind, MomentSettings
from annotate.domain.tracks import Tracks
from annotate.domain.video import DamagedRange
from tests.made_moments import (
    FPS,
    MIDDLE,
    TIME_S,
    moments_of,
    person,
    standing,
    tracks_of,
)
from tests.made_tracks import HEIGHT_PX

S = MomentSettings()
LAST = len(TIME_S) - 1


def longer_limbs(share: float, seconds: float = 1.0) -> Tracks:
    one = person()
    world = one.world.copy()
    world[MIDDLE : MIDDLE + round(seconds * FPS)] *= share
    return tracks_of([replace(one, world=world)])


def grown(share: float, seconds: float = 0.2) -> Tracks:
    """Grows about the hips, within `seconds`."""
    one = standing()
    size = 1 + (share - 1) * ((TIME_S - TIME_S[MIDDLE]) / seconds).clip(0, 1)
    hips = one.xy[:, 23:25].mean(axis=1, keepdims=True)
    return tracks_of([replace(one, xy=hips + (one.xy - hips) * size[:, None, None])])


def jumped(heights: float, frames_before: int = 1) -> Tracks:
    """The raw pose jumps; before, it was unseen for `frames_before` - 1 frames."""
    one = person()
    raw = one.xy.copy()
    raw[MIDDLE:, :, 0] += heights * np.ptp(one.xy[MIDDLE], axis=0).max()
    seen = one.seen.copy()
    seen[MIDDLE - frames_before + 1 : MIDDLE] = False
    return tracks_of([replace(one, raw=raw, seen=seen)])


def exchanged(seconds: float, width: float = 1.0) -> Tracks:
    """Left and right of the final pose change sides within `seconds`; shoulders narrower."""
    one = standing()
    hips = one.xy[:, 23:25].mean(axis=1, keepdims=True)
    turn = np.cos(np.pi * ((TIME_S - TIME_S[MIDDLE]) / max(seconds, 1e-9)).clip(0, 1)) * width
    xy = one.xy.copy()
    xy[:, :, 0] = hips[:, :, 0] + (one.xy - hips)[:, :, 0] * turn[:, None]
    return tracks_of([replace(one, xy=xy)])


def doubled(apart: float, seconds: float = 1.0) -> Tracks:
    """Track 2 is on the body of track 1, so many pixels apart, for `seconds`."""
    one = person()
    other = replace(one, xy=one.xy + np.array([500, 0]))
    xy = other.xy.copy()
    frames = slice(MIDDLE, MIDDLE + round(seconds * FPS) + 1)
    xy[frames] = one.xy[frames] + np.array([apart, 0])
    return tracks_of([one, replace(other, xy=xy)])


def appearing(late_s: float, x: float = 600.0) -> Tracks:
    start = round(late_s * FPS)
    return tracks_of([person((x, x)).present(start, len(TIME_S))])


def vanishing(early_s: float, x: float = 600.0) -> Tracks:
    return tracks_of([person((x, x)).present(0, len(TIME_S) - round(early_s * FPS))])


def unseen(seconds: float) -> Tracks:
    one = person()
    seen = one.seen.copy()
    seen[MIDDLE : MIDDLE + round(seconds * FPS) - 1] = False
    return tracks_of([replace(one, seen=seen)])


def doubtful(score: float, seconds: float = 1.0) -> Tracks:
    one = person()
    scores = one.score.copy()
    scores[MIDDLE : MIDDLE + round(seconds * FPS) + 1] = score
    return tracks_of([replace(one, score=scores)])


def filled(seconds: float) -> Tracks:
    one = person()
    hollow = one.filled.copy()
    hollow[MIDDLE : MIDDLE + round(seconds * FPS) + 1] = True
    return tracks_of([replace(one, filled=hollow)])


# Kind; what makes the tracks; the arguments just beyond and just short of the threshold.
CASES: list[tuple[MomentKind, Callable[..., Tracks], tuple[float, ...], tuple[float, ...]]] = [
    ("limb lengths", longer_limbs, (np.exp(0.19),), (np.exp(0.17),)),
    ("limb lengths", longer_limbs, (1.5, 0.24), (1.5, 0.14)),
    ("size", grown, (np.exp(0.26),), (np.exp(0.24),)),
    ("size", grown, (np.exp(0.27), 0.3), (np.exp(0.27), 0.4)),
    ("jump", jumped, (0.17,), (0.15,)),
    ("jump", jumped, (4.0, 15), (4.0, 16)),
    ("left and right", exchanged, (0.15,), (0.6,)),
    ("left and right", exchanged, (0.1, 0.65), (0.1, 0.55)),
    ("two tracks on one body", doubled, (30.0,), (50.0,)),
    ("two tracks on one body", doubled, (0.0, 0.17), (0.0, 0.13)),
    ("begins in mid-picture", appearing, (0.34,), (0.29,)),
    ("begins in mid-picture", appearing, (1.0, 90.0), (1.0, 50.0)),
    ("ends in mid-picture", vanishing, (0.34,), (0.29,)),
    ("ends in mid-picture", vanishing, (1.0, 90.0), (1.0, 50.0)),
    ("gap", unseen, (1.05,), (0.95,)),
    ("low confidence", doubtful, (0.49,), (0.51,)),
    ("low confidence", doubtful, (0.2, 0.53), (0.2, 0.47)),
    ("filled in", filled, (0.37,), (0.3,)),
]


@pytest.mark.parametrize(
    ("kind", "make", "beyond", "short"), CASES, ids=[f"{c[0]} {c[2]}" for c in CASES]
)
def test_a_fault_is_found_beyond_its_threshold_only(
    kind: MomentKind,
    make: Callable[..., Tracks],
    beyond: tuple[float, ...],
    short: tuple[float, ...],
) -> None:
    found = [one for one in moments_of(make(*beyond)) if one.kind == kind]
    assert found, "not found beyond the threshold"
    assert all(0 < one.severity <= 1 and one.words for one in found)
    assert all(one.first_frame <= one.frame <= one.last_frame for one in found)
    assert kind not in {one.kind for one in moments_of(make(*short))}


def test_quiet_people_are_quiet() -> None:
    assert moments_of(tracks_of([person(), person((1400, 1100), 500)])) == []


def test_damaged_frames_are_told_and_explain_that_a_track_begins_and_ends_there() -> None:
    one, other = person().present(0, MIDDLE), person((650, 650)).present(MIDDLE + 3, LAST + 1)
    lost = DamagedRange(MIDDLE, MIDDLE + 3, MIDDLE * 512, (MIDDLE + 2) * 512, "corrupt", 3)
    (found,) = moments_of(tracks_of([one, other]), (lost,))
    assert (found.kind, found.track) == ("damaged", None)
    assert (found.first_frame, found.last_frame) == (MIDDLE, MIDDLE + 2)
    kinds = {moment.kind for moment in moments_of(tracks_of([one, other]))}
    assert kinds == {"begins in mid-picture", "ends in mid-picture"}


def test_without_people_damage_is_told() -> None:
    lost = DamagedRange(3, 5, 3, 4, "not decoded", 2)
    empty = tracks_of([person()]).take(np.zeros(len(TIME_S), np.bool_))
    assert [one.kind for one in moments_of(empty, (lost,))] == ["damaged"]


@pytest.mark.parametrize(
    ("away", "seconds", "same"), [(0.5, 1, True), (1.5, 1, False), (0.5, 5.5, False)]
)
def test_a_birth_names_the_track_that_ended_close_by(
    away: float, seconds: float, same: bool
) -> None:
    x = 600 + away * HEIGHT_PX
    early = person((600, 600)).present(0, 4)
    late = person((x, x)).present(4 + round(seconds * FPS), LAST + 1)
    (birth,) = (
        m for m in moments_of(tracks_of([early, late])) if m.kind == "begins in mid-picture"
    )
    assert birth.other == (1 if same else None)
    full = WEIGHTS["begins in mid-picture"]
    assert birth.severity == (full if same else full / 2)


def test_faults_shortly_after_each_other_are_one() -> None:
    def scores(pause: int) -> Tracks:
        one = person()
        score = one.score.copy()
        score[30:50] = score[50 + pause : 70 + pause] = 0.2
        return tracks_of([replace(one, score=score)])

    assert len(moments_of(scores(round(S.join_s * FPS) - 2))) == 1
    assert len(moments_of(scores(round(S.join_s * FPS) + 2))) == 2


def test_short_tracks_are_not_compared_with_themselves() -> None:
    def changing(frames: int) -> set[str]:
        one = person()
        world = one.world.copy()
        world[frames // 2 :] *= 1.6
        found = moments_of(tracks_of([replace(one, world=world).present(0, frames)]))
        return {moment.kind for moment in found}

    assert "limb lengths" in changing(round(S.bones_min_s * FPS) + 2)
    assert "limb lengths" not in changing(round(S.bones_min_s * FPS) - 2)


def test_models_without_world_landmarks_lack_that_rule_alone() -> None:
    one = person()
    world = one.world.copy()
    world[MIDDLE:] *= 2
    assert moments_of(tracks_of([replace(one, world=world)], world=False)) == []
    assert moments_of(grown(2.0))[0].kind == "size"


@pytest.mark.parametrize("cuts", [[1], [60, 90, 91], list(range(1, LAST, 7))])
def test_the_answer_does_not_depend_on_the_blocks(cuts: list[int]) -> None:
    made = [longer_limbs(1.5), grown(1.6), jumped(0.5), exchanged(0.1), doubled(0), unseen(1.5)]
    assert {m.kind for tracks in made for m in moments_of(tracks)} == set(MOMENT_KINDS) - {
        "begins in mid-picture",
        "ends in mid-picture",
        "low confidence",
        "filled in",
        "damaged",
    }
    for tracks in made:
        assert moments_of(tracks, cuts=cuts) == moments_of(tracks)


def test_severity_grows_with_the_fault() -> None:
    slight, strong = (moments_of(doubtful(0.2, seconds))[0] for seconds in (0.6, 0.9))
    assert WEIGHTS["low confidence"] / 2 <= slight.severity < strong.severity


def test_a_single_pose_and_a_single_frame_are_no_trouble() -> None:
    assert moments_of(tracks_of([person().present(0, 1)])) != []
