"""The servers, the tools and the command line accept what docker/ holds."""

import importlib.util
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import yaml
from redis.backoff import NoBackoff
from redis.retry import Retry

from annotate import __version__
from annotate.domain.settings import key_prefix
from annotate.queue.messages import all_lists
from tests.command_lines import parsed
from tests.servers import PASSWORD, USER, RedisServer

REFUSED = r"(?i)permission"
DOCKER = Path(__file__).parents[1] / "docker"


@pytest.mark.parametrize(
    "command",
    [
        ["SET", "other", "1"],
        ["GET", "other"],
        ["LPUSH", "celery", "message"],
        ["PUBLISH", "other", "message"],
        ["EVAL", "return redis.call('get', 'other')", "0"],
        ["KEYS", "*"],
        ["SCAN", "0"],
        ["FLUSHALL"],
        ["FLUSHDB"],
        ["SWAPDB", "0", "1"],
        ["SELECT", "1"],
        ["CONFIG", "GET", "*"],
        ["CLIENT", "LIST"],
        ["CLIENT", "KILL", "TYPE", "normal"],
        ["ACL", "LIST"],
        ["MONITOR"],
        ["SHUTDOWN"],
        ["SCRIPT", "FLUSH"],
        ["FUNCTION", "FLUSH"],
        ["MIGRATE", "127.0.0.1", "1", "annotate:x", "0", "1"],
        ["REPLICAOF", "127.0.0.1", "1"],
        ["SORT", "annotate:x"],
    ],
    ids=" ".join,
)
def test_the_acl_refuses(guarded_redis: RedisServer, command: list[str]) -> None:
    with (
        guarded_redis.client() as client,
        pytest.raises(redis.ResponseError, match=REFUSED),
    ):
        client.execute_command(*command)


@pytest.mark.parametrize(
    ("user", "password"),
    [(USER, "wrong"), ("default", ""), ("default", PASSWORD)],
    ids=["wrong password", "the default user", "the default user with the password"],
)
def test_the_acl_admits_no_other_user(guarded_redis: RedisServer, user: str, password: str) -> None:
    once = Retry(NoBackoff(), 0)
    stranger = redis.Redis(port=guarded_redis.port, username=user, password=password, retry=once)
    with stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def compose() -> list[str | Path]:
    """The command `docker compose`: of this machine, or the same program from the package index."""
    docker = shutil.which("docker")
    if docker and not subprocess.run([docker, "compose", "version"], check=False).returncode:
        return [docker, "compose"]
    wheel = importlib.util.find_spec("compose")
    if wheel is None or wheel.origin is None:
        pytest.skip("docker compose is not installed")
    return [Path(wheel.origin).parent / "docker-compose"]


def test_docker_compose_accepts_the_file() -> None:
    done = subprocess.run(
        [*compose(), "-f", DOCKER / "compose.yaml", "--profile", "tools", "config"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert set(services) == {"redis", "s3", "worker", "status", "submit"}
    published = [port for one in services.values() for port in one.get("ports", [])]
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}, "open to the network"


def test_systemd_accepts_the_unit() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed")
    unit = DOCKER / "systemd" / "annotate-worker.service"
    done = subprocess.run(
        [analyze, "verify", unit], capture_output=True, text=True, check=False, timeout=60
    )
    # The program itself is installed on workers only.
    complaints = [line for line in done.stderr.splitlines() if "is not executable" not in line]
    assert complaints == []


def test_keda_counts_every_list_of_the_queue() -> None:
    documents = list(yaml.safe_load_all((DOCKER / "kubernetes" / "worker.yaml").read_text()))
    (scaled,) = (one["spec"] for one in documents if one["kind"] == "ScaledObject")
    triggers = {trigger["name"]: trigger["metadata"]["listName"] for trigger in scaled["triggers"]}
    assert set(triggers.values()) == {f"{key_prefix('STORE_ID')}{name}" for name in all_lists()}
    modifiers = scaled["advanced"]["scalingModifiers"]
    assert modifiers["formula"].split(" + ") == list(triggers)


# The command lines


def dockerfile() -> dict[str, list[str]]:
    """The entry point and the default arguments of the image."""
    lines = (DOCKER / "Dockerfile").read_text().splitlines()
    words = (line.split(maxsplit=1) for line in lines if line.startswith(("ENTRYPOINT", "CMD")))
    return {name: json.loads(value) for name, value in words}


def compose_commands() -> Iterator[list[str]]:
    """What the services of this program run, and what the comments tell people to run."""
    text = (DOCKER / "compose.yaml").read_text()
    services = yaml.safe_load(text)["services"]
    entry = dockerfile()["ENTRYPOINT"]
    for service in services.values():
        if service.get("image") == "annotate":
            yield service.get("entrypoint", entry) + service["command"]
    for name, arguments in re.findall(r"^# .* run --rm (\w+) (.+)$", text, re.MULTILINE):
        yield services[name]["entrypoint"] + arguments.split()


def kubernetes_command() -> list[str]:
    documents = list(yaml.safe_load_all((DOCKER / "kubernetes" / "worker.yaml").read_text()))
    (pod,) = (one["spec"]["template"]["spec"] for one in documents if one["kind"] == "Deployment")
    arguments: list[str] = pod["containers"][0]["args"]
    return dockerfile()["ENTRYPOINT"] + arguments


def commands_of_scripts() -> Iterator[list[str]]:
    """Of the systemd unit and of the PowerShell script."""
    unit = (DOCKER / "systemd" / "annotate-worker.service").read_text()
    for command in re.findall(r"^Exec\w+=.*/(annotate .+)$", unit, re.MULTILINE):
        yield command.split()
    script = (DOCKER / "windows" / "annotate-worker.ps1").read_text()
    for command in re.findall(r"& \$python -m (annotate .+)$", script, re.MULTILINE):
        yield command.split()


COMMANDS = [
    dockerfile()["ENTRYPOINT"] + dockerfile()["CMD"],
    *compose_commands(),
    kubernetes_command(),
    *commands_of_scripts(),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_command_line_accepts_every_command(command: list[str]) -> None:
    program, *arguments = command
    assert program == "annotate"
    parsed(arguments)


def test_the_commands_are_found() -> None:
    assert ["annotate", "doctor", "--require", "npu"] in COMMANDS
    assert ["annotate", "status", "--watch"] in COMMANDS
    one = ["annotate", "worker", "--concurrency"]
    assert [*one, "1"] in COMMANDS
    assert [*one, "2", "--metrics-port", "9108"] in COMMANDS
    assert COMMANDS.count(["annotate", "worker"]) == 3


# Hosts


def test_every_container_of_compose_gives_up_what_it_does_not_need() -> None:
    services = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
    assert services["s3"]["read_only"], "weed mini writes to /data alone"


def test_a_scaled_worker_takes_one_core() -> None:
    services = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    assert services["worker"]["command"][-2:] == ["--concurrency", "1"]


def test_the_environment_of_workers_fits_the_servers_of_the_documentation() -> None:
    lines = (DOCKER / "systemd" / "worker.env").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    text = (DOCKER.parent / "docs" / "operations.md").read_text()
    step = text.split("3. **The laptop")[1].split("4. **")[0]
    told = dict(re.findall(r"(\b(?:ANNOTATE|AWS)_\w+)=(\S+)", step))
    shared = set(given) & set(told)
    assert shared >= {"ANNOTATE_BROKER", "ANNOTATE_STORE", "AWS_ENDPOINT_URL", "AWS_REGION"}
    assert {name: given[name] for name in shared} == {name: told[name] for name in shared}


def test_pods_have_a_tag_and_a_probe_that_asks_the_worker() -> None:
    documents = list(yaml.safe_load_all((DOCKER / "kubernetes" / "worker.yaml").read_text()))
    (pod,) = (one["spec"]["template"]["spec"] for one in documents if one["kind"] == "Deployment")
    (container,) = pod["containers"]
    assert container["image"].endswith(f":{__version__}")
    (port,) = container["ports"]
    assert container["livenessProbe"]["httpGet"] == {"path": "/metrics", "port": port["name"]}
    assert container["args"][-2:] == ["--metrics-port", str(port["containerPort"])]


def test_the_windows_task_survives_battery_and_no_network() -> None:
    script = (DOCKER / "windows" / "annotate-worker.ps1").read_text()
    for flag in ("-AllowStartIfOnBatteries", "-DontStopIfGoingOnBatteries", "-RestartCount"):
        assert flag in script
    assert "-RunOnlyIfNetworkAvailable" not in script
    assert script.index('"3.12"') < script.index('"3.11"')
