"""The JavaScript of the review page has the types that its comments say: TypeScript's checker.

Needs Node.js and npm, which fetches the checker.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Once
from tests.documents import ROOT

PACKAGE = "typescript@5.9.3"
CHECKS = [
    *("--noEmit", "--checkJs", "--allowJs", "--strict", "--noUnusedLocals"),
    *("--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler"),
    *("--lib", "es2022,dom,dom.iterable"),
]


@pytest.fixture(scope="module")
def tsc(once: Once) -> list[str | Path]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("no Node.js or npm")

    def install(folder: Path) -> None:
        said = subprocess.run(
            [npm, "install", "--prefix", folder, "--ignore-scripts", "--no-audit", PACKAGE],
            capture_output=True,
            text=True,
            check=False,
        )
        if said.returncode:
            pytest.skip(f"npm cannot fetch {PACKAGE}: {said.stderr.strip()[:200]}")

    return [node, once("typescript", install) / "node_modules" / "typescript" / "bin" / "tsc"]


def errors(tsc: list[str | Path], script: Path) -> str:
    done = subprocess.run([*tsc, *CHECKS, script], capture_output=True, text=True, check=False)
    return done.stdout


def test_the_page_has_no_type_error(tsc: list[str | Path]) -> None:
    assert errors(tsc, ROOT / "annotate" / "review" / "page" / "app.js") == ""


def test_a_type_error_is_found(tsc: list[str | Path], tmp_path: Path) -> None:
    script = tmp_path / "wrong.js"
    script.write_text(
        "/** @param {number} frame */\nexport const twice = (frame) => frame.length;\n"
    )
    assert "Property 'length' does not exist on type 'number'" in errors(tsc, script)
