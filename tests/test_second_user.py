"""A store that a group may write: a second user reuses what is done, and others may only read.

Commands run in this process, as it can become another user and come back.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from annotate.domain.errors import ExitCode
from tests.in_process import InProcess, Said, cheap_work, made_host

GROUP = 42_000


@dataclass(frozen=True)
class User:
    """A user of this host, who needs no account.

    Attributes:
        uid, gid: numbers of the user and their only group.
    """

    uid: int
    gid: int = GROUP


FIRST, SECOND, OUTSIDER = User(42_001), User(42_002), User(43_001, 43_000)


@contextmanager
def becoming(user: User) -> Iterator[None]:
    """The block runs with the rights of the user, and the umask that most have."""
    groups, mask = os.getgroups(), os.umask(0o022)
    os.setgroups([])
    os.setegid(user.gid)
    os.seteuid(user.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
        os.umask(mask)


@dataclass
class Seat(InProcess):
    """A user with a home, at a store that others use too."""

    user: User = FIRST

    @property
    def folder(self) -> Path:
        return self.home.parent / "store"

    def run(self, *arguments: str | Path) -> Said:
        with becoming(self.user):
            return super().run(*arguments)


@pytest.fixture
def seats(tmp_path: Path, blazepose_pack: Path) -> Iterator[dict[User, Seat]]:
    """The users, a video of the first one's, and a store of the group."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can become another user")
    # Folders for temporary files of the tests are closed to others.
    place = Path(tempfile.mkdtemp(prefix="annotate-users-", dir="/tmp"))
    shutil.copytree(blazepose_pack.parent, place / "packs")
    with cheap_work():
        # All that the commands import is imported, as others may not reach this Python.
        warm = made_host(tmp_path, blazepose_pack.parent)
        warm.exported()
        warm.run("status")
        warm.run("cancel", warm.opened().job_ids()[0])
        shutil.copy(warm.videos[0], place / "sound.mp4")
        (place / "store").mkdir()
        os.chown(place / "store", FIRST.uid, GROUP)
        for path in (place, *place.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        (place / "store").chmod(0o2775)
        made = {}
        for user in (FIRST, SECOND, OUTSIDER):
            home = place / str(user.uid)
            home.mkdir()
            os.chown(home, user.uid, user.gid)
            made[user] = Seat(home, place / "packs", [place / "sound.mp4"], user=user)
        yield made
    shutil.rmtree(place)


def done(said: Said) -> Said:
    assert (said.code, said.defect) == (0, None), said
    return said


def test_a_second_user_of_the_group_reuses_and_adds(seats: dict[User, Seat]) -> None:
    first, second = seats[FIRST], seats[SECOND]
    done(first.submit())
    parts = {path: path.stat().st_mtime_ns for path in first.folder.rglob("parts/*")}
    assert parts
    assert "1 of 1 videos done" in done(second.submit()).text
    assert all(path.stat().st_mtime_ns == made for path, made in parts.items()), "done again"
    # What the second user has made, the first may use and delete.
    done(second.run("submit", *second.videos, "--detect-every", "1", "--start", "0.1"))
    owners = {path.stat().st_uid for path in first.folder.rglob("parts/*")}
    assert owners == {FIRST.uid, SECOND.uid}
    done(first.run("submit", *first.videos, "--detect-every", "1", "--start", "0.1"))
    for job in first.opened().job_ids()[1:]:
        done(first.run("clean", job, "--yes"))
    for seat in (first, second):
        said, data = seat.exported()
        done(said)
        assert data


def test_others_may_read_and_are_told_what_they_may_not(seats: dict[User, Seat]) -> None:
    first, outsider = seats[FIRST], seats[OUTSIDER]
    done(first.submit())
    done(outsider.run("status"))
    said, data = outsider.exported()
    done(said)
    assert data
    (job,) = first.opened().job_ids()
    commands: list[tuple[str | Path, ...]] = [
        ("submit", *outsider.videos, "--smooth", "3"),
        ("cancel", job),
    ]
    for command in commands:
        said = outsider.run(*command)
        assert (said.code, said.defect) == (ExitCode.STORE, None), said
        assert "cannot write" in said.text
        assert "You may not do that there" in said.text
        assert "chmod -R g+rwX" in said.text
