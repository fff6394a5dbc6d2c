"""What the review page plays: copies within the cache's limit, files that change or go away."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from annotate.domain.settings import Settings, settings_from
from annotate.review.player_source import PlayerSource, Playing
from annotate.store import Store, open_store
from annotate.video.writer import Encoding
from tests.made_numbers import write_numbered
from tests.made_review import people_of, write_job
from tests.servers import wait_until

FRAMES = 6
Opened = Callable[[int], PlayerSource]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    environ = {"ANNOTATE_CACHE": str(tmp_path / "cache"), "ANNOTATE_CACHE_GB": "0"}
    return settings_from(environ, store=str(tmp_path / "store"))


@pytest.fixture
def opened(tmp_path: Path, blazepose_pack: Path, settings: Settings) -> Iterator[Opened]:
    """What is played of the videos of a job: AVI files of MPEG-2, and an MP4 file at the end."""
    videos = [
        write_numbered(tmp_path / f"{n}.avi", FRAMES + n, Encoding(codec="mpeg2video"))
        for n in range(2)
    ]
    videos.append(write_numbered(tmp_path / "plain.mp4", FRAMES))
    store: Store = open_store(settings.store)
    job = write_job(store, blazepose_pack, videos, people_of)
    made: list[PlayerSource] = []

    def source(number: int) -> PlayerSource:
        video = job.videos[number]
        made.append(PlayerSource(store, settings, video, store.read_index(video.fingerprint)))
        return made[-1]

    yield source
    for one in made:
        one.close()


def ended(source: PlayerSource, *, copy: bool = False) -> Playing:
    """What there is once the work is done."""
    found: list[Playing] = []

    def done() -> bool:
        found.append(source.playing(copy=copy and not found))
        return found[-1].state != "making"

    wait_until(done, "nothing to play")
    return found[-1]


def test_copies_keep_to_the_limit_of_the_cache_but_for_those_in_use(
    opened: Opened, settings: Settings
) -> None:
    def copies() -> int:
        return len([*(settings.cache / "review").glob("*.mp4")])

    first = opened(0)
    now = ended(first)
    assert (now.state, now.copy) == ("ready", True)
    assert ended(opened(1)).state == "ready"
    assert copies() == 2
    first.close()
    again = ended(opened(2), copy=True)  # a copy that a browser wants of what it might have played
    assert (again.copy, copies()) == (True, 2)
    assert now.path is not None
    assert not now.path.exists()


def test_a_copy_is_made_once(opened: Opened) -> None:
    path = ended(opened(0)).path
    assert path is not None
    made = path.stat()
    assert ended(opened(0)).path == path
    assert path.stat().st_ino == made.st_ino


def test_a_file_that_is_away_is_said_and_looked_for_again(opened: Opened, tmp_path: Path) -> None:
    source = opened(2)
    assert ended(source).state == "ready"
    (tmp_path / "plain.mp4").rename(tmp_path / "away.mp4")
    failed = ended(source)
    assert (failed.state, "plain.mp4" in failed.message) == ("failed", True)
    # The page asks for times and bytes too: that must not use up the next try.
    assert source.at_hand().state == "failed"
    assert source.at_hand() is source.at_hand()
    (tmp_path / "away.mp4").rename(tmp_path / "plain.mp4")
    back = ended(source)
    assert back.state == "ready", back.message


def test_a_file_with_other_bytes_is_not_played(opened: Opened, tmp_path: Path) -> None:
    source = opened(2)
    assert ended(source).state == "ready"
    write_numbered(tmp_path / "plain.mp4", FRAMES + 1)
    assert "does not hold the bytes" in ended(source).message
