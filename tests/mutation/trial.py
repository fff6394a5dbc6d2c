"""A copy of the checkout in which a wrong version of a file is tried."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.mutant import Mutant

# A mutant that makes the tests hang is noticed after so many seconds.
PATIENCE_S = 300.0
_IGNORED = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "demo")


def make_copy(root: Path, tree: Path) -> None:
    """Copies the checkout, as it is now."""
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(root, tree, ignore=_IGNORED, symlinks=True)


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

    def is_noticed(self, mutant: Mutant, tests: list[str]) -> bool:
        """Whether any of the tests fails with the mutant."""
        if not tests:
            return False
        key = hashlib.sha256(f"{mutant.path}\n{mutant.source}\n{tests}".encode()).hexdigest()
        for line in self._lines():
            if line["key"] == key:
                return bool(line["noticed"])
        noticed = self._try(mutant, tests)
        with self.memory.open("a") as file:
            file.write(json.dumps({"key": key, "noticed": noticed}) + "\n")
        return noticed

    def _lines(self) -> list[dict[str, object]]:
        if not self.memory.exists():
            return []
        return [json.loads(line) for line in self.memory.read_text().splitlines()]

    def _try(self, mutant: Mutant, tests: list[str]) -> bool:
        file = self.tree / mutant.path
        right = file.read_bytes()
        options = ("-n", "0", "-x", "-q", "-p", "no:cacheprovider")
        try:
            file.write_text(mutant.source, encoding="utf-8")
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *options, *tests],
                cwd=self.tree,
                env=dict(self.environ),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                timeout=PATIENCE_S,
            )
        except subprocess.TimeoutExpired:
            return True
        finally:
            file.write_bytes(right)
        return done.returncode != 0
