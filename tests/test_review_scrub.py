"""Dragging along the timeline of the review page: what was passed is not loaded, and the mark
follows.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annotate.store import open_store
from tests.command import Host
from tests.made_numbers import BITS, write_numbered
from tests.made_review import people_of, write_job
from tests.review_browser import READ, WAIT_MS, Page, needs_chromium, served, untroubled

pytestmark = needs_chromium

# Ten blocks of poses, as the page asks for them.
FRAMES, STEPS = 1280, 10
LABEL, MARGIN = 92, 12
# Wait until the page shows a frame or a later one, and until the timeline fills its window.
COMES_TO = """async (least) => {
  while (Number(document.body.dataset.frame) < least) await new Promise(requestAnimationFrame);
}"""
IS_WIDE = """async () => {
  const timeline = document.getElementById("timeline");
  while (timeline.clientWidth < innerWidth - 30) await new Promise(requestAnimationFrame);
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("scrub")
    host = Host(folder / "store", blazepose_pack.parent, folder)
    video = write_numbered(folder / "long.mp4", FRAMES)
    write_job(open_store(str(host.store)), blazepose_pack, [video], people_of)
    with served(host) as address:
        yield address


@pytest.fixture
def page(browser: Any, server: str) -> Iterator[Page]:
    with untroubled(browser, server) as opened:
        opened.has_edit(0)
        yield opened


def place(page: Page, frame: int) -> tuple[float, float]:
    """Of a frame on the timeline, on the screen."""
    box = page.page.locator("#timeline").bounding_box()
    wide = box["width"] - LABEL - MARGIN
    return box["x"] + LABEL + (frame + 0.5) / FRAMES * wide, box["y"] + 10


def frame_of(page: Page) -> int:
    return int(page.page.evaluate("document.body.dataset.frame"))


def test_poses_that_a_scrub_has_passed_are_not_loaded(page: Page) -> None:
    held: list[Any] = []
    scrubs = True

    def hold(route: Any) -> None:
        if scrubs:
            held.append(route)
        else:
            route.continue_()

    page.page.route("**/poses?**", hold)
    mouse = page.page.mouse
    mouse.move(*place(page, 0))
    mouse.down()
    for step in range(1, STEPS):
        mouse.move(*place(page, step * FRAMES // STEPS + 20))
        page.page.evaluate(COMES_TO, step * FRAMES // STEPS)
    mouse.up()
    assert 0 < len(held) <= 2
    scrubs = False
    for one in held:
        one.continue_()
    page.page.wait_for_selector("body[data-fresh=true]", timeout=WAIT_MS)
    assert page.page.evaluate(READ) == frame_of(page) % 2**BITS


def test_the_mark_stands_at_the_shown_frame(page: Page) -> None:
    def far() -> float:
        mark = page.page.locator("#head").bounding_box()
        return abs(float(mark["x"] + mark["width"] / 2) - place(page, frame_of(page))[0])

    assert far() < 1
    page.page.mouse.click(*place(page, 900))
    page.page.evaluate(COMES_TO, 890)
    assert far() < 1
    page.press("Home")
    page.shows(0)
    assert far() < 1
    page.page.set_viewport_size({"width": 1600, "height": 900})
    page.page.evaluate(IS_WIDE)
    assert far() < 1
