"""The review page while its server is killed and started again: on the same port, as through a
tunnel; and edits after a restart.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annotate.domain.job import Job
from annotate.store import Store, open_store
from tests.command import Host
from tests.made_numbers import write_numbered
from tests.made_review import people_of, write_job
from tests.review_browser import WAIT_MS, Page, needs_chromium, page_of

pytestmark = needs_chromium

HIDDEN = """(hidden) => Object.defineProperty(document, "hidden",
  { value: hidden, configurable: true })"""
# The page has painted what it got before.
TWO_FRAMES = "() => new Promise((d) => requestAnimationFrame(() => requestAnimationFrame(d)))"


@pytest.fixture
def host(tmp_path: Path, blazepose_pack: Path) -> Host:
    return Host(tmp_path / "store", blazepose_pack.parent, tmp_path)


@pytest.fixture
def store(host: Host) -> Store:
    return open_store(str(host.store))


@pytest.fixture
def job(host: Host, store: Store, blazepose_pack: Path) -> Job:
    return write_job(store, blazepose_pack, [write_numbered(host.home / "a.mp4", 60)], people_of)


class Server:
    """`annotate review` on one port, however often it is started."""

    def __init__(self, host: Host) -> None:
        self._host, self._port = host, "0"

    def start(self) -> str:
        """Starts it; returns its address."""
        self._process: subprocess.Popen[str]
        self._process = self._host.start("review", "--no-browser", "--port", self._port)
        assert self._process.stdout is not None
        found = re.search(r"http://127.0.0.1:(\d+)/\S+", self._process.stdout.readline())
        assert found, self._process.communicate()
        self._port = found.group(1)
        return found.group(0)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def server(host: Host, job: Job) -> Iterator[Server]:
    assert host.opened().newest_job() == job
    server = Server(host)
    yield server
    server.kill()


def said(page: Page, text: str) -> None:
    page.page.wait_for_selector(f"#saved:has-text('{text}')", timeout=WAIT_MS)


def test_the_page_says_that_its_server_was_killed_and_goes_on_with_the_next(
    server: Server, store: Store, job: Job, browser: Any
) -> None:
    page = page_of(browser, server.start())
    page.has_edit(0)
    page.press("Tab", "k")
    picture = page.page.locator("#overlay")
    before = picture.screenshot()
    server.kill()
    page.press(*["Alt+ArrowRight"] * 3)
    said(page, "annotate review has ended. Start it again")
    assert picture.screenshot() != before
    address = server.start()
    said(page, "was started again. Open the address that it printed")
    # It does not show what was not kept, once it may ask again.
    other = page.page.context.new_page()
    other.goto(address)
    said(page, "Connected again")
    page.page.wait_for_selector("body[data-last='0'][data-fresh=true]", timeout=WAIT_MS)
    assert picture.screenshot() == before
    page.press("s")
    said(page, "no poses on both sides")
    page.press("v")
    page.has_edit(1)
    assert store.results(job.recipe, job.videos[0]).edits.numbers() == [1]
    page.page.context.close()


def test_a_page_of_another_job_changes_nothing(
    server: Server, store: Store, job: Job, browser: Any
) -> None:
    page = page_of(browser, server.start())
    page.has_edit(0)
    server.kill()
    store.write_job(Job("20260103-030405-abcdef", job.recipe, 3.0, job.videos))
    page.page.evaluate(HIDDEN, True)  # so that it does not look by itself
    other = page.page.context.new_page()
    other.goto(server.start())
    # It asks for the tracks as they are then, and the answer does not replace the reason.
    with page.page.expect_response("**/view") as answer:
        page.press("v")
    answer.value.finished()
    page.page.evaluate(TWO_FRAMES)
    said(page, "the page shows another job. Load the page again")
    assert store.results(job.recipe, job.videos[0]).edits.numbers() == []
    page.page.evaluate(HIDDEN, False)
    server.kill()
    said(page, "annotate review has ended")
    other.goto(server.start())
    page.page.wait_for_selector("#waiting:has-text('No video of this job')", timeout=WAIT_MS)
    page.page.context.close()


def test_a_page_that_is_loaded_while_the_store_is_away_opens_when_it_is_back(
    server: Server, host: Host, browser: Any
) -> None:
    address, path = server.start(), Path(host.store)
    page = Page(browser.new_context().new_page(), address)
    path.rename(path.with_name("aside"))
    page.page.goto(address)
    page.page.wait_for_selector("#saved.wrong", timeout=WAIT_MS)
    path.with_name("aside").rename(path)
    page.page.wait_for_selector("body[data-ready]", timeout=WAIT_MS)
    page.shows(0)
    page.page.context.close()
