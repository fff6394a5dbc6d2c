"""Where a bucket and its server are, as the user gives it; nothing that holds a password."""

import re
from collections.abc import Mapping

from annotate.domain.errors import UsageError
from annotate.domain.settings import S3_SCHEME
from annotate.store.files import checked_key


def split_url(url: str) -> tuple[str, str]:
    """Bucket and prefix.

    Raises:
        UsageError: the URL names no bucket, or contains credentials, which would be printed.
    """
    bucket, _, prefix = url.removeprefix(S3_SCHEME).partition("/")
    # A secret may hold any of these; what looks like one is not repeated.
    if re.search(r"[:@?#]", bucket) or re.search(r"[?#]", prefix):
        raise UsageError(
            "a store's URL must not contain credentials or options",
            "Write s3://BUCKET/PREFIX and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    prefix = prefix.strip("/")
    if not bucket or (prefix and checked_key(prefix) != prefix):
        raise UsageError(f"{url} names no bucket", "Write s3://BUCKET/PREFIX.")
    return bucket, prefix


def endpoint_of(environ: Mapping[str, str]) -> str | None:
    """URL of the server, or None for AWS.

    Raises:
        UsageError: it contains credentials, which would be printed.
    """
    url = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    if url and "@" in url:
        raise UsageError(
            "AWS_ENDPOINT_URL must not contain credentials",
            "Write https://HOST:PORT and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    return url
