"""Which track continues which, over gaps and all together.

The tracker ends a track soon after it loses a person. Here the ends and starts of tracks are
compared from both sides: with a cost for each pair, the best links are an assignment.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from annotate.domain.arrays import IntArray
from annotate.domain.merge_settings import MergeSettings
from annotate.merge.link_cost import link_cost, track_end
from annotate.merge.slides import goes_over
from annotate.merge.track_rows import TrackRows
from annotate.merge.turns import is_alone, is_in_place, join_turns


def find_links(tracks: TrackRows, step_s: float, settings: MergeSettings) -> dict[int, int]:
    """For undecided tracks, the track that each continues.

    Args:
        step_s: the usual time between two frames.
    """
    short = _too_short_for_motion(tracks, step_s, settings)
    unseen_s = settings.tracker.unseen_s(step_s)
    # Step 1: a person alone who is at the same place in the next frame is the same.
    links = _alone(tracks, unseen_s, settings)
    # Step 2: the best links between tracks that tell a motion.
    links |= _best_links(tracks, short, links, unseen_s, settings)
    # Step 3: a track that takes the place of a linked one, without a gap, is the same person.
    longer = [n for n in tracks.undecided if n not in short]
    joined = join_turns(links, longer, tracks, unseen_s, settings)
    if joined != links:
        links = joined | _best_links(tracks, short, joined, unseen_s, settings)
    # Step 4: what is left fills gaps, and short ones that are left lengthen tracks without a gap.
    links = _gaps_filled(links, tracks, short, unseen_s, settings)
    return _lengthened(links, tracks, short, unseen_s, settings)


def _too_short_for_motion(
    tracks: TrackRows, step_s: float, settings: MergeSettings
) -> frozenset[int]:
    """Undecided tracks that tell no motion; none where frames are so far apart that many do not."""
    least_s = settings.link.min_motion_s
    if step_s > least_s / 2:
        return frozenset()
    return frozenset(n for n in tracks.undecided if tracks.end_s(n) - tracks.start_s(n) < least_s)


def _alone(tracks: TrackRows, unseen_s: float, settings: MergeSettings) -> dict[int, int]:
    """The links between tracks without a gap where no other pose is near: the person is the same,
    even if the light changes what they look like. Not where it may be a person who was near
    before, or where another track that begins later is more likely the first one's.
    """
    ends = [n for n in tracks.rows if n not in tracks.closed]
    starts = [*tracks.undecided]
    gaps = _gaps(tracks, ends, starts)
    near = _in_reach(tracks, ends, starts, unseen_s, settings)
    links: dict[int, int] = {}
    for e, s in np.argwhere(near & (gaps > 0) & (gaps <= unseen_s)).tolist():
        pair = ends[e], starts[s]
        if not is_in_place(*pair, tracks, settings.link) or not is_alone(
            pair, tracks, settings.link
        ):
            continue
        others = [ends[n] for n in np.flatnonzero(near[:, s]) if n != e]
        later = [
            starts[n]
            for n in np.flatnonzero(near[e])
            if n != s and tracks.start_s(starts[n]) <= tracks.end_s(pair[1])
        ]
        rivals = [*((n, pair[1]) for n in others), *((pair[0], n) for n in later)]
        if not any(_cost(tracks, *rival, settings) < settings.link.max_cost for rival in rivals):
            links[pair[1]] = pair[0]
    return links


def _cost(tracks: TrackRows, before: int, after: int, settings: MergeSettings) -> float:
    """What it costs to link two tracks, each taken by itself."""
    table, rows, link = tracks.table, tracks.rows, settings.link
    tail, head = track_end(table, rows[before], -1, link), track_end(table, rows[after], 0, link)
    return link_cost(tail, head, link)


def _best_links(
    tracks: TrackRows,
    short: frozenset[int],
    known: Mapping[int, int],
    unseen_s: float,
    settings: MergeSettings,
) -> dict[int, int]:
    """The links between tracks that tell a motion, besides the known ones, whose costs are the
    least in all.
    """
    link, rows, table = settings.link, tracks.rows, tracks.table
    continued = {*known.values()}
    brief = short - known.keys() - continued
    ends = [n for n in rows if n not in brief and n not in tracks.closed and n not in continued]
    starts = [n for n in tracks.undecided if n not in brief and n not in known]
    near = _in_reach(tracks, ends, starts, unseen_s, settings)
    saved = np.zeros(near.shape)
    candidates = np.argwhere(near).tolist()
    after = {before: n for n, before in known.items()}
    tails = {
        e: track_end(table, np.concatenate(chain(rows, ends[e], known)[::-1]), -1, link)
        for e in {e for e, _ in candidates}
    }
    heads = {
        s: track_end(table, np.concatenate(chain(rows, starts[s], after)), 0, link)
        for s in {s for _, s in candidates}
    }
    for e, s in candidates:
        saved[e, s] = max(0.0, link.max_cost - link_cost(tails[e], heads[s], link))
    # Where two people were one for a while, what they do before and after tells more.
    ambiguous = [bool(table.ambiguous[rows[n][0]]) for n in starts]
    saved[:, ambiguous] *= link.ambiguous_weight
    saved = np.rint(saved * settings.rounding_steps) / settings.rounding_steps
    chosen = zip(*linear_sum_assignment(-saved), strict=True)
    return {starts[s]: ends[e] for e, s in chosen if saved[e, s] > 0}


def chain(rows: Mapping[int, IntArray], number: int, links: Mapping[int, int]) -> list[IntArray]:
    """The rows of a track and of those that are linked to it, in the order of the links."""
    found = [rows[number]]
    while number in links:
        number = links[number]
        found.append(rows[number])
    return found


def _in_reach(
    tracks: TrackRows,
    ends: list[int],
    starts: list[int],
    unseen_s: float,
    settings: MergeSettings,
) -> NDArray[np.bool_]:
    """(ends, starts) bool: the gap is short enough, neither track lies within the other, and the
    second one is not surely another person's.
    """
    link = settings.link
    end_s = np.array([(tracks.start_s(n), tracks.end_s(n)) for n in ends]).reshape(-1, 1, 2)
    start_s = np.array([(tracks.start_s(n), tracks.end_s(n)) for n in starts]).reshape(1, -1, 2)
    gaps = _gaps(tracks, ends, starts)
    near: NDArray[np.bool_] = (gaps > -link.max_overlap_s) & (gaps <= link.max_gap_s)
    near &= (end_s < start_s).all(axis=2)
    for e, s in np.argwhere(near & (gaps <= unseen_s)).tolist():
        near[e, s] = not goes_over(tracks, ends[e], starts[s], unseen_s, settings.swap)
    return near


def _gaps(tracks: TrackRows, ends: list[int], starts: list[int]) -> NDArray[np.float64]:
    """(ends, starts) seconds from the end of each track to the start of each."""
    end_s = np.array([tracks.end_s(n) for n in ends]).reshape(-1, 1)
    gaps: NDArray[np.float64] = np.array([tracks.start_s(n) for n in starts])[None] - end_s
    return gaps


def _gaps_filled(
    links: dict[int, int],
    tracks: TrackRows,
    short: frozenset[int],
    unseen_s: float,
    settings: MergeSettings,
) -> dict[int, int]:
    """The links, with tracks that have none put where they fill a gap: where a person must have
    been there is no room for another. Gaps that the smoother fills take short tracks only.
    """
    links = dict(links)
    linked = {*links, *links.values()}
    for number in tracks.undecided:
        if number not in linked:
            after = _nearest_gap(number, links, tracks, settings, number in short)
            if after is not None and not any(
                goes_over(tracks, *change, unseen_s, settings.swap)
                for change in ((links[after], number), (number, after))
            ):
                links[number], links[after] = links[after], number
    return links


def _lengthened(
    links: dict[int, int],
    tracks: TrackRows,
    short: frozenset[int],
    unseen_s: float,
    settings: MergeSettings,
) -> dict[int, int]:
    """The links, with short tracks that have none put where a track ends or begins without a gap:
    each time the pair with the least cost of those that look alike.
    """
    links = dict(links)
    alone = {n for n in short if n not in links and n not in links.values()}
    if not alone:
        return links
    continued = {*links.values()}
    ends = [n for n in tracks.rows if n not in continued and n not in tracks.closed]
    starts = [n for n in tracks.undecided if n not in links]
    near = _in_reach(tracks, ends, starts, unseen_s, settings)
    near &= _gaps(tracks, ends, starts) <= unseen_s
    costs = {}
    for e, s in ((ends[i], starts[j]) for i, j in np.argwhere(near).tolist()):
        if e in alone or s in alone:
            costs[e, s] = _cost(tracks, e, s, settings)
    for e, s in sorted(costs, key=lambda pair: (costs[pair], pair)):
        if costs[e, s] < settings.link.max_cost and s not in links and e not in links.values():
            links[s] = e
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
