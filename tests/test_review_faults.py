"""The review page while its store or its video is in trouble: each answer says so."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from annotate.review.described import described_job
from annotate.review.session import Session
from annotate.store import open_store
from tests.command import PATIENCE_S, Host
from tests.made_review import people_of, write_job
from tests.test_review_server import Client

PATHS = ("job", *(f"videos/0{rest}" for rest in ("", "/outline", "/moments", "/poses?stop=9")))


@pytest.fixture
def host(tmp_path: Path, blazepose_pack: Path, stroll: Path) -> Host:
    host = Host(tmp_path / "store", blazepose_pack.parent, tmp_path)
    write_job(open_store(str(host.store)), blazepose_pack, [stroll], people_of)
    return host


@pytest.fixture
def process(host: Host) -> Iterator["subprocess.Popen[str]"]:
    process = host.start("review", "--no-browser")
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def client(process: "subprocess.Popen[str]") -> Client:
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found, process.communicate()
    return Client(found.group(0))


def answers(client: Client) -> dict[str, int]:
    """The status of each answer, all of which are ours."""
    found = {}
    for path in PATHS:
        status, headers, content = client.ask(f"/api/{path}")
        if status != 200:
            assert headers["content-type"] == "application/json", content
            said = orjson.loads(content)
            assert said["message"]
            assert "Traceback" not in said["message"]
        found[path] = status
    return found


def test_the_store_is_only_read_until_an_edit_is_made(host: Host, client: Client) -> None:
    def files() -> dict[Path, bytes]:
        every = Path(host.store).rglob("*")
        return {one: one.read_bytes() for one in every if one.is_file()}

    before = files()
    assert set(answers(client).values()) == {200}
    for path in ("source", "times", "annotated", "view"):
        assert client.ask(f"/api/videos/0/{path}")[0] == 200
    edit = {"kind": "review", "change": {"start": 0, "stop": 500}, "after": 0}
    headers = {"Origin": f"http://{client.host}"}
    assert client.ask("/api/videos/0/edits", headers, edit)[0] == 400  # it does not fit
    assert files() == before
    edit["change"] = {"start": 0, "stop": 5}
    assert client.ask("/api/videos/0/edits", headers, edit)[0] == 200
    after = files()
    assert {one: after[one] for one in before} == before
    assert [one.name for one in set(after) - set(before)] == ["000001.json"]


@pytest.mark.parametrize("opened", [False, True], ids=["not opened", "opened"])
def test_a_store_that_is_away_is_said_and_the_page_goes_on_after_it(
    host: Host, client: Client, process: "subprocess.Popen[str]", opened: bool
) -> None:
    if opened:
        assert set(answers(client).values()) == {200}
    store = Path(host.store)
    store.rename(store.with_name("aside"))
    assert 500 in answers(client).values()
    store.with_name("aside").rename(store)
    assert set(answers(client).values()) == {200}
    process.terminate()
    _, err = process.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in err


@pytest.mark.parametrize("opened", [False, True], ids=["not opened", "opened"])
def test_damaged_tracks_are_named(host: Host, client: Client, opened: bool) -> None:
    if opened:
        assert set(answers(client).values()) == {200}
    (tracks,) = Path(host.store).rglob("tracks/*.parquet")
    # In place, as a disk does it: the page may have it open.
    with tracks.open("r+b") as file:
        file.seek(4)
        file.write(b"\xa5" * (tracks.stat().st_size // 2))
    status, _, content = client.ask("/api/videos/0/poses?stop=9")
    assert status == 500
    assert tracks.name in orjson.loads(content)["message"]


def test_the_page_opens_the_video_that_it_names(
    tmp_path: Path, blazepose_pack: Path, stroll: Path, walk: Path
) -> None:
    """Though a copy of another one is before it."""
    store = open_store(str(tmp_path / "store"))
    job = write_job(store, blazepose_pack, [stroll, stroll, walk], people_of)
    host = Host(tmp_path / "store", blazepose_pack.parent, tmp_path)
    session = Session(store, host.settings(), job)
    for one in described_job(session.status())["videos"]:
        opened = session.video(one["number"]).tracks
        assert opened.index.fingerprint == job.videos[one["number"]].fingerprint
        assert one["name"] == opened.video.name
    assert [one["number"] for one in described_job(session.status())["videos"]] == [0, 2]
    session.close()
