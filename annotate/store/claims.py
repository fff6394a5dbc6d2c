"""Creates an object that must not replace another one, where the server offers no such call.

A writer first puts a claim beside the key, then lists the claims. Two who claim at once both see it
in the list of whoever looks last, and that one steps back. So at most one writes, and its claim is
there until the object is.
"""

import random
import time
import uuid
from typing import Protocol

from annotate.domain.errors import StoreError

# Claims are named after the key, with this before a name of their own.
CLAIM = ".claim-"
# Seconds after which a claim counts as left by a killed writer.
STALE_S = 600.0
# Seconds after which a writer no longer trusts its own claim; a write takes at most the patience
# of the store beyond that.
TRUSTED_S = 60.0
# The longest pause in seconds before a writer that stepped back tries again.
PAUSE_S = 0.4


class Claimable(Protocol):
    """What this needs of `Files`."""

    def exists(self, key: str) -> bool: ...  # noqa: D102
    def names(self, key: str) -> list[str]: ...  # noqa: D102
    def write(self, key: str, data: bytes, *, durable: bool = True) -> None: ...  # noqa: D102
    def delete(self, key: str) -> None: ...  # noqa: D102


def create_by_claim(files: Claimable, key: str, data: bytes) -> bool:
    """As `Files.create`; it needs that what was written is in the next listing.

    Raises:
        StoreError: the store cannot be read or written in time.
    """
    folder, _, name = key.rpartition("/")
    while not files.exists(key):
        claimed_at = time.monotonic()
        # The time is in the name, since listings of some servers have none.
        own = f"{name}{CLAIM}{int(time.time())}-{uuid.uuid4().hex}"
        files.write(f"{folder}/{own}", b"")
        try:
            others = [one for one in files.names(folder) if _is_fresh(one, name) and one != own]
            if not others:
                if files.exists(key):
                    return False
                if time.monotonic() - claimed_at > TRUSTED_S:
                    raise StoreError(
                        f"cannot write {key} in the store: it answers too slowly",
                        "Check the store; the same step then works.",
                    )
                files.write(key, data)
                return True
        finally:
            files.delete(f"{folder}/{own}")
        time.sleep(random.uniform(0, PAUSE_S))  # noqa: S311 - so that two do not stay in step
    return False


def _is_fresh(other: str, name: str) -> bool:
    """Whether a name is that of a living writer's claim of the object `name`."""
    if not other.startswith(f"{name}{CLAIM}"):
        return False
    made_s, _, _ = other.removeprefix(f"{name}{CLAIM}").partition("-")
    return not made_s.isdecimal() or time.time() - int(made_s) < STALE_S
