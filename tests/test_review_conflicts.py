"""Two reviewers of one video, each in a browser of their own: who had not seen the other's change
is told so, and nothing is overwritten.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annotate.domain.export_options import ExportOptions
from annotate.store import open_store
from annotate.use_cases.export import export
from tests.command import Host
from tests.made_numbers import write_numbered
from tests.made_review import people_of, write_job
from tests.review_browser import WAIT_MS, Page, needs_chromium, page_of, served

pytestmark = needs_chromium


@pytest.fixture
def host(tmp_path: Path, blazepose_pack: Path) -> Host:
    host = Host(tmp_path / "store", blazepose_pack.parent, tmp_path)
    video = write_numbered(tmp_path / "walk.mp4", 20)
    write_job(open_store(str(host.store)), blazepose_pack, [video], people_of)
    return host


@pytest.fixture
def two(browser: Any, host: Host) -> Iterator[tuple[Page, Page]]:
    with served(host) as address:
        pages = page_of(browser, address), page_of(browser, address)
        for page in pages:
            page.shows(0)
            page.page.wait_for_selector("body[data-checked]", timeout=WAIT_MS)
        yield pages
        for page in pages:
            page.page.context.close()


def hears(page: Page) -> Any:
    """Within it, the page asks for edits of others by itself, and gets one."""
    return page.page.expect_response(lambda one: "/view" in one.url and one.status == 200)


def is_told(page: Page, text: str) -> None:
    page.page.wait_for_selector(f'#saved.wrong:has-text("{text}")', timeout=WAIT_MS)


def name(page: Page, text: str) -> None:
    page.page.fill("#ask input", text)
    page.press("Enter")


def test_of_two_who_name_one_track_the_second_is_told(two: tuple[Page, Page]) -> None:
    one, other = two
    one.press("Tab", "r")
    other.press("Tab", "r")
    with hears(other):
        name(one, "Ada")
    # The other one hears of it while the name is asked for, but what is typed does not know it.
    name(other, "Bea")
    is_told(other, "named the same track 'Ada' just now (edit 1, name)")
    other.has_edit(1)
    assert "Ada" in other.page.locator("#people").inner_text()
    other.press("r")
    name(other, "Bea")
    one.has_edit(2)
    assert "Bea" in one.page.locator("#people").inner_text()


def test_a_drag_refers_to_what_was_seen_when_it_began(
    two: tuple[Page, Page], host: Host, tmp_path: Path
) -> None:
    one, other = two
    store, out = open_store(str(host.store)), tmp_path / "people.json"
    export(store, store.newest_job(), ExportOptions(out=out))
    x, y = json.loads(out.read_bytes())["annotations"][0]["keypoints"][27:29]
    box = other.page.locator("#video").bounding_box()
    at = box["x"] + x / 320 * box["width"], box["y"] + y / 240 * box["height"]
    other.press("Tab")
    other.page.mouse.move(*at)
    other.page.mouse.down()
    other.page.mouse.move(at[0] + 30, at[1], steps=3)
    with hears(other):
        one.press("Tab", *["k"] * 16, "Alt+ArrowRight")  # the left wrist
    other.page.mouse.up()
    is_told(other, "changed the same track just now (edit 1, move)")
    other.has_edit(1)
