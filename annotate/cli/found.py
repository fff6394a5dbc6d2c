"""What `annotate submit` says of the people that it found."""

from typing import TYPE_CHECKING

import numpy as np

from annotate.cli.text import count
from annotate.use_cases.found_people import FoundPeople, HintSettings, found_people

if TYPE_CHECKING:
    from annotate.domain.job import Job
    from annotate.store import Store

# Jobs of more videos get totals instead of a line a video.
NAMED_VIDEOS = 10


def found_lines(store: "Store", job: "Job") -> list[str]:
    """Lines about the people of a job's videos, and a hint where `--people all` may find more.

    Raises:
        StoreError: the store cannot be read.
    """
    distinct = {video.fingerprint: video for video in reversed(job.videos)}
    every = (found_people(store, job, video) for video in reversed(distinct.values()))
    found = [one for one in every if one is not None]
    if not found:
        return []
    lines = _totals(found) if len(found) > NAMED_VIDEOS else [_line(one) for one in found]
    suspicious = [one.name for one in found if one.suggests_all(HintSettings())]
    if suspicious and job.recipe.people == "near":
        which = suspicious[0] if len(suspicious) == 1 else count(len(suspicious), "video")
        lines.append(
            f"People are small, many or often missing in {which}: --people all may find more."
        )
    return lines


def _line(one: FoundPeople) -> str:
    if not one.most:
        return f"People in {one.name}: none."
    empty = f", none in {one.empty:.0%} of the frames" if one.empty else ""
    return f"People in {one.name}: {one.median:g} in the median, {one.most} at most{empty}."


def _totals(found: list[FoundPeople]) -> list[str]:
    median = float(np.median([one.median for one in found]))
    most = max(found, key=lambda one: one.most)
    without = sum(not one.most for one in found)
    line = (
        f"People in {count(len(found), 'video')}: {median:g} in the median, "
        f"{most.most} at most ({most.name})"
    )
    return [line + (f"; none in {count(without, 'video')}." if without else ".")]
