"""Tracks that take turns on one body: where one stops another one begins, at the same place, until
the first one is back.

Light, or limbs before the trunk, change what a person looks like for a while. The tracker then cuts
their track, and the linker links the pieces that look alike, over the others. Another person would
have had to come in the very frame in which this one went, to the same place, and to go in the frame
in which they came back. Where other people are near, it may be one of them who hid this one.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from annotate.domain.merge_settings import LinkSettings, MergeSettings
from annotate.merge.slides import goes_over
from annotate.merge.track_rows import TrackRows


def join_turns(
    links: Mapping[int, int],
    numbers: Iterable[int],
    tracks: TrackRows,
    unseen_s: float,
    settings: MergeSettings,
) -> dict[int, int]:
    """The links, with tracks put where they take a turn in the gap of a link.

    A track that continues another one without a gap, or is continued so, stays with that one; so
    does one with another person near.

    Args:
        links: for tracks, the track that each continues.
        numbers: of the tracks that may be put there.
        unseen_s: what is no gap: for so long a tracked person may be unseen.
    """
    joined = dict(links)
    for number in sorted(numbers, key=tracks.start_s):
        gaps = [
            (before, after)
            for after, before in joined.items()
            if _takes_turn(number, before, after, joined, tracks, unseen_s, settings)
        ]
        for before, after in gaps[:1]:
            joined = {n: m for n, m in joined.items() if number not in (n, m)}
            joined[number], joined[after] = before, number
    return joined


def _takes_turn(
    number: int,
    before: int,
    after: int,
    links: Mapping[int, int],
    tracks: TrackRows,
    unseen_s: float,
    settings: MergeSettings,
) -> bool:
    """Whether a track is there in the gap of a link, from its first to its last moment."""
    if number in (before, after):
        return False
    changes = ((before, number), (number, after))
    if not all(_follows(*change, tracks, unseen_s, settings) for change in changes):
        return False
    followers = [n for n, m in links.items() if m == number]
    own = [(links[number], number)] if number in links else []
    own += [(number, follower) for follower in followers]
    if any(_without_gap(a, b, tracks, unseen_s) for a, b in own):
        return False
    return is_alone((before, number, after), tracks, settings.link)


def is_alone(turns: Sequence[int], tracks: TrackRows, settings: LinkSettings) -> bool:
    """Whether no other pose is near where tracks take turns, from shortly before the first change
    to shortly after the last one.

    Args:
        turns: two tracks or more, each of which begins when the one before it ends.
    """
    table = tracks.table
    start_s = tracks.end_s(turns[0]) - settings.min_track_s
    end_s = tracks.start_s(turns[-1]) + settings.min_track_s
    others = (table.time_s >= start_s) & (table.time_s <= end_s)
    for track in turns:
        others[tracks.rows[track]] = False
    ends = np.array([tracks.rows[track][0] for track in turns[1:]])
    height = table.roi_side[ends].max() / settings.roi_per_height
    apart = np.linalg.norm(table.hip[others][:, None] - table.hip[ends][None], axis=2)
    return bool((apart >= settings.min_apart * height).all())


def _follows(
    before: int, after: int, tracks: TrackRows, unseen_s: float, settings: MergeSettings
) -> bool:
    """Whether a track begins where and when another one ends, and may be the same person's."""
    if not _without_gap(before, after, tracks, unseen_s):
        return False
    if goes_over(tracks, before, after, unseen_s, settings.swap):
        return False
    return is_in_place(before, after, tracks, settings.link)


def is_in_place(before: int, after: int, tracks: TrackRows, settings: LinkSettings) -> bool:
    """Whether a track begins where another one ends."""
    table, end, start = tracks.table, tracks.rows[before][-1], tracks.rows[after][0]
    height = float(table.roi_side[[end, start]].max()) / settings.roi_per_height
    miss = float(np.linalg.norm(table.hip[start] - table.hip[end])) / height
    return miss < settings.place * settings.max_fill_places


def _without_gap(before: int, after: int, tracks: TrackRows, unseen_s: float) -> bool:
    return 0 < tracks.start_s(after) - tracks.end_s(before) <= unseen_s
