"""Errors of buckets that cannot be reached, and how long the program waits for them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from annotate.domain.errors import StoreError, UsageError
from annotate.store import open_store
from annotate.store.s3 import S3Files
from tests.cable import Cable
from tests.servers import ADMIN_KEY, SECRET_KEY, S3Server, free_ports

SHORT_S = 1.0
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


def test_a_missing_bucket_is_named(s3_server: S3Server) -> None:
    with use_environ({**s3_server.environ, "AWS_ACCESS_KEY_ID": ADMIN_KEY}):
        files = S3Files("s3://no-such-bucket/store", s3_server.environ)
        for attempt in (files.read, files.names, files.exists, files.delete):
            with pytest.raises(StoreError, match="no bucket no-such-bucket") as error:
                attempt("jobs")
            assert "Make the bucket" in error.value.hint


@pytest.mark.parametrize("wrong", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_refused_credentials_are_reported_and_not_printed(s3_server: S3Server, wrong: str) -> None:
    environ = {**s3_server.environ, wrong: "not-the-right-one"}
    with use_environ(environ), pytest.raises(StoreError, match="refuses") as error:
        S3Files(f"s3://{s3_server.new_bucket()}", environ).read("jobs/x.json")
    assert wrong in error.value.hint
    said = f"{error.value}{error.value.hint}{error.value.__cause__}"
    assert SECRET_KEY not in said
    assert "not-the-right-one" not in said


def test_a_server_that_stays_away_is_named() -> None:
    (port,) = free_ports(1)
    endpoint = f"http://127.0.0.1:{port}"
    files = S3Files("s3://bucket", {"AWS_ENDPOINT_URL": endpoint}, patience_s=SHORT_S)
    with (
        use_environ(CREDENTIALS),
        pytest.raises(StoreError, match=f"{endpoint} does not answer") as error,
    ):
        files.write("jobs/x.json", b"{}")
    assert "AWS_ENDPOINT_URL" in error.value.hint


def test_a_server_that_comes_back_is_waited_for(s3_server: S3Server, tmp_path: Path) -> None:
    bucket = s3_server.new_bucket()
    video = tmp_path / "video"
    video.write_bytes(bytes(20_000_000))
    with Cable(s3_server.port) as cable, use_environ(s3_server.environ):
        files = S3Files(f"s3://{bucket}", {**s3_server.environ, "AWS_ENDPOINT_URL": cable.url})
        files.write("jobs/a.json", b"{}")
        verbs: list[Callable[[], object]] = [
            lambda: files.write("jobs/b.json", b"{}"),
            lambda: files.read("jobs/a.json"),
            lambda: files.names("jobs"),
            lambda: files.upload(video, "videos/v", lambda *_: None),
            lambda: files.download("videos/v", tmp_path / "copy", lambda *_: None),
        ]
        for verb in verbs:
            cable.pull(cuts=2)
            verb()
            assert cable.plugged, "the cut went unnoticed"
        assert files.names("jobs") == ["a.json", "b.json"]
    assert (tmp_path / "copy").read_bytes() == video.read_bytes()


def test_a_cable_pulled_in_the_middle_of_an_upload_leaves_it_whole(
    s3_server: S3Server, tmp_path: Path
) -> None:
    video = tmp_path / "video"
    video.write_bytes(bytes(40_000_000))
    with Cable(s3_server.port) as cable, use_environ(s3_server.environ):
        environ = {**s3_server.environ, "AWS_ENDPOINT_URL": cable.url}
        files = S3Files(f"s3://{s3_server.new_bucket()}", environ)
        pulls = iter([10_000_000])

        def disturb(done: int, _total: int) -> None:
            if done > next(pulls, 1 << 40):
                cable.pull(cuts=2)

        files.upload(video, "videos/v", disturb)
        assert files.size("videos/v") == video.stat().st_size


@pytest.mark.parametrize(
    ("status", "says", "patient"),
    [
        (507, "no room", False),
        (503, "503", True),
        (500, "500", True),
        (429, "429", True),
        (403, "refuses", False),
    ],
    ids=["full", "unavailable", "internal error", "too many", "forbidden"],
)
def test_a_server_that_answers(status: int, says: str, patient: bool) -> None:
    with answering(status) as (endpoint, requests):
        files = S3Files("s3://bucket", {"AWS_ENDPOINT_URL": endpoint}, patience_s=SHORT_S)
        with use_environ(CREDENTIALS), pytest.raises(StoreError, match=says):
            files.write("jobs/x.json", b"{}")
        assert (len(requests) > 2) == patient


@pytest.mark.parametrize(
    ("code", "says", "hint"),
    [
        ("AccessDenied", "refuses it", "s3:PutObject"),
        ("RequestTimeTooSkewed", "the clock of this host is wrong", "Set the clock"),
    ],
)
def test_a_refusal_says_what_is_needed(code: str, says: str, hint: str) -> None:
    with answering(403, code=code) as (endpoint, _):
        files = S3Files("s3://bucket", {"AWS_ENDPOINT_URL": endpoint})
        with use_environ(CREDENTIALS), pytest.raises(StoreError, match=says) as error:
            files.write("jobs/x.json", b"{}")
    assert hint in error.value.hint


@pytest.mark.parametrize("code", ["NoSuchKey", ""], ids=["named", "no text"])
def test_an_object_that_is_deleted_while_it_is_read_is_absent(code: str) -> None:
    """Arrow asks for its length first."""
    with answering(404, code=code, head=200) as (endpoint, requests):
        files = S3Files("s3://bucket", {"AWS_ENDPOINT_URL": endpoint})
        with use_environ(CREDENTIALS):
            assert files.read("heartbeats/x.json") is None
            with pytest.raises(StoreError, match="it does not exist"), files.reader("tracks"):
                pass
    assert any(request.startswith("GET") for request in requests)


def test_an_upload_of_which_a_part_fails_is_never_completed(tmp_path: Path) -> None:
    video = tmp_path / "video"
    video.write_bytes(bytes(40_000_000))
    with answering(500, parts=2) as (endpoint, requests):
        files = S3Files("s3://bucket", {"AWS_ENDPOINT_URL": endpoint}, patience_s=SHORT_S)
        sends: list[Callable[[], None]] = [
            lambda: files.upload(video, "videos/v", lambda *_: None),
            lambda: files.write("results/t.parquet", video.read_bytes()),
        ]
        for send in sends:
            requests.clear()
            with use_environ(CREDENTIALS), pytest.raises(StoreError, match="500"):
                send()
            assert any("partNumber=2" in request for request in requests)
            assert not any(
                request.startswith("POST") and "uploadId" in request for request in requests
            )


@pytest.mark.parametrize(
    "url",
    ["s3://", "s3:///prefix", "s3://key:secret@bucket/x", "s3://bucket/x?access_key=secret"],
)
def test_a_url_without_a_bucket_or_with_a_secret_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as error:
        open_store(url)
    assert "secret@" not in str(error.value)
    assert "=secret" not in str(error.value)


UPLOAD = b"""<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<Bucket>bucket</Bucket><Key>key</Key><UploadId>one</UploadId></InitiateMultipartUploadResult>"""


@contextmanager
def answering(
    status: int, parts: int = 0, *, code: str = "", head: int = 0
) -> Iterator[tuple[str, list[str]]]:
    """A server that finds every bucket and answers all else with `status`; yields its requests.

    Args:
        parts: number of parts of an upload that it accepts, from part 1 on, plus one.
        code: the name of the error in its answers.
        head: what it answers, if not 0, where only the length is asked for.
    """
    requests: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            requests.append(f"{self.command} {self.path}")
            body = UPLOAD if parts and self.path.endswith("?uploads") else b""
            good = any(f"partNumber={number}&" in self.path for number in range(parts))
            fine = body or good or self.path == "/bucket"
            asked = head if head and self.command == "HEAD" else status
            if code and not fine and self.command != "HEAD":
                body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
            self.send_response(200 if fine else asked)
            self.send_header("ETag", '"tag"')
            # The length of an object that is there, where only that is asked for.
            self.send_header("Content-Length", str(5000 if asked == head else len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_HEAD = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def use_environ(environ: dict[str, str]) -> Iterator[None]:
    """The AWS SDK reads credentials from the process's own environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        yield
