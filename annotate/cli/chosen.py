"""The job and the videos that a command's arguments name."""

from pathlib import Path
from typing import TYPE_CHECKING

from annotate.domain.errors import UsageError

if TYPE_CHECKING:
    from annotate.domain.job import Job, JobVideo
    from annotate.store import Store


def chosen_videos(store: "Store", what: list[str]) -> tuple["Job", list["JobVideo"]]:
    """The job, and those of its videos that the arguments name."""
    ids = set(store.job_ids())
    jobs = [one for one in what if one in ids]
    if len(jobs) > 1:
        raise UsageError("more than one job is named", "Name one job at a time.")
    job = store.read_job(jobs[0]) if jobs else store.newest_job()
    names = [one for one in what if one not in ids]
    videos = [video for name in names for video in _named(job, name)]
    first = {video.fingerprint: video for video in reversed(videos or job.videos)}
    return job, [video for video in videos or job.videos if first[video.fingerprint] is video]


def _named(job: "Job", name: str) -> list["JobVideo"]:
    found = [video for video in job.videos if video.name == name]
    found = found or [video for video in job.videos if Path(video.name).name == Path(name).name]
    if not found:
        raise UsageError(
            f"job {job.id} has no video {name}",
            "`annotate status JOB` lists its videos; name another job before the video.",
        )
    return found
