"""Objects of a store that are not what was written: they are named, and set aside."""

from collections.abc import Iterator
from contextlib import contextmanager

from annotate.domain.errors import DamagedError

# Damaged objects are moved to the same key below this one.
ASIDE = "damaged"
_MADE_AGAIN = (
    "Run the same `annotate submit` again: it makes the file again. `annotate check --deep` looks "
    "for more."
)


@contextmanager
def damage_named(key: str) -> Iterator[None]:
    """Turns what parsers raise in the block into an error that names the object.

    Raises:
        DamagedError: the object at `key` cannot be parsed.
    """
    try:
        yield
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise damaged(key, str(error)) from error
    except OSError as error:
        # Parquet's errors, those of a wrong checksum among them, have no number of the system.
        if error.errno is not None:
            raise
        raise damaged(key, str(error)) from error


def damaged(key: str, reason: str, hint: str = _MADE_AGAIN) -> DamagedError:
    """The error for an object that is damaged."""
    return DamagedError(f"{key} in the store is damaged: {reason}", hint, key)
