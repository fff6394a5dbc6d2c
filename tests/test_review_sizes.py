"""The review page in windows of all sizes, and with the least and the most people and frames."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotate.domain.tracks import Tracks
from annotate.domain.video import VideoIndex
from annotate.store import open_store
from annotate.video import probe
from tests.command import Host
from tests.made_numbers import write_numbered
from tests.made_review import people_of, write_job
from tests.review_browser import WAIT_MS, Page, needs_chromium, served, untroubled

pytestmark = needs_chromium

FRAMES, CROWD = 60, 30
# Of each part of the page that is in the window: its name, left, top, width, height.
PARTS = """() => ["#stage", "nav", "aside", "footer", "header"].map((one) => {
  const { left, top, width, height } = document.querySelector(one).getBoundingClientRect();
  return [one, left, top, width, height];
})"""
# How often the browser is told to seek in half a second.
SEEKS = """async () => {
  let count = 0;
  document.getElementById("video").addEventListener("seeking", () => (count += 1));
  await new Promise((done) => setTimeout(done, 500));
  return count;
}"""


def crowd(people: Tracks, index: VideoIndex) -> Tracks:
    """Thirty people: the two, many times beside each other."""
    pieces = []
    for number in range(CROWD // 2):
        smoothed = people.smoothed.copy()
        smoothed[:, :, 0] += np.float32((number - 7) * index.width / 20)
        ids = people.track_id + 2 * number
        pieces.append(replace(people, track_id=ids, smoothed=smoothed))
    whole = Tracks.concat(pieces)
    return whole.take(np.lexsort((whole.track_id, whole.frame_index)))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("sizes")
    host = Host(folder / "store", blazepose_pack.parent, folder)
    videos = [write_numbered(folder / f"{name}.mp4", n) for name, n in (("one", 1), ("crowd", 60))]
    people = people_of(probe(videos[1]))

    def some(index: VideoIndex) -> Tracks:
        return people.take(people.frame_index == 0) if len(index) == 1 else crowd(people, index)

    write_job(open_store(str(host.store)), blazepose_pack, videos, some)
    with served(host) as address:
        yield address


@pytest.fixture
def page(browser: Any, server: str) -> Iterator[Page]:
    with untroubled(browser, server) as opened:
        yield opened


@pytest.mark.parametrize(
    "size", [(320, 480), (640, 400), (900, 600), (1280, 720), (1920, 1080), (3840, 2160)]
)
def test_every_part_has_room_and_hides_no_other(page: Page, size: tuple[int, int]) -> None:
    page.page.set_viewport_size({"width": size[0], "height": size[1]})
    page.open("crowd.mp4")
    assert page.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.page.evaluate(
        "document.querySelector('main').scrollTop = 0"
    )  # it scrolls in small windows
    parts = page.page.evaluate(PARTS)
    for name, left, top, width, height in parts:
        assert width >= 160, name
        assert height >= 40, name
        for other, x, y, wide, high in parts:
            apart = left >= x + wide or x >= left + width or top >= y + high or y >= top + height
            assert name == other or apart, (name, other)
    (stage,) = [one for one in parts if one[0] == "#stage"]
    assert stage[3] * stage[4] >= 0.25 * size[0] * size[1]
    for button in page.page.locator("#transport button, header button").all():
        button.click(trial=True, timeout=WAIT_MS)  # nothing lies over it


def test_in_a_small_window_the_picture_stays_where_a_person_is_selected(page: Page) -> None:
    page.page.set_viewport_size({"width": 320, "height": 480})
    page.open("crowd.mp4")
    page.has_edit(0)
    page.page.evaluate("document.querySelector('main').scrollTop = 0")
    page.press("Escape", "Shift+F6", "F6", "Shift+Tab")
    page.page.wait_for_selector(f"#selected:text-is('Track {CROWD}')", timeout=WAIT_MS)
    assert page.page.evaluate("document.querySelector('main').scrollTop") == 0
    page.page.set_viewport_size({"width": 1280, "height": 480})
    page.press("Shift+Tab")
    page.page.wait_for_selector(f"#selected:text-is('Track {CROWD - 1}')", timeout=WAIT_MS)
    assert page.page.locator("nav").evaluate("(nav) => nav.scrollTop") > 0


def test_a_video_of_one_frame_rests(page: Page) -> None:
    page.open("one.mp4")
    page.press("End")
    assert page.page.evaluate(SEEKS) < 5
    page.press("ArrowRight", "ArrowLeft", "Space", "Home")
    page.shows(0)
    page.press("Control+ArrowUp", "Control+ArrowDown")
    page.press("Tab", "v")
    page.has_edit(1)


def test_thirty_people_are_selected_one_after_the_other(page: Page) -> None:
    page.open("crowd.mp4")
    page.has_edit(0)
    assert page.page.locator("#people li").count() == CROWD
    for track in (1, 2, 3):
        page.press("Tab")
        page.page.wait_for_selector(f"#selected:text-is('Track {track}')", timeout=WAIT_MS)
    page.press("Shift+Tab", "Shift+Tab", "Shift+Tab")
    page.page.wait_for_selector(f"#selected:text-is('Track {CROWD}')", timeout=WAIT_MS)
    page.press("End")
    page.shows(FRAMES - 1)
