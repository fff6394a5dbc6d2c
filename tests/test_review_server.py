"""The server of the review page, asked without a browser."""

import http.client
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import orjson
import pytest

from annotate.domain.settings import settings_from
from annotate.numeric.pose_facts import pose_facts
from annotate.review.session import Session
from annotate.store import open_store
from annotate.use_cases.final_tracks import final_tracks
from tests.command import Host
from tests.made_review import people_of, write_job

# Seconds that Ctrl-C may take on a busy host.
END_S = 10


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path, stroll: Path) -> Host:
    home = tmp_path_factory.mktemp("review")
    host = Host(home / "store", blazepose_pack.parent, home)
    write_job(open_store(str(host.store)), blazepose_pack, [stroll], people_of)
    return host


@pytest.fixture(scope="module")
def process(host: Host) -> Iterator["tuple[subprocess.Popen[str], str]"]:
    process = host.start("review", "--no-browser")
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found, process.communicate()
    yield process, found.group(0)
    if process.poll() is None:
        process.kill()
        process.communicate()


class Client:
    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.host, self.token = parts.netloc, parts.query.removeprefix("token=")

    def ask(
        self, path: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.host, timeout=60)
        own = {"Host": self.host, "X-Annotate-Token": self.token}
        sent = {name: value for name, value in {**own, **(headers or {})}.items() if value}
        data = None if body is None else orjson.dumps(body)
        connection.request("GET" if data is None else "POST", path, data, sent)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        content = answer.read()
        connection.close()
        return answer.status, found, content


@pytest.fixture(scope="module")
def client(process: "tuple[subprocess.Popen[str], str]") -> Client:
    return Client(process[1])


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Annotate-Token": ""},
        {"X-Annotate-Token": "guessed"},
        {"Host": "example.org"},
        {"Host": "localhost.example.org:80"},
        {"Origin": "http://example.org"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"X-Annotate-Token": "", "Cookie": "annotate-1=2; x"},
    ],
)
def test_others_get_403(client: Client, headers: dict[str, str]) -> None:
    for path in ("/", "/app.js", "/api/job", "/api/videos/0/media"):
        assert client.ask(path, headers)[0] == 403


def test_the_token_becomes_a_cookie_and_leaves_the_address(client: Client) -> None:
    plain = {"X-Annotate-Token": ""}
    assert client.ask("/?token=guessed", plain)[0] == 403
    status, headers, _ = client.ask(f"/?token={client.token}", plain)
    assert (status, headers["location"]) == (303, "/")
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    status, headers, _ = client.ask("/", {**plain, "Cookie": cookie.split(";")[0]})
    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    # Through a tunnel the port is another one.
    assert client.ask("/api/job", {"Host": "localhost:9"})[0] == 200


def test_a_change_needs_an_origin(client: Client) -> None:
    edit = {"kind": "review", "change": {"start": 0, "stop": 5}, "after": 0}
    assert client.ask("/api/videos/0/edits", body=edit)[0] == 403


def test_the_video_comes_in_ranges(client: Client, stroll: Path) -> None:
    deadline = time.monotonic() + 60
    while orjson.loads(client.ask("/api/videos/0/source")[2])["state"] != "ready":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    status, headers, content = client.ask("/api/videos/0/media", {"Range": "bytes=10-29"})
    assert (status, headers["content-range"].split("/")[0]) == (206, "bytes 10-29")
    assert content == stroll.read_bytes()[10:30]


def test_poses_come_in_binary(client: Client) -> None:
    content = client.ask("/api/videos/0/poses?start=3&stop=5")[2]
    count, landmarks = np.frombuffer(content, "<u4", 2).tolist()
    assert (count, landmarks) == (4, 33)
    assert len(content) == 8 + count * (16 + 12 * landmarks)
    assert np.frombuffer(content, "<i4", 4, 8).tolist() == [3, 3, 4, 4]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], 400),
        ({"kind": "burn", "change": {}, "after": 0}, 400),
        ({"kind": ["review"], "change": {}, "after": 0}, 400),
        ({"kind": "review", "change": {"start": 5, "stop": 2}, "after": 0}, 400),
        ({"kind": "delete", "change": {"track": {"track": 9, "frame": 0}}, "after": 0}, 400),
        ({"kind": "undo", "change": {"edit": 99}, "after": 0}, 400),
        ({"kind": "review", "change": {"start": 0, "stop": 5}, "after": "x"}, 400),
        ({"kind": "review", "change": {"start": 0, "stop": 5}, "after": 0, "job": "x"}, 400),
    ],
)
def test_what_is_no_edit_is_refused(client: Client, body: Any, code: int) -> None:
    status, _, content = client.ask(
        "/api/videos/0/edits", {"Origin": f"http://{client.host}"}, body
    )
    assert status == code
    assert orjson.loads(content)["message"]
    for number in ("7", "9" * 5000, "x"):
        assert client.ask(f"/api/videos/{number}")[0] == 400
    assert client.ask("/api/videos/0/poses?start=900&stop=5")[0] == 400


def test_a_taken_port_is_said(host: Host, client: Client) -> None:
    said = host.run("review", "--no-browser", "--port", client.host.split(":")[1], code=2)
    assert "cannot be used" in said.err


def test_ctrl_c_ends_with_one_line(process: "tuple[subprocess.Popen[str], str]") -> None:
    process[0].send_signal(signal.SIGINT)
    _, err = process[0].communicate(timeout=END_S)
    assert err.splitlines() == ["Ctrl-C ends.", "Ended; 0 edits made."]
    assert process[0].returncode == 0


def test_poses_come_while_places_to_check_are_found(
    tmp_path: Path, blazepose_pack: Path, stroll: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(str(tmp_path / "store"))
    job = write_job(store, blazepose_pack, [stroll], people_of)
    session = Session(store, settings_from({}, store=str(tmp_path)), job)
    opened = session.video(0).tracks
    begun, go_on = threading.Event(), threading.Event()

    def slow(*arguments: Any) -> Any:
        begun.set()
        assert go_on.wait(END_S)
        return pose_facts(*arguments)

    monkeypatch.setattr("annotate.review.opened.pose_facts", slow)
    with ThreadPoolExecutor(2) as threads:
        moments = threads.submit(opened.moments)
        assert begun.wait(END_S)
        try:
            assert len(threads.submit(opened.poses, 0, 5).result(END_S)) == 10
        finally:
            go_on.set()
        assert moments.result() == opened.moments()
    session.close()


@pytest.mark.parametrize("by_box", [False, True], ids=["points", "box"])
def test_a_person_is_found_where_a_reviewer_points_and_followed(
    tmp_path: Path, blazepose_pack: Path, shared_data: Path, by_box: bool
) -> None:
    truth = np.load(shared_data / "reference" / "single_person.tracked.npz")["landmarks"]
    video = shared_data / "videos" / "single_person.mp4"
    store = open_store(str(tmp_path / "store"))
    job = write_job(store, blazepose_pack, [video], people_of)
    settings = settings_from({"ANNOTATE_CACHE": str(tmp_path / "cache")}, store=str(tmp_path))
    session = Session(store, settings, job)
    index = session.video(0).tracks.index
    size = np.array([index.width, index.height])
    known = truth[:, :, :2] * (size if truth[:, :, :2].max() < 2 else 1)
    hips, nose = known[5, 23:25].mean(axis=0), known[5, 0]
    head = nose + (nose - hips) * 0.15
    box = [known[5].min(axis=0).tolist(), known[5].max(axis=0).tolist()]
    points = {"corners": box} if by_box else {"hips": hips.tolist(), "head": head.tolist()}
    where: dict[str, object] = {"frame": 5, **points}
    edit = session.add_person(0, where, 0)
    made = edit.change.new_track
    found = [
        block.take(block.track_id == made) for block in final_tracks(store, job, job.videos[0])
    ]
    (tracks,) = [one for one in found if len(one)]
    assert len(tracks) > 20
    torso = float(np.linalg.norm(known[5, 11] - known[5, 23]))
    far = np.linalg.norm(
        tracks.smoothed[:, 11:29, :2] - known[tracks.frame_index][:, 11:29], axis=2
    )
    assert np.median(far) < 0.1 * torso
    session.close()
