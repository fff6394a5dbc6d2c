"""A video is merged as soon as its chunks are done, while other videos are still at work."""

from pathlib import Path

from annotate.domain.options import SubmitOptions
from annotate.queue.job_status import job_status
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.submit import submit
from tests.command import Host

# Works on the newest job with two processes. One waits for the second video, whose folder is away
# until the first one is merged.
WORK = """
from pathlib import Path
from annotate.domain.settings import settings_from
from annotate.queue.run_job import work_here
from annotate.store import open_store

away, back = Path({away!r}), Path({back!r})
settings = settings_from()
store = open_store(settings.store)
job = store.read_job({job!r})


def bring_back(status):
    first, second = status.videos
    assert first.merged or not second.merged
    if first.merged and away.exists():
        away.rename(back)


assert work_here(store, job, settings, 2, bring_back).finished
"""


def test_a_video_is_merged_while_another_one_is_not_done(
    host: Host, tmp_path: Path, walk: Path, stroll: Path
) -> None:
    disk, away = tmp_path / "disk", tmp_path / "away"
    disk.mkdir()
    second = disk / "stroll.mp4"
    second.write_bytes(stroll.read_bytes())
    options, store = SubmitOptions(detect_every=1), host.opened()
    job = submit(store, FoundVideos((walk, second)), options, host.settings(), workers=2)
    disk.rename(away)
    host.run_python(WORK.format(away=str(away), back=str(disk), job=job.id))
    status = job_status(store, job)
    assert all(video.merged for video in status.videos)
    assert not any(video.failures for video in status.videos)
