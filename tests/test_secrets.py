"""Passwords stay secret: TLS is checked, and nothing that the program prints holds one."""

import datetime
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
import trustme
from kombu.exceptions import OperationalError

from annotate.domain.broker import broker_address
from annotate.domain.errors import ExitCode, UsageError
from annotate.domain.settings import settings_from
from annotate.queue.app import MERGE_QUEUE, make_app
from annotate.queue.board import open_board
from annotate.store.s3 import S3Files
from tests.cable import Cable
from tests.command import PATIENCE_S, Host
from tests.servers import RedisServer

LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
SECRET = "a-very-secret-word"  # noqa: S105
Certificate = Callable[[trustme.CA], trustme.LeafCert]
Reach = Callable[[int], None]
REFUSED = (OperationalError, redis.ConnectionError)


def reach_queue(port: int) -> None:
    """Sends a task over TLS, or raises."""
    app = make_app(f"rediss://127.0.0.1:{port}/0", "")
    soon = {"socket_timeout": 2.0, "socket_connect_timeout": 2.0}
    with app.connection_for_write(transport_options=soon) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
        app.send_task("annotate.chunk", ["job"], connection=connection, queue=MERGE_QUEUE)


def reach_board(port: int) -> None:
    """Files a job over TLS, or raises."""
    open_board(f"rediss://127.0.0.1:{port}/0", "").jobs.add("job")


def relay(redis_server: RedisServer, certificate: trustme.LeafCert) -> Cable:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return Cable(redis_server.port, context)


REACH = pytest.mark.parametrize("reach", [reach_queue, reach_board], ids=["queue", "board"])


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that this host trusts."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return ca


@REACH
def test_the_server_is_reached_over_tls(
    redis_server: RedisServer, authority: trustme.CA, reach: Reach
) -> None:
    with relay(redis_server, authority.issue_cert("127.0.0.1")) as cable:
        reach(cable.port)
    with redis_server.client() as client:
        assert client.keys("annotate:*"), "nothing has arrived"


@REACH
@pytest.mark.parametrize(
    "certificate",
    [
        lambda _known: trustme.CA().issue_cert("127.0.0.1"),
        lambda known: known.issue_cert("another.example"),
        lambda known: known.issue_cert("127.0.0.1", not_after=LONG_AGO),
    ],
    ids=["of an unknown authority", "of another host", "that has expired"],
)
def test_a_certificate_is_refused(
    redis_server: RedisServer, authority: trustme.CA, certificate: Certificate, reach: Reach
) -> None:
    with (
        relay(redis_server, certificate(authority)) as cable,
        pytest.raises(REFUSED, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        reach(cable.port)
    with redis_server.client() as client:
        assert client.keys("*") == []


def test_a_server_without_tls_gets_no_plain_text(redis_server: RedisServer) -> None:
    with pytest.raises(OperationalError):
        reach_queue(redis_server.port)


@pytest.mark.parametrize(
    "url",
    [
        f"rediss://annotate:{SECRET}@127.0.0.1:1/0?ssl_cert_reqs=none",
        f"rediss://annotate:{SECRET}@127.0.0.1:1/0?ssl_check_hostname=false",
        f"amqp://annotate:{SECRET}@127.0.0.1:1/0",
        f"annotate:{SECRET}@127.0.0.1",
        # A character that ends the host's part early, or begins something else.
        *(f"redis://annotate:{SECRET}{odd}x@127.0.0.1:1/0" for odd in "/?#@[]%\\ \n\t"),
        f"redis://annotate:x/{SECRET}@127.0.0.1:1/0",
        f"redis://:/{SECRET}@127.0.0.1:1/0",
        f"redis://annotate:{SECRET}/",
        f"redis://annotate:{SECRET}",
        f"memory://{SECRET}",
        # No host or port can be this; the libraries' own errors repeat the whole URL.
        *(f"redis://annotate:{SECRET}@ho\u2100st/0", f"redis://annotate:{SECRET}@[::::]:1/0"),
        *(f"redis://annotate:{SECRET}@h:99999/0", f"redis://annotate:{SECRET}@h:0/0"),
        *(f"redis://annotate:{SECRET}@a..b:1/0", f"redis://annotate:{SECRET}@{'a' * 64}:1/0"),
        # Options, of which each library that reads the URL knows others.
        *(f"redis://127.0.0.1:1/0?password={SECRET}", f"redis://127.0.0.1:1/0?db={SECRET}"),
        *(f"redis://annotate:{SECRET}@127.0.0.1:1/0?{one}" for one in ("x=1", "db=1", "")),
    ],
)
def test_a_broker_without_checks_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as error:
        settings_from({"ANNOTATE_BROKER": url})
    assert SECRET not in f"{error.value}{error.value.hint}"


def test_a_password_that_is_escaped_arrives() -> None:
    url = "rediss://us%40er:p%2Fa%3Fs%23s%40w%25rd@[::1]:6379/0"
    assert settings_from({"ANNOTATE_BROKER": url}).broker == url
    password = open_board(url, "").client.get_connection_kwargs()["password"]
    assert password == "p/a?s#s@w%rd"  # noqa: S105
    assert broker_address(url) == "rediss://[::1]:6379/0"


@pytest.mark.parametrize(
    "url",
    [
        *(f"s3://KEY:{SECRET}@bucket/prefix", f"s3://KEY:x/{SECRET}@bucket/prefix"),
        *(f"s3://KEY:x?{SECRET}@bucket", f"s3://KEY:x#{SECRET}@bucket", f"s3://{SECRET}@bucket"),
        *(f"s3://bucket/a?key={SECRET}", f"s3://bucket/a#{SECRET}"),
    ],
)
def test_a_store_with_credentials_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as error:
        S3Files(url, {})
    assert SECRET not in f"{error.value}{error.value.hint}"


@pytest.mark.parametrize("command", ["submit", "probe", "watch"])
def test_an_address_with_credentials_is_not_printed(host: Host, command: str) -> None:
    said = host.run(command, f"s3://KEY:{SECRET}@bucket/videos", code=ExitCode.USAGE)
    assert SECRET not in said.out + said.err


def test_a_server_with_credentials_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as error:
        S3Files("s3://bucket", {"AWS_ENDPOINT_URL": f"http://key:{SECRET}@127.0.0.1:1"})
    assert SECRET not in f"{error.value}{error.value.hint}"


@pytest.mark.parametrize("debug", [[], ["--debug"]], ids=["", "debug"])
@pytest.mark.parametrize(
    "command", [["doctor"], ["status"], ["worker"]], ids=lambda words: words[0]
)
def test_no_password_is_printed(
    host: Host, redis_server: RedisServer, command: list[str], debug: list[str]
) -> None:
    url = f"redis://stranger:{SECRET}@127.0.0.1:{redis_server.port}/0"
    more = {"ANNOTATE_BROKER": url, "AWS_SECRET_ACCESS_KEY": SECRET}
    # Without packs `doctor` need not try the models.
    process = Host(host.store, host.home / "packs", host.home, more).start(*debug, *command)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in (ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE)
    assert out + err
    assert SECRET not in out + err
