"""Runs pytest in a copy of the checkout, in a process that has the libraries loaded already.

To load them takes longer than most tests do.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# What differs in the copy, and is loaded anew there.
_OURS = ("annotate", "workers", "tests")


def run_pytest(
    tree: Path, environ: Mapping[str, str], arguments: Sequence[str], out: Path = Path(os.devnull)
) -> int:
    """The exit status of pytest.

    Args:
        tree: the copy.
        environ: of pytest and of what it starts.
        out: the file of what it says.
    """
    import tests.conftest  # noqa: F401  # loads most of the libraries

    child = os.fork()
    if not child:
        try:
            os._exit(_in_child(tree, environ, arguments, out))
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _in_child(tree: Path, environ: Mapping[str, str], arguments: Sequence[str], out: Path) -> int:
    said = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.chdir(tree)
    os.environ.clear()
    os.environ.update(environ)
    for name in [*sys.modules]:
        if name.partition(".")[0] in _OURS:
            del sys.modules[name]
    sys.path[:0] = [str(tree)]
    sys.argv[:] = ["pytest"]
    sys.dont_write_bytecode = True

    import pytest

    # Plugins of pytest among the libraries are loaded, too; no test needs their `assert` explained.
    loaded = "ignore::pytest.PytestAssertRewriteWarning"
    options = ["-n", "0", "-q", "-p", "no:cacheprovider", "-W", loaded]
    return pytest.main([*options, *arguments])
