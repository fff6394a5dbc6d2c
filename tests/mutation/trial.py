"""A copy of the checkout in which a wrong version of a file is tried."""

import compileall
import hashlib
import json
import os
import py_compile
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.failures import NOTE
from tests.mutation.forked import run_pytest
from tests.mutation.mutant import Mutant

# A mutant that makes a test hang is noticed after so many seconds.
PATIENCE_S = 200.0
_IGNORED = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "demo")


def make_copy(root: Path, tree: Path) -> None:
    """Copies the checkout, as it is now, and compiles the program.

    Compiled files are found stale by their source's hash: two mutants may have one size and time.
    """
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(root, tree, ignore=_IGNORED, symlinks=True)
    for package in ("annotate", "workers"):
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(tree / package, quiet=1, invalidation_mode=mode)


def environment(root: Path, tree: Path) -> dict[str, str]:
    """With which tests run in the copy."""
    data = os.environ.get("ANNOTATE_TEST_DATA", str(root.parent / "shared" / "data"))
    return {
        **os.environ,
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ANNOTATE_TEST_DATA": data,
    }


@dataclass(frozen=True)
class Trials:
    """Tries mutants, and remembers the answers, so that a long run can be continued.

    Attributes:
        tree: the copy.
        environ: with which tests run there.
        memory: the file of all answers.
    """

    tree: Path
    environ: Mapping[str, str]
    memory: Path

    def noticed_by(self, mutant: Mutant, tests: list[str]) -> str:
        """The test that fails with the mutant, and not without it; empty where none does."""
        key = hashlib.sha256(f"{mutant.path}\n{mutant.source}\n{tests}".encode()).hexdigest()
        return self._remembered(key, lambda: self._try(mutant, tests))

    def _remembered(self, key: str, find: Callable[[], str]) -> str:
        for line in self.memory.read_text().splitlines() if self.memory.exists() else []:
            if (answer := json.loads(line))["key"] == key:
                return str(answer["test"])
        test = find()
        with self.memory.open("a") as file:
            file.write(json.dumps({"key": key, "test": test}) + "\n")
        return test

    def _try(self, mutant: Mutant, tests: list[str]) -> str:
        file = self.tree / mutant.path
        right = file.read_bytes()
        while tests:
            try:
                file.write_text(mutant.source, encoding="utf-8")
                failed = self._failed(tests)
            finally:
                file.write_bytes(right)
            if not failed or self._is_sound(failed):
                return failed
            tests = [test for test in tests if test != failed]
        return ""

    def _is_sound(self, test: str) -> bool:
        """Whether a test passes without any mutant."""
        return not self._remembered(f"sound {test}", lambda: self._failed([test]))

    def _failed(self, tests: list[str]) -> str:
        """The first of the tests that fails; its file, if that cannot be read."""
        options = ("-x", "-p", "tests.mutation.failures", f"--timeout={PATIENCE_S}")
        note = self.tree / "failed"
        note.unlink(missing_ok=True)
        environ = {**self.environ, NOTE: str(note)}
        if run_pytest(self.tree, environ, [*options, *tests]) == 0:
            return ""
        # Nothing began: a mutant can break what all tests need.
        return note.read_text(encoding="utf-8") if note.exists() else tests[0]

    def present(self, tests: Iterable[str]) -> set[str]:
        """Those of the tests that are still there: pytest runs nothing if one is not."""
        files = sorted({test.partition("::")[0] for test in tests})
        there = [file for file in files if (self.tree / file).exists()]
        found = self.tree / "found"
        run_pytest(self.tree, self.environ, ["--collect-only", *there], found)
        return set(found.read_text(encoding="utf-8").splitlines()) & set(tests)
