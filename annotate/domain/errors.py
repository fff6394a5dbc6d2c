"""The error tree: every error a user can meet has an exit code and a next step.

Errors are raised where the cause is known and caught once, in `annotate.cli`, which prints
the message and the hint. A traceback is shown only under `--debug`.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process returns; the README lists the same table."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    BAD_VIDEO = 4
    BAD_PACK = 5
    STORE = 6
    INTERRUPTED = 130


class AnnotateError(Exception):
    """Base of all errors that are meant for the user.

    `message` names the thing and what is wrong with it; `hint` says what to do next.
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type["AnnotateError"], tuple[str, str]]:
        # Errors cross process borders: without this, unpickling would drop the hint.
        return type(self), (self.message, self.hint)


class UsageError(AnnotateError):
    """The command line asks for something that does not exist or does not fit."""

    exit_code = ExitCode.USAGE


class VideoError(AnnotateError):
    """A video cannot be read, or is not what its index says it is."""

    exit_code = ExitCode.BAD_VIDEO


class PackError(AnnotateError):
    """A model pack is missing, damaged, or not the one that a job names."""

    exit_code = ExitCode.BAD_PACK


class ProviderError(AnnotateError):
    """The execution provider that was asked for cannot run the models on this host."""


class HubError(AnnotateError):
    """Qualcomm AI Hub cannot be reached, refuses a request, or a job there failed."""


class WorkerError(AnnotateError):
    """A worker cannot work."""


class VersionError(AnnotateError):
    """A job asks for the answers of another version of the program."""


class QueueError(AnnotateError):
    """The queue's server does not answer, or refuses."""


class CancelledJobError(AnnotateError):
    """The job was cancelled while it was being worked on."""


class StoreError(AnnotateError):
    """The store cannot be read or written."""

    exit_code = ExitCode.STORE


class DamagedError(StoreError):
    """An object in the store is not what was written; the rest of the store may be fine."""


class ManifestError(StoreError):
    """A job's manifest cannot be read: another version wrote it, or it is damaged."""


class PartialResultError(AnnotateError):
    """The job is not finished, or finished without some of its frames."""

    exit_code = ExitCode.PARTIAL
