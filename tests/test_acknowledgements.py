"""A worker whose message cannot be acknowledged, since the queue is away, takes the next one."""

from collections.abc import Callable
from typing import Any

import pytest

from annotate.queue.app import MERGE_QUEUE, MERGE_TASK, make_app
from tests.servers import RedisServer


@pytest.mark.parametrize(
    "end",
    [
        lambda channel, tag: channel.basic_ack(tag),
        lambda channel, tag: channel.basic_reject(tag, requeue=True),
        lambda channel, tag: channel.basic_reject(tag),
    ],
    ids=["done", "given back", "refused"],
)
def test_a_message_that_ends_while_the_queue_is_away_holds_no_place(
    redis_server: RedisServer, end: Callable[[Any, str], None]
) -> None:
    app = make_app(redis_server.url, "store")
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        channel.basic_qos(0, 1, False)
        app.amqp.queues[MERGE_QUEUE](channel).declare()
        app.send_task(MERGE_TASK, ("job", "digest", "fingerprint"), queue=MERGE_QUEUE)
        message = channel.basic_get(MERGE_QUEUE)
        assert not channel.qos.can_consume()
        redis_server.kill()
        try:
            end(channel, message.delivery_tag)
            assert channel.qos.can_consume()
        finally:
            redis_server.start()
