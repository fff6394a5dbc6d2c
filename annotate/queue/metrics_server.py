"""Serves a worker's metrics to Prometheus, from its supervisor."""

import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import psutil
import redis
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from annotate import __version__
from annotate.domain.errors import UsageError
from annotate.queue.board import Board
from annotate.queue.messages import all_lists, merge_list, probe_list
from annotate.queue.metrics import FOLDER_VARIABLE


class WorkerGauges(Collector):
    """What is looked up at each scrape: the queue, the leases, the memory."""

    def __init__(self, board: Board, worker: str, provider: str) -> None:
        self._board = board
        self._worker = worker
        self._provider = provider

    def collect(self) -> Iterator[Metric]:
        """Called by prometheus_client."""
        facts = {"version": __version__, "worker": self._worker, "provider": self._provider}
        yield InfoMetricFamily("annotate_worker", "This worker, as it was started.", facts)
        yield GaugeMetricFamily(
            "annotate_memory_bytes", "Resident memory of all its processes.", _memory_bytes()
        )
        waiting, ages, answers = {"chunks": 0, "merges": 0, "probes": 0}, list[float](), 0.0
        with suppress(redis.RedisError):
            names, kinds = all_lists(), {merge_list(): "merges", probe_list(): "probes"}
            for name, length in zip(names, self._board.waiting(names), strict=True):
                waiting[kinds.get(name, "chunks")] += length
            ages = self._board.leases.ages_s(self._worker)
            answers = 1.0
        yield GaugeMetricFamily("annotate_queue_up", "Whether the queue answers.", answers)
        if not answers:
            return
        lengths = GaugeMetricFamily(
            "annotate_queue_length", "Messages that wait for a worker.", labels=["unit"]
        )
        for unit, length in waiting.items():
            lengths.add_metric([unit], length)
        yield lengths
        yield GaugeMetricFamily("annotate_leases", "Leases that this worker holds.", len(ages))
        yield GaugeMetricFamily(
            "annotate_lease_age_seconds",
            "Time since its lease was renewed that was renewed longest ago.",
            max(ages, default=0.0),
        )


def check_port(port: int) -> None:
    """Checks that metrics can be served there.

    Raises:
        UsageError: the port cannot be used.
    """
    with socket.socket() as probe, _naming(port):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("", port))


@contextmanager
def _naming(port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"cannot serve metrics on port {port}: {error.strerror}", "Name another port."
        ) from error


@contextmanager
def served_metrics(
    port: int, board: Board, worker: str, provider: str
) -> Iterator[Mapping[str, str]]:
    """Serves metrics on all addresses of the host while the block runs; yields the variables that
    the worker's processes need.

    Raises:
        UsageError: the port cannot be used.
    """
    with tempfile.TemporaryDirectory(prefix="annotate-metrics-") as folder:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
        registry.register(WorkerGauges(board, worker, provider))
        with _naming(port):
            server, thread = start_http_server(port, registry=registry)
        try:
            yield {FOLDER_VARIABLE: folder}
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _memory_bytes() -> int:
    total = 0
    own = psutil.Process()
    for process in [own, *own.children(recursive=True)]:
        with suppress(psutil.Error):  # it has just ended
            total += process.memory_info().rss
    return total
