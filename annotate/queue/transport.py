"""kombu's Redis transport, which drops what is not a message of this program, and goes on where a
message cannot be acknowledged or the server refuses.
"""

import logging
import time
from functools import partial
from typing import Any

import redis
from celery.app.amqp import AMQP
from kombu.connection import Connection
from kombu.transport import redis as kombu_redis

from annotate.queue.app import message_dropped
from annotate.queue.message_check import MalformedMessageError, clean_message

# Seconds before a worker asks a server again that refuses.
REFUSED_S = 5.0
# Errors of entries that are not what kombu wrote.
_DAMAGE = (ValueError, TypeError, LookupError, AttributeError)

logger = logging.getLogger(__name__)


class _CheckingClient(kombu_redis.PrefixedStrictRedis):
    """Reads messages; malformed ones are gone from the list, and are as if none had come."""

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """Called by kombu for the answer to every command."""
        answer = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name != "BRPOP" or not answer:
            return answer
        name, raw = answer
        # The name of a list is that of its queue, and its priority.
        queue = name.decode().partition("\x06\x16")[0]
        try:
            return name, clean_message(raw, queue)
        except MalformedMessageError as error:
            logger.warning("a malformed message was dropped from %s: %s", queue, error)
            message_dropped.send(sender=queue)
            return None


class _CheckedQoS(kombu_redis.QoS):
    """Forgets an entry of the unacknowledged messages that is not one, and messages that it cannot
    acknowledge.
    """

    def ack(self, delivery_tag: Any) -> None:
        """Called by kombu when a task has ended.

        A worker takes no more messages than it may hold unacknowledged. While the server is away
        they count as acknowledged here, else the worker would never take another. The server keeps
        them: they come again much later, when their work is done.
        """
        try:
            super().ack(delivery_tag)  # type: ignore[no-untyped-call]
        except redis.RedisError as error:
            logger.warning("a message was not acknowledged, and may come again: %s", error)
            self._quick_ack(delivery_tag)

    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        """Called by kombu for a message whose task was not done; as `ack` where that fails."""
        try:
            super().reject(delivery_tag, requeue)  # type: ignore[no-untyped-call]
        except redis.RedisError as error:
            logger.warning("a message was not given back, and may come again: %s", error)
            self._quick_ack(delivery_tag)

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Called by kombu for messages whose worker was lost long ago."""
        try:
            super().restore_by_tag(tag, client, leftmost)  # type: ignore[no-untyped-call]
        except _DAMAGE as error:
            logger.warning("a malformed message was dropped: %s", error)
            self._remove_from_indices(tag).execute()  # type: ignore[no-untyped-call]
            message_dropped.send(sender="unacknowledged")


class _CheckedChannel(kombu_redis.Channel):
    QoS = _CheckedQoS

    def _get_client(self) -> Any:
        # It checks the version of the client library.
        super()._get_client()  # type: ignore[no-untyped-call]
        return partial(_CheckingClient, global_keyprefix=self.global_keyprefix)


class _CheckedTransport(kombu_redis.Transport):
    Channel = _CheckedChannel

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Called by kombu when a worker has connected. A worker that is refused then connects
        again at once.
        """
        try:
            super().register_with_event_loop(connection, loop)  # type: ignore[no-untyped-call]
        except redis.ResponseError:
            time.sleep(REFUSED_S)
            raise


class _CheckedConnection(Connection):
    def get_transport_cls(self) -> Any:
        """Called by kombu when it connects."""
        return _CheckedTransport


class CheckedAmqp(AMQP):
    """Makes Celery use the checked transport."""

    Connection = _CheckedConnection
