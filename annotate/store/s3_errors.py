"""What the errors of a bucket's server mean, and which of them may be gone at the next try."""

import errno
import re

from annotate.domain.errors import StoreError

_STATUS = re.compile(r"AWS Error (?P<code>\w+)(?: \(HTTP status (?P<status>\d+)\))?")
# Error names of Arrow's AWS SDK that are worth another try, as are HTTP status 429 (too many
# requests) and any from 500 on but 507 (insufficient storage).
_TRANSIENT = frozenset(
    [
        *("NETWORK_CONNECTION", "INTERNAL_FAILURE", "SERVICE_UNAVAILABLE", "SLOW_DOWN"),
        *("THROTTLING", "REQUEST_TIMEOUT", "OPERATION_ABORTED"),
    ]
)
_REFUSED = frozenset(
    [
        *("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH"),
        *("INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN", "UNRECOGNIZED_CLIENT"),
        *("INVALID_CLIENT_TOKEN_ID", "EXPIRED_TOKEN"),
    ]
)
# The second one is an answer 404 that says no more.
_ABSENT = frozenset(["NO_SUCH_KEY", "RESOURCE_NOT_FOUND"])
# What a user needs on the bucket, beside s3:ListBucket.
_RIGHTS = {
    "read": "s3:GetObject",
    "write": "s3:PutObject",
    "delete": "s3:DeleteObject",
    "move": "s3:GetObject, s3:PutObject, s3:DeleteObject",
}
_FULL = re.compile(r"storage ?full|quota|insufficient storage|no space|HTTP status 507", re.I)


def is_transient(error: OSError) -> bool:
    """Whether it may be gone at the next try, as where the server is away."""
    if error.errno is not None or _FULL.search(str(error)):
        return False
    found = _STATUS.search(str(error))
    status = int(found["status"] or 0) if found else 0
    return found is not None and (found["code"] in _TRANSIENT or status == 429 or status >= 500)


def is_absent(error: OSError) -> bool:
    """Whether the object is not there; Arrow looks for it first, and it may be deleted then."""
    found = _STATUS.search(str(error))
    return error.errno == errno.ENOENT or (found is not None and found["code"] in _ABSENT)


def s3_error(error: OSError, verb: str, what: str, server: str) -> StoreError:
    """The error for what cannot be done in a bucket.

    Args:
        verb: what was tried: `read`, `write`, `list`, `delete` or `move`.
        what: the object and its store.
        server: the bucket's server, as the user knows it.
    """
    found = _STATUS.search(str(error))
    code = found["code"] if found else ""
    said = str(error).split(" (Request ID")[0]
    if is_absent(error):
        reason, hint = "it does not exist", "It was deleted; submit the videos again."
    elif error.errno is not None:
        reason = f"error on this host: {error.strerror}"
        hint = "Make room on this host's disk, or name other folders: TMPDIR, ANNOTATE_CACHE."
    elif code == "NETWORK_CONNECTION":
        reason = f"{server} does not answer"
        hint = "Check AWS_ENDPOINT_URL and the server; the same command then goes on."
    elif _FULL.search(said):
        reason = "the server has no room left"
        hint = "Make room there and run the same command again: it goes on."
    elif code in _REFUSED:
        reason = f"{server} refuses it ({code})"
        rights = ", ".join(filter(None, ("s3:ListBucket", _RIGHTS.get(verb))))
        hint = (
            "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that this user has "
            f"{rights} on the bucket; the same command then goes on."
        )
    elif code == "REQUEST_TIME_TOO_SKEWED":
        reason = f"{server} refuses it, as the clock of this host is wrong"
        hint = "Set the clock, or let the system set it; the same command then goes on."
    elif code == "NO_SUCH_BUCKET":
        reason, hint = "there is no such bucket", "Make it, or correct ANNOTATE_STORE."
    else:
        reason, hint = said, "Check the server, the bucket and the free space."
    return StoreError(f"cannot {verb} {what}: {reason}", hint)
