"""The errors that users can meet: each has an exit code, a message and a next step.

Errors are raised where the cause is known, and caught once, in `annotate.cli`, which prints the
message and the hint. Only `--debug` shows a traceback.
"""

from enum import IntEnum
from socket import gethostname


class ExitCode(IntEnum):
    """Exit codes of the command line; the README lists them too."""

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

    Attributes:
        exit_code: of the command line when the error ends it.
        message: names the thing and what is wrong with it.
        hint: what to do next, or empty.
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type["AnnotateError"], tuple[str, ...]]:
        # Errors cross processes: without this, unpickling would drop the hint.
        return type(self), (self.message, self.hint)


class UsageError(AnnotateError):
    """An option or argument is impossible, or names something that does not exist."""

    exit_code = ExitCode.USAGE


class VideoError(AnnotateError):
    """A video cannot be read, or differs from its index."""

    exit_code = ExitCode.BAD_VIDEO


class ChangedError(VideoError):
    """What a job names is not the video that was submitted any more, or another host has it."""


class HostError(AnnotateError):
    """Trouble of a host, as where a file or a folder is away, or a disk fails.

    It says nothing about a video: the same command goes on once the trouble is over.
    """

    exit_code = ExitCode.STORE


class PackError(AnnotateError):
    """A model pack is missing, damaged, or not the one that a job names."""

    exit_code = ExitCode.BAD_PACK


class ProviderError(AnnotateError):
    """The chosen execution provider cannot run the models on this host."""


class OtherProviderError(ProviderError):
    """The models of a job are to run on what this host does not have, or does not use."""


class HubError(AnnotateError):
    """Qualcomm AI Hub cannot be reached, refuses a request, or a job there failed."""


class WorkerError(AnnotateError):
    """A worker cannot work."""


class VersionError(AnnotateError):
    """A job was submitted by another version of the program, whose results differ."""


class QueueError(AnnotateError):
    """The queue's server does not answer, or refuses."""


class QueueAwayError(QueueError):
    """The queue's server does not answer. It may be back soon."""


class BusyJobError(AnnotateError):
    """Another command works on the job, or needs what is to be deleted."""


class CancelledJobError(AnnotateError):
    """The job was cancelled while a worker processed a chunk of it."""


class StoreError(AnnotateError):
    """The store cannot be read or written."""

    exit_code = ExitCode.STORE


class OutputError(AnnotateError):
    """A file that a command makes cannot be written."""

    exit_code = ExitCode.STORE


class DamagedError(StoreError):
    """An object in the store is not what was written; the rest of the store may be fine.

    Attributes:
        key: of the object.
    """

    def __init__(self, message: str, hint: str = "", key: str = "") -> None:
        super().__init__(message, hint)
        self.key = key

    def __reduce__(self) -> tuple[type["DamagedError"], tuple[str, str, str]]:
        return type(self), (self.message, self.hint, self.key)


class ManifestError(StoreError):
    """A job's manifest cannot be read: another version wrote it, or it is damaged."""


class UnknownWorkError(StoreError):
    """A message asks for work that no job of the store has."""


class EditError(AnnotateError):
    """A change of tracks cannot be made as a reviewer wants it."""


class NewerEditError(StoreError):
    """An edit in the store is of a kind that this version does not know."""


class EditConflictError(EditError):
    """Another reviewer has just changed the same track in the same frames."""


class PartialResultError(AnnotateError):
    """The job is not finished, or finished without some of its frames."""

    exit_code = ExitCode.PARTIAL


def unreadable(file: object, error: OSError) -> HostError:
    """The error for a file that the system does not let us read now."""
    return HostError(
        f"{file} cannot be read on the host {gethostname()}: {error.strerror or error}",
        "Check the disk, the mount and the permissions, and run the same command again: it goes "
        "on.",
    )


def with_hint(line: str, hint: str) -> str:
    """The line and, indented below it, its hint, if there is one."""
    return f"{line}\n    {hint}" if hint else line
