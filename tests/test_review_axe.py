"""The review page has no fault that axe-core finds: WCAG 2.2 A and AA, and its good practice.

Needs Node.js's npm, which fetches axe-core, and Chromium.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annotate.store import open_store
from tests.command import Host
from tests.conftest import Once
from tests.made_numbers import write_numbered
from tests.made_review import write_job
from tests.review_browser import WAIT_MS, Page, needs_chromium, served, untroubled
from tests.test_review_edits import with_a_gap

pytestmark = needs_chromium

PACKAGE = "axe-core@4.11.1"
# What axe finds: its rule, and the elements.
FOUND = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run(document, { runOnly: tags });
  return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" "))}`);
}"""


@pytest.fixture(scope="module")
def axe(once: Once) -> str:
    """The script of axe-core."""
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("no npm")

    def install(folder: Path) -> None:
        said = subprocess.run(
            [npm, "install", "--prefix", folder, "--ignore-scripts", "--no-audit", PACKAGE],
            capture_output=True,
            text=True,
            check=False,
        )
        if said.returncode:
            pytest.skip(f"npm cannot fetch {PACKAGE}: {said.stderr.strip()[:200]}")

    return (once("axe", install) / "node_modules/axe-core/axe.min.js").read_text()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("axe")
    host = Host(folder / "store", blazepose_pack.parent, folder)
    videos = [write_numbered(folder / f"{n}.mp4", n) for n in (60, 61)]
    write_job(open_store(str(host.store)), blazepose_pack, videos, with_a_gap)
    with served(host) as address:
        yield address


@pytest.fixture(params=["light", "dark"])
def page(request: Any, browser: Any, server: str, axe: str) -> Iterator[Page]:
    with untroubled(browser, server) as opened:
        opened.page.evaluate(
            "(one) => (document.documentElement.dataset.theme = one)", request.param
        )
        opened.page.evaluate(axe)
        opened.page.wait_for_selector("body[data-checked]", timeout=WAIT_MS)
        yield opened


def test_axe_finds_nothing(page: Page) -> None:
    def look(where: str) -> None:
        assert page.page.evaluate(FOUND) == [], where

    look("at first")
    page.press("?")
    look("the keys")
    page.press("Escape", "Tab", "a")
    look("pointing at a person")
    page.press("Escape", "r")
    look("a question")
    page.press("Escape", "n", "i", "Shift+ArrowRight", "o")
    look("a person, a range and a place that was checked")
    number = int(page.page.evaluate("document.body.dataset.last"))
    page.press("v")
    page.has_edit(number + 1)
    look("what is reviewed")
    page.press("Control+z")
    page.has_edit(number + 2)
    look("an edit that was undone")
    page.page.set_viewport_size({"width": 320, "height": 480})
    look("a small window")


def test_axe_sees_a_fault(page: Page) -> None:
    page.page.evaluate("document.getElementById('play').textContent = ''")
    page.page.evaluate("document.getElementById('play').title = ''")
    assert page.page.evaluate(FOUND) == ["button-name: #play"]
