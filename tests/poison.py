"""Messages that no job sends: what a defect, or someone with the queue's password, puts there."""

import base64
import json
import pickle
from copy import deepcopy
from typing import Any

from annotate.domain.job import Job
from annotate.domain.work import WorkUnit
from annotate.queue.app import CHUNK_TASK, MERGE_TASK
from annotate.queue.message_check import MAX_BYTES

Message = dict[str, Any]


def message_of(unit: WorkUnit, task: str = CHUNK_TASK) -> Message:
    """A message as Celery and kombu write it."""
    return {
        "body": body([unit.message, {}, {"callbacks": None, "errbacks": None}]),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": task,
            "id": "an-id",
            "root_id": "an-id",
            "parent_id": None,
            "retries": 0,
            "timelimit": [None, None],
            "eta": None,
            "expires": None,
            "argsrepr": "",
            "kwargsrepr": "{}",
            "origin": "a host",
            "ignore_result": True,
        },
        "properties": {
            "correlation_id": "an-id",
            "reply_to": "x",
            "delivery_mode": 2,
            "priority": 3,
            "delivery_info": {"exchange": "", "routing_key": "annotate.chunks.0"},
            "body_encoding": "base64",
            "delivery_tag": "a-tag",
        },
    }


def body(content: Any) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


def malformed(unit: WorkUnit) -> dict[str, bytes]:
    """Raw contents of a list, by what is wrong with them."""
    good = message_of(unit)
    kinds = {
        "nothing": b"",
        "a word": b"poison",
        "null": b"null",
        "a number": b"7",
        "true": b"true",
        "a list": b"[]",
        "an empty object": b"{}",
        "a text": b'"x"',
        "half": json.dumps(good).encode()[:200],
        "zeros": b"\0" * 9,
        "not UTF-8": b"\xff\xfe",
        "a pickle": pickle.dumps(good),
        "NaN": b"NaN",
        "nested": b"[" * (MAX_BYTES - 1),
    }

    def changed(what: str, place: str, name: str, value: Any) -> None:
        message = deepcopy(good)
        part = message[place] if place else message
        if value is _GONE:
            del part[name]
        else:
            part[name] = value
        kinds[what] = json.dumps(message).encode()

    for place, name in _FIELDS:
        changed(f"no {name}", place, name, _GONE)
        for value in _OTHERS:
            changed(f"{name} is {value}", place, name, value)
    for place, name, value in _VALUES:
        changed(f"{name} is {value!s:.30}", place, name, value)
    changed("body has other characters", "", "body", f"%{good['body']}")
    for what, content in _bodies(unit).items():
        changed(f"body: {what}", "", "body", body(content))
    return kinds


_GONE = object()
_OTHERS: list[Any] = [None, [], {}]
# Fields that a message needs, and the part of it that they are in.
_FIELDS = [
    *(("", name) for name in ("body", "content-type", "headers", "properties")),
    *(("headers", name) for name in ("task", "id", "retries")),
    *(("properties", name) for name in ("priority", "delivery_tag")),
]
_VALUES: list[tuple[str, str, Any]] = [
    ("", "body", "%%%"),
    ("", "body", base64.b64encode(pickle.dumps(1)).decode()),
    ("", "content-type", "application/x-python-serialize"),
    ("headers", "task", "os.system"),
    ("headers", "task", "celery.backend_cleanup"),
    ("headers", "task", MERGE_TASK),
    ("headers", "task", [CHUNK_TASK]),
    ("headers", "retries", "1"),
    ("headers", "retries", -1),
    ("headers", "origin", "x" * (8 << 20)),
    ("properties", "priority", 10**9),
    ("properties", "priority", 3.0),
]


def _bodies(unit: WorkUnit) -> dict[str, Any]:
    job, digest, video, start, stop = unit.message
    return {
        "null": None,
        "a number": 7,
        "a text": "xyz",
        "an object": {},
        "empty": [],
        "no arguments": [[], {}, {}],
        "arguments are null": [None, {}, {}],
        "arguments are an object": [{"a": 1}, {}, {}],
        "arguments are a text": ["abcde", {}, {}],
        "one is missing": [unit.message[:-1], {}, {}],
        "one too many": [[*unit.message, 1], {}, {}],
        "keywords": [[], {"job_id": job}, {}],
        "keywords are null": [unit.message, None, {}],
        "keywords are a list": [unit.message, [], {}],
        "two fields": [unit.message, {}],
        "four fields": [unit.message, {}, {}, {}],
        "job is null": [[None, digest, video, start, stop], {}, {}],
        "job is empty": [["", digest, video, start, stop], {}, {}],
        "job is long": [["x" * 1000, digest, video, start, stop], {}, {}],
        "job has a line break": [["x\ny", digest, video, start, stop], {}, {}],
        "video is a list": [[job, digest, [video], start, stop], {}, {}],
        "bounds are texts": [[job, digest, video, "0", "10"], {}, {}],
        "bounds are null": [[job, digest, video, None, None], {}, {}],
        "bounds are true": [[job, digest, video, False, True], {}, {}],
        "bounds are floats": [[job, digest, video, 0.0, 10.0], {}, {}],
    }


def unknown(unit: WorkUnit, other: Job) -> dict[str, bytes]:
    """Well-formed messages for work that no job of the store has."""
    job, digest, video, _, stop = unit.message
    arguments = {
        "no such job": ["20260102-000000-000000", digest, video, 0, stop],
        "a path for a job": ["../../jobs/x", digest, video, 0, stop],
        "another manifest": [job, "00" * 32, video, 0, stop],
        "a job of another store": [other.id, other.digest, video, 0, stop],
        "a video of no job": [job, digest, "cd" * 32, 0, stop],
        "a path for a video": [job, digest, "../../../x", 0, stop],
        "an unplanned chunk": [job, digest, video, 0, 1],
        "negative bounds": [job, digest, video, -5, -1],
        "huge bounds": [job, digest, video, 0, 10**300],
    }
    kinds = {}
    for name, one in arguments.items():
        message = message_of(unit)
        message["body"] = body([one, {}, {}])
        kinds[name] = json.dumps(message).encode()
    return kinds
