"""Checks a message of the queue's server before Celery sees it, and writes it anew.

Anyone with the queue's password can put anything into its lists. Celery ends at some of it, and the
message comes back for the next worker. So only what `annotate.queue.messages` sends goes on, and of
that only what it asks for: all else of a message is written by this program.
"""

import base64
import json
from typing import Any

from annotate.queue.app import CHUNK_TASK, MERGE_TASK, PRIORITIES, PROBE_TASK

# Bytes of the largest message; those that are sent have less than 2,000.
MAX_BYTES = 1 << 14
# Characters of the longest text in a message; digests have 64.
_MAX_TEXT = 200
_TEXTS, _BOUNDS = (str, str, str), (int, int)
# Types of the arguments of each task: see `WorkUnit.message` and `Queue.send_probe`.
_ARGUMENTS: dict[str, tuple[type, ...]] = {
    CHUNK_TASK: (*_TEXTS, *_BOUNDS),
    MERGE_TASK: _TEXTS,
    PROBE_TASK: (str, int),
}
_NOTHING_FOLLOWS = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


class MalformedMessageError(ValueError):
    """A message is not one that this program sends."""


def clean_message(raw: bytes, queue: str) -> bytes:
    """The same request as kombu and Celery write it, with nothing else in it.

    Args:
        raw: what was in the list of the queue's server.
        queue: that it came from; it goes back there if its worker dies.

    Raises:
        MalformedMessageError: it is not the request of a work unit.
    """
    if len(raw) > MAX_BYTES:
        raise MalformedMessageError(f"it has {len(raw)} bytes")
    try:
        outer = json.loads(raw)
        headers, properties = outer["headers"], outer["properties"]
        body = json.loads(base64.b64decode(outer["body"], validate=True))
        arguments, keywords, _ = body
        _check_type(outer["content-type"])
        request = _Request(headers["task"], arguments, keywords, headers["id"], headers["retries"])
        return _written(request, queue, properties["priority"], properties["delivery_tag"])
    except MalformedMessageError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise MalformedMessageError(f"{type(error).__name__}: {error!s:.80}") from None


class _Request:
    """What a message asks for, checked."""

    def __init__(self, task: Any, arguments: Any, keywords: Any, name: Any, retries: Any) -> None:
        types = _ARGUMENTS.get(task) if type(task) is str else None
        if types is None:
            raise MalformedMessageError("it names no task of ours")
        if keywords != {} or type(arguments) is not list:
            raise MalformedMessageError("its arguments are not a list")
        if tuple(map(type, arguments)) != types:
            raise MalformedMessageError("its arguments have other types")
        for text in (*filter(lambda one: type(one) is str, arguments), name):
            _check_text(text)
        if type(retries) is not int or retries < 0:
            raise MalformedMessageError("its number of retries is no number")
        self.task, self.arguments, self.name, self.retries = task, arguments, name, retries


def _check_type(content_type: Any) -> None:
    if content_type != "application/json":
        raise MalformedMessageError("its body is not JSON")


def _check_text(text: Any) -> None:
    if type(text) is not str or not text.isprintable() or not 0 < len(text) <= _MAX_TEXT:
        raise MalformedMessageError("a text is empty, too long or not printable")


def _written(request: _Request, queue: str, priority: Any, tag: Any) -> bytes:
    """The message as kombu keeps it in a list."""
    _check_text(tag)
    if type(priority) is not int or priority not in PRIORITIES.values():
        raise MalformedMessageError("it has no priority of ours")
    body = json.dumps([request.arguments, {}, _NOTHING_FOLLOWS]).encode()
    headers = {
        **dict.fromkeys(("shadow", "eta", "expires", "group", "group_index", "parent_id")),
        "lang": "py",
        "task": request.task,
        "id": request.name,
        "root_id": request.name,
        "retries": request.retries,
        "timelimit": [None, None],
        "argsrepr": repr(request.arguments),
        "kwargsrepr": "{}",
    }
    properties = {
        "correlation_id": request.name,
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": queue},
        "priority": priority,
        "body_encoding": "base64",
        "delivery_tag": tag,
    }
    message = {
        "body": base64.b64encode(body).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": headers,
        "properties": properties,
    }
    return json.dumps(message).encode()
