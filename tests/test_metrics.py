"""What operators see of a worker: metrics, and a line a chunk in its log."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from annotate import __version__
from annotate.domain.errors import ExitCode
from annotate.queue.metrics import FOLDER_VARIABLE
from annotate.use_cases.stopwatch import Stopwatch
from tests.command import Host
from tests.fleet import board_of, kill
from tests.servers import RedisServer, free_ports, wait_until

DOCKER = Path(__file__).parents[1] / "docker"
FRAMES = 6
SHORT = ("--end", "0.2")
# As Prometheus itself adds it.
FROM_PROMETHEUS = {"up"}


@pytest.fixture
def shared(host: Host, redis_server: RedisServer) -> Host:
    return replace(host, more={"ANNOTATE_BROKER": redis_server.url})


def test_a_worker_serves_metrics_and_logs_json(shared: Host, stroll: Path) -> None:
    (port,) = free_ports(1)
    options = ("--concurrency", "2", "--metrics-port", str(port), "--log-format", "json")
    with (shared.home / "log").open("w") as log:
        worker = shared.start("worker", *options, stderr=log)
    try:
        wait_until(lambda: len(board_of(shared).reports.workers()) == 1, "a worker")
        shared.run("submit", stroll, *SHORT)
        # `submit` ends with the tracks, which are counted a moment later.
        wait_until(lambda: served(port)["annotate_merges_total", "done"] > 0, "the merge's count")
        found = served(port)
    finally:
        kill(worker)
    assert found["annotate_frames_total", "cpu"] == FRAMES
    assert found["annotate_poses_total",] == 2 * FRAMES
    assert found["annotate_chunks_total", "done"] == 1
    assert found["annotate_merges_total", "done"] == 1
    for outcome in ("failed", "retried"):
        assert found["annotate_chunks_total", outcome] == 0
    for stage in ("open", "decode", "models", "write"):
        assert found["annotate_stage_seconds_total", stage] > 0
    assert found["annotate_queue_up",] == 1
    assert found["annotate_queue_length", "chunks"] == found["annotate_leases",] == 0
    assert found["annotate_lease_age_seconds",] == 0
    assert found["annotate_memory_bytes",] > 1e8
    assert any(name == "annotate_worker_info" and __version__ in key for name, *key in found)
    used = named_in_examples() - FROM_PROMETHEUS
    assert used
    assert used <= {name for name, *_ in found}
    check_log(shared)


def served(port: int) -> dict[tuple[str, ...], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return samples(answer.read().decode())


def samples(text: str) -> dict[tuple[str, ...], float]:
    """The values by name and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def named_in_examples() -> set[str]:
    """The metrics that the dashboard and the alert rules ask for."""
    dashboard = json.loads((DOCKER / "grafana" / "annotate.json").read_text())
    rules = yaml.safe_load((DOCKER / "prometheus" / "alerts.yaml").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    scraping = yaml.safe_load((DOCKER / "prometheus" / "prometheus.yaml").read_text())
    assert (DOCKER / "prometheus" / scraping["rule_files"][0]).is_file()
    return set(re.findall(r"\bannotate_\w+|\bup\b", "\n".join(asked)))


def check_log(shared: Host) -> None:
    """Each line is an object, and one is about the chunk."""
    rows = [json.loads(line) for line in (shared.home / "log").read_text().splitlines()]
    assert all({"time", "level", "logger", "message"} <= row.keys() for row in rows)
    assert any("Worker " in row["message"] for row in rows)
    (row,) = (row for row in rows if "chunk" in row)
    assert row["job"] == shared.opened().newest_job().id
    assert (row["video"], row["frames"], row["poses"]) == ("stroll.mp4", FRAMES, 2 * FRAMES)
    assert row["provider"] == "cpu"
    assert row["seconds"] > 0


def test_a_port_in_use_is_named(shared: Host, redis_server: RedisServer) -> None:
    said = shared.run("worker", "--metrics-port", str(redis_server.port), code=int(ExitCode.USAGE))
    assert f"cannot serve metrics on port {redis_server.port}" in said.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize(("room", "counted"), [(2**20, True), (2**12, False)])
def test_without_room_for_the_counts_the_work_goes_on(
    tmp_path: Path, room: int, counted: bool
) -> None:
    """What is written through memory to a full disk ends the process."""
    program = (
        "import resource, sys;"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}));"
        "from annotate.queue.metrics import worker_counts;"
        "from tests.made_job import CHUNK, JOB, VIDEO;"
        "from annotate.domain.work import WorkUnit;"
        "worker_counts().count(WorkUnit(JOB, VIDEO, CHUNK), 'done')"
    )
    environ = {**os.environ, FOLDER_VARIABLE: str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environ, check=True)
    files = list(tmp_path.iterdir())
    assert bool(files) == counted
    for file in files:
        # Every byte has its place on the disk before it is written through memory.
        assert file.stat().st_blocks * 512 >= file.stat().st_size


def test_a_stage_within_another_counts_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    watch = Stopwatch()
    with watch.of("models"):
        assert list(watch.each("decode", iter("ab"))) == ["a", "b"]
    assert watch.spent_s == {"decode": 3, "models": 4}
