"""The URL of the queue's server, which may hold a password: checked once, never printed."""

import re
from contextlib import suppress
from urllib.parse import urlsplit

from annotate.domain.errors import UsageError

MEMORY = "memory://"
TLS = "rediss://"

# Scheme; user and password, percent-escaped; host, in parts of at most 63 characters, or [IPv6
# address]; port; number of the database; options.
_URL = re.compile(
    r"""rediss?://
    (?:(?:[^\s/?\#@\[\]\\%]|%[0-9A-Fa-f]{2})*@)?
    (?:[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?|\[[0-9A-Fa-f:.]+\])
    (?::[0-9]{1,5})?
    (?:/[0-9]{0,5})?
    (\?[^\s@]*)?""",
    re.VERBOSE,
)
_FORM = (
    "Give redis://USER:PASSWORD@HOST:6379/0, or rediss://... for TLS, or nothing. In user and "
    "password write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25."
)


def checked_broker(url: str) -> str:
    """`url`, if it can only be read in one way.

    A password with a `/` in it, say, would end the host's part early: what follows would be taken
    for a path, and be printed. Errors do not repeat the URL.

    Raises:
        UsageError: it is not the URL of a queue, or switches the check of certificates off.
    """
    if url == MEMORY:
        return url
    found = _URL.fullmatch(url)
    if not found or not _has_address(url):
        raise UsageError("ANNOTATE_BROKER is not the URL of a queue", _FORM)
    if found[1] and "ssl_" in found[1]:
        raise UsageError(
            "ANNOTATE_BROKER must not contain TLS options: the certificate is always checked",
            "Set SSL_CERT_FILE=its-certificate.pem to trust a private authority.",
        )
    if found[1]:
        # The two libraries that read it each know other ones.
        raise UsageError("ANNOTATE_BROKER must not contain options, which begin with ?", _FORM)
    return url


def _has_address(url: str) -> bool:
    """Whether the host's address and the port can be some."""
    # Its own errors repeat what they were given.
    with suppress(ValueError):
        return urlsplit(url).port != 0
    return False


def broker_address(url: str) -> str:
    """A checked URL without user and password, for messages.

    >>> broker_address("redis://annotate:secret@queue.lan:6379/0")
    'redis://queue.lan:6379/0'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
