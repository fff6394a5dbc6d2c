"""Which track continues which, over gaps and all together.

The tracker ends a track soon after it loses a person. Here the ends and starts of tracks are
compared from both sides: with a cost for each pair, the best links are an assignment.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from annotate.domain.merge_settings import MergeSettings
from annotate.merge.link_cost import link_cost, track_end
from annotate.merge.track_rows import TrackRows
from annotate.merge.turns import join_turns


def find_links(tracks: TrackRows, step_s: float, settings: MergeSettings) -> dict[int, int]:
    """For undecided tracks, the track that each continues.

    Args:
        step_s: the usual time between two frames.
    """
    short = _too_short_for_motion(tracks, step_s, settings)
    # Step 1: the best links between tracks that tell a motion.
    links = _best_links(tracks, short, {}, settings)
    # Step 2: a track that takes the place of a linked one, without a gap, is the same person.
    longer = [n for n in tracks.undecided if n not in short]
    joined = join_turns(links, longer, tracks, settings.tracker.unseen_s(step_s), settings.link)
    if joined != links:
        links = joined | _best_links(tracks, short, joined, settings)
    # Step 3: what is left fills gaps.
    return _gaps_filled(links, tracks, short, settings)


def _too_short_for_motion(
    tracks: TrackRows, step_s: float, settings: MergeSettings
) -> frozenset[int]:
    """Undecided tracks that tell no motion; none where frames are so far apart that many do not."""
    least_s = settings.link.min_motion_s
    if step_s > least_s / 2:
        return frozenset()
    return frozenset(n for n in tracks.undecided if tracks.end_s(n) - tracks.start_s(n) < least_s)


def _best_links(
    tracks: TrackRows, short: frozenset[int], known: Mapping[int, int], settings: MergeSettings
) -> dict[int, int]:
    """The links between tracks that tell a motion, besides the known ones, whose costs are the
    least in all.
    """
    link, rows, table = settings.link, tracks.rows, tracks.table
    continued = {*known.values()}
    ends = [n for n in rows if n not in short and n not in tracks.closed and n not in continued]
    starts = [n for n in tracks.undecided if n not in short and n not in known]
    near = _in_reach(tracks, ends, starts, settings)
    saved = np.zeros(near.shape)
    candidates = np.argwhere(near).tolist()
    tails = {e: track_end(table, rows[ends[e]], -1, link) for e in {e for e, _ in candidates}}
    heads = {s: track_end(table, rows[starts[s]], 0, link) for s in {s for _, s in candidates}}
    for e, s in candidates:
        saved[e, s] = max(0.0, link.max_cost - link_cost(tails[e], heads[s], link))
    # Where two people were one for a while, what they do before and after tells more.
    ambiguous = [bool(table.ambiguous[rows[n][0]]) for n in starts]
    saved[:, ambiguous] *= link.ambiguous_weight
    saved = np.rint(saved * settings.rounding_steps) / settings.rounding_steps
    chosen = zip(*linear_sum_assignment(-saved), strict=True)
    return {starts[s]: ends[e] for e, s in chosen if saved[e, s] > 0}


def _in_reach(
    tracks: TrackRows, ends: list[int], starts: list[int], settings: MergeSettings
) -> NDArray[np.bool_]:
    """(ends, starts) bool: the gap is short enough, and neither track lies within the other."""
    link = settings.link
    end_s = np.array([(tracks.start_s(n), tracks.end_s(n)) for n in ends]).reshape(-1, 1, 2)
    start_s = np.array([(tracks.start_s(n), tracks.end_s(n)) for n in starts]).reshape(1, -1, 2)
    gaps = start_s[:, :, 0] - end_s[:, :, 1]
    near: NDArray[np.bool_] = (gaps > -link.max_overlap_s) & (gaps <= link.max_gap_s)
    return near & (end_s < start_s).all(axis=2)


def _gaps_filled(
    links: dict[int, int], tracks: TrackRows, short: frozenset[int], settings: MergeSettings
) -> dict[int, int]:
    """The links, with tracks that have none put where they fill a gap: where a person must have
    been there is no room for another. Gaps that the smoother fills take short tracks only.
    """
    links = dict(links)
    linked = {*links, *links.values()}
    for number in tracks.undecided:
        if number not in linked:
            after = _nearest_gap(number, links, tracks, settings, number in short)
            if after is not None:
                links[number], links[after] = links[after], number
    return links


def _nearest_gap(
    number: int, links: dict[int, int], tracks: TrackRows, settings: MergeSettings, short: bool
) -> int | None:
    """The track after the gap that a track fills; None if it fills none."""
    nearest, least = None, settings.link.place * settings.link.max_fill_places
    start_s, end_s = tracks.start_s(number), tracks.end_s(number)
    for after, before in links.items():
        gap_start_s, gap_end_s = tracks.end_s(before), tracks.start_s(after)
        inside = gap_start_s < start_s and end_s < gap_end_s
        if inside and (short or gap_end_s - gap_start_s > settings.smoothing.max_gap_s):
            miss = _distance_from_way(tracks, before, after, number, settings)
            if miss < least:
                nearest, least = after, miss
    return nearest


def _distance_from_way(
    tracks: TrackRows, before: int, after: int, number: int, settings: MergeSettings
) -> float:
    """How far both ends of a track are at most from the straight way across a gap, in heights."""
    table, end, start = tracks.table, tracks.rows[before][-1], tracks.rows[after][0]
    height = float(table.roi_side[end]) / settings.link.roi_per_height
    distances = []
    for at in tracks.rows[number][[0, -1]]:
        share = (table.time_s[at] - table.time_s[end]) / (table.time_s[start] - table.time_s[end])
        expected = table.hip[end] + share * (table.hip[start] - table.hip[end])
        distances.append(float(np.linalg.norm(table.hip[at] - expected)) / height)
    return max(distances)
