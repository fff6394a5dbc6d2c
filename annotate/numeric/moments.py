"""Finds suspicious moments in the tracks of a video. Arrays in, a list out.

Each rule is a function of one track's facts and the settings.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.moments import WEIGHTS, Moment, MomentSettings
from annotate.domain.video import DamagedRange
from annotate.numeric.pose_facts import PoseFacts
from annotate.numeric.spells import running_median, severity_of, spells


@dataclass(frozen=True, eq=False)
class Watched:
    """The frames of a video that people were looked for in.

    Attributes:
        frames: (N,) int64, increasing: their source indices.
        time_s: (N,) float64 seconds.
        damaged: ranges of them that cannot be decoded.
    """

    frames: IntArray
    time_s: NDArray[np.float64]
    damaged: tuple[DamagedRange, ...] = ()


def find_moments(
    facts: PoseFacts | None, watched: Watched, settings: MomentSettings | None = None
) -> list[Moment]:
    """The suspicious moments of a video, in order of time.

    Args:
        facts: of all its poses, as `pose_facts` gives them; None without people.
        watched: its frames.
        settings: thresholds.
    """
    settings = settings or MomentSettings()
    found = [*_damaged(watched.damaged)]
    if facts is not None:
        ends = _ends_of(facts)
        for track, own in facts.by_track():
            for rule in _RULES:
                found += rule(track, own, settings)
            found += _begins(track, own, watched, ends, settings)
            found += _ends(track, own, watched, settings)
    return sorted(found, key=lambda one: (one.first_frame, -one.severity, one.track or 0))


# Rules


def _limb_lengths(track: int, own: PoseFacts, settings: MomentSettings) -> Iterator[Moment]:
    """Where bones are not as long as in the rest of the track: another person's."""
    if not own.bones.shape[1] or own.time_s[-1] - own.time_s[0] < settings.bones_min_s:
        return
    change = np.median(np.abs(own.bones - np.median(own.bones, axis=0)), axis=1)
    steady = running_median(change, own.time_s, settings)
    for spell in spells(
        steady > settings.bones_change, steady, own, settings, settings.bones_least_s
    ):
        percent = np.expm1(spell.most)
        yield spell.moment(
            "limb lengths",
            track,
            settings.bones_change,
            f"limbs {percent:.0%} longer or shorter than in the rest of track {track}: "
            "it may show another person",
        )


def _size(track: int, own: PoseFacts, settings: MomentSettings) -> Iterator[Moment]:
    change = np.abs(own.growth)
    for spell in spells(change > settings.size_change, change, own, settings):
        grows = own.growth[spell.worst] > 0
        factor = np.exp(spell.most if grows else -spell.most)
        yield spell.moment(
            "size",
            track,
            settings.size_change,
            f"becomes {factor:.2f} times as large within {settings.size_lag_s:g} s",
        )


def _jumps(track: int, own: PoseFacts, settings: MomentSettings) -> Iterator[Moment]:
    """Where hips move farther than people can. Filled poses are left out: their hips are raw."""
    usual = np.maximum(settings.jump_way, settings.jump_speed * own.step_s)
    excess = np.where(own.step_s <= settings.jump_max_step_s, own.way / usual, 0)
    for spell in spells(excess > 1, excess, own, settings):
        way, step_s = own.way[spell.worst], own.step_s[spell.worst]
        yield spell.moment(
            "jump", track, 1, f"hips move {way:.2f} body heights in {step_s * 1000:.0f} ms"
        )


def _left_and_right(track: int, own: PoseFacts, settings: MomentSettings) -> Iterator[Moment]:
    crossed = (own.turned > settings.swap_way) & (own.mirrored < settings.swap_ratio * own.turned)
    for spell in spells(crossed, own.turned, own, settings):
        yield spell.moment(
            "left and right",
            track,
            settings.swap_way,
            f"left and right change sides within {settings.swap_lag_s:g} s",
        )


def _same_body(track: int, own: PoseFacts, settings: MomentSettings) -> Iterator[Moment]:
    """Told of the track with the higher id, so once for both."""
    for other in np.unique(own.other[own.oks > settings.same_body_oks]).tolist():
        alike = np.where(own.other == other, own.oks, 0)
        if other > track:
            continue
        for spell in spells(
            alike > settings.same_body_oks, alike, own, settings, settings.same_body_s
        ):
            yield spell.moment(
                "two tracks on one body",
                track,
                settings.same_body_oks,
                f"tracks {other} and {track} lie on one body (OKS {spell.most:.2f})",
                other,
            )


def _gaps(track: int, own: PoseFacts, settings: MomentSettings) -> Iterator[Moment]:
    gap_s = np.diff(own.time_s)
    for place in np.flatnonzero(gap_s > settings.gap_s).tolist():
        yield Moment(
            "gap",
            track,
            int(own.frame[place]),
            int(own.frame[place + 1]),
            int(own.frame[place + 1]),
            severity_of("gap", float(gap_s[place]), settings.gap_s),
            f"unseen for {gap_s[place]:.1f} s, then taken for the same person",
        )


def _low_confidence(track: int, own: PoseFacts, settings: MomentSettings) -> Iterator[Moment]:
    low = (own.score < settings.low_score) & ~own.filled
    doubt = np.where(own.filled, 0, 1 - own.score)
    for spell in spells(low, doubt, own, settings, settings.low_score_s):
        mean = float(own.score[spell.start : spell.stop][low[spell.start : spell.stop]].mean())
        yield spell.lasting(
            "low confidence",
            track,
            settings.low_score_s,
            f"score {mean:.2f} for {spell.seconds:.1f} s",
        )


def _filled(track: int, own: PoseFacts, settings: MomentSettings) -> Iterator[Moment]:
    # Stretches that are filled are not joined: in between the person was seen.
    for spell in spells(own.filled, own.filled, own, settings, settings.filled_s, join=False):
        yield spell.lasting(
            "filled in",
            track,
            settings.filled_s,
            f"not seen for {spell.seconds:.1f} s; the poses are filled in",
        )


_RULES: tuple[Callable[[int, PoseFacts, MomentSettings], Iterator[Moment]], ...] = (
    _limb_lengths,
    _size,
    _jumps,
    _left_and_right,
    _same_body,
    _gaps,
    _low_confidence,
    _filled,
)


def _damaged(ranges: Iterable[DamagedRange]) -> Iterator[Moment]:
    for one in ranges:
        frames = "a frame" if one.count == 1 else f"{one.count} frames"
        words = f"{frames} cannot be decoded ({one.reason}): no person was looked for"
        severity = WEIGHTS["damaged"]
        yield Moment("damaged", None, one.start, one.stop - 1, one.start, severity, words)


# Births and ends


@dataclass(frozen=True)
class _End:
    track: int
    time_s: float
    hip: NDArray[np.float32]


def _ends_of(facts: PoseFacts) -> list[_End]:
    """The last pose of each track."""
    last = {track: row for row, track in enumerate(facts.track.tolist())}
    return [_End(track, float(facts.time_s[row]), facts.hip[row]) for track, row in last.items()]


def _begins(
    track: int, own: PoseFacts, watched: Watched, ends: list[_End], settings: MomentSettings
) -> Iterator[Moment]:
    late_s = own.time_s[0] - watched.time_s[0]
    if own.at_border[0] or late_s <= settings.edge_s or _after_damage(own.frame[0], watched):
        return
    frame = int(own.frame[0])
    last = _last_before(track, own, ends, settings)
    if last is None:
        severity = WEIGHTS["begins in mid-picture"] / 2
        words = f"track {track} begins in mid-picture"
    else:
        severity = WEIGHTS["begins in mid-picture"]
        words = (
            f"track {track} begins in mid-picture, near where track {last.track} ended "
            f"{own.time_s[0] - last.time_s:.1f} s before"
        )
    other = None if last is None else last.track
    yield Moment("begins in mid-picture", track, frame, frame, frame, severity, words, other)


def _last_before(
    track: int, own: PoseFacts, ends: list[_End], settings: MomentSettings
) -> _End | None:
    """The last track that ended shortly before, close by."""
    near = [
        end
        for end in ends
        if end.track != track
        and 0 <= own.time_s[0] - end.time_s <= settings.link_s
        and np.linalg.norm(own.hip[0] - end.hip) <= settings.link_way * own.height[0]
    ]
    return max(near, key=lambda end: end.time_s, default=None)


def _ends(
    track: int, own: PoseFacts, watched: Watched, settings: MomentSettings
) -> Iterator[Moment]:
    early_s = watched.time_s[-1] - own.time_s[-1]
    if own.at_border[-1] or early_s <= settings.edge_s or _before_damage(own.frame[-1], watched):
        return
    frame = int(own.frame[-1])
    severity = WEIGHTS["ends in mid-picture"] / 2
    words = f"track {track} ends in mid-picture"
    yield Moment("ends in mid-picture", track, frame, frame, frame, severity, words)


def _after_damage(frame: np.int64, watched: Watched) -> bool:
    """Whether the frame before is damaged."""
    place = int(np.searchsorted(watched.frames, frame)) - 1
    before = watched.frames[place]
    return place >= 0 and any(one.start <= before < one.stop for one in watched.damaged)


def _before_damage(frame: np.int64, watched: Watched) -> bool:
    """Whether the frame after is damaged."""
    place = int(np.searchsorted(watched.frames, frame)) + 1
    return place < len(watched.frames) and any(
        one.start <= watched.frames[place] < one.stop for one in watched.damaged
    )
