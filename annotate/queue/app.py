"""The Celery application: its settings, and the names of its tasks and queues.

A message is only a hint: it may be lost, and it may come twice. The store says what is done. Tasks
are sent by name, so that nothing here imports `workers`.
"""

import ssl
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from celery import Celery
from celery.utils.dispatch import Signal

from annotate.domain.broker import MEMORY, TLS
from annotate.domain.options import Priority
from annotate.domain.settings import key_prefix

CHUNK_TASK = "annotate.chunk"
MERGE_TASK = "annotate.merge"
PROBE_TASK = "annotate.probe"
# Merges have a queue apart from chunks, so that a video's merge overtakes the chunks of the videos
# behind it. Chunks have several queues, and each job uses one of them: workers take from all queues
# in turn, so that a short job need not wait for the end of a long one.
MERGE_QUEUE = "annotate.merges"
# What submissions wait for has a queue of its own, too.
PROBE_QUEUE = "annotate.probes"
CHUNK_QUEUES = tuple(f"annotate.chunks.{number}" for number in range(8))
ALL_QUEUES = (MERGE_QUEUE, PROBE_QUEUE, *CHUNK_QUEUES)
# Redis takes the smallest number first. Merges go before all chunks.
PRIORITIES: Mapping[Priority, int] = MappingProxyType({"high": 0, "normal": 3, "low": 6})
# Name of the application; `celery -A workers` finds it in the package of that name.
WORKERS = "workers"
# How often a work unit is tried whose worker process dies.
ATTEMPTS = 3

REDIS_OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        # Seconds after which another worker gets a message that was not acknowledged, even if its
        # first worker is still busy with it. Leases notice lost workers much sooner.
        "visibility_timeout": 86400,
        "priority_steps": sorted(PRIORITIES.values()),
        "queue_order_strategy": "round_robin",
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 25,
    }
)

# Sent in the worker's parent process when a task raised an error.
task_error = Signal(name="task_error", providing_args={"error"})
# Sent in a command's own process when a message of the queue in it is used up.
task_ended = Signal(name="task_ended")
# Sent in the worker's parent process when it has dropped a malformed message.
message_dropped = Signal(name="message_dropped")


def make_app(broker: str, store_id: str) -> Celery:
    """The Celery application with our settings, connected to the broker at that URL.

    Args:
        store_id: of the store whose work units it sends and takes.
    """
    # Imported by name: the transports need the names of this file.
    transport = "memory_transport:MemoryAmqp" if broker == MEMORY else "transport:CheckedAmqp"
    amqp = f"annotate.queue.{transport}"
    app = Celery(WORKERS, broker=broker, amqp=amqp)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_queues={name: {"routing_key": name} for name in ALL_QUEUES},
        # A message is acknowledged when its part is written; a process that dies gives it back.
        task_acks_late=True,
        task_retry_on_worker_lost=True,
        worker_lost_wait=0.5,
        worker_prefetch_multiplier=1,
        worker_pool_start_method="spawn",
        worker_proc_alive_timeout=120,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        # A worker takes no commands through the queue, and so subscribes to no channel.
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # A server that refuses, as it is full or takes no writes, is like one that is away.
        broker_channel_error_retry=True,
        # While the queue's server is away, workers finish their chunks.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_transport_options={}
        if broker == MEMORY
        else {**REDIS_OPTIONS, "global_keyprefix": key_prefix(store_id)},
        # Without it kombu treats rediss:// like plain redis://. SSL_CERT_FILE names the certificate
        # of a private authority.
        broker_use_ssl=broker.startswith(TLS)
        and {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True},
    )
    return app
