"""Lists of videos that are to be read, for the workers that help a submission with it.

A message to a worker names a list and a number in it, never a path.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

from annotate.domain.json_text import parsed
from annotate.store.damage import damage_named
from annotate.store.store import Store

_FOLDER = "reading"


@dataclass(frozen=True)
class ReadingList:
    """Videos that workers can reach, and how they are read.

    Attributes:
        places: root and path of each, as in `JobVideo`.
        stream, assume_fps: as in `Selection`.
    """

    places: tuple[tuple[str, str], ...]
    stream: int | None
    assume_fps: float | None


def write_list(store: Store, listed: ReadingList) -> str:
    """Files a list; returns its name, 64 hex digits of its bytes."""
    data = json.dumps(asdict(listed)).encode()
    name = hashlib.sha256(data).hexdigest()
    store.files.write(_key(name), data, durable=False)
    return name


def read_list(store: Store, name: str) -> ReadingList | None:
    """The list of that name; None where there is none, or its bytes are others.

    Raises:
        StoreError: the store cannot be read.
    """
    data = store.files.read(_key(name)) if name.isalnum() else None
    if data is None or hashlib.sha256(data).hexdigest() != name:
        return None
    with damage_named(_key(name)):
        fields = parsed(data)
        places = tuple((root, path) for root, path in fields["places"])
        return ReadingList(places, fields["stream"], fields["assume_fps"])


def delete_list(store: Store, name: str) -> None:
    """Deletes a list: messages that still name it do nothing."""
    store.files.delete(_key(name))


def _key(name: str) -> str:
    return f"{_FOLDER}/{name}.json"
