"""Every edit of the review page by keys alone and by the mouse alone, each undone in the end; and
what guides a reviewer: places to check, the focus of the keyboard.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotate.domain.export_options import ExportOptions
from annotate.domain.job import Job
from annotate.domain.tracks import Tracks
from annotate.domain.video import VideoIndex
from annotate.store import Store, open_store
from annotate.use_cases.export import export
from tests.command import Host
from tests.made_numbers import write_numbered
from tests.made_review import people_of, write_job
from tests.review_browser import WAIT_MS, Page, needs_chromium, served, untroubled

pytestmark = needs_chromium

FRAMES = 60
# Where the first and the second person are in the picture, as fractions, in frame 0 and at the end.
FIRST, SECOND = (0.25, 0.4), (0.6, 0.75)


def with_a_gap(index: VideoIndex) -> Tracks:
    """Two people; the first ends in mid-picture, and the second is away in frames 20 to 54."""
    people = people_of(index)
    frame, track = people.frame_index, people.track_id
    away = (frame >= 20) & (frame < 55) & (track == 2)
    return people.take(~away & ((frame < 40) | (track == 2)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path) -> tuple[Host, Store, Job]:
    folder = tmp_path_factory.mktemp("edits")
    host = Host(folder / "store", blazepose_pack.parent, folder)
    store = open_store(str(host.store))
    video = write_numbered(folder / "walk.mp4", FRAMES)
    return host, store, write_job(store, blazepose_pack, [video], with_a_gap)


@pytest.fixture(scope="module")
def server(made: tuple[Host, Store, Job]) -> Iterator[str]:
    with served(made[0]) as address:
        yield address


@pytest.fixture
def page(browser: Any, server: str) -> Iterator[Page]:
    with untroubled(browser, server) as opened:
        opened.shows(0)
        yield opened


class Hand:
    """What the mouse does on the page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def button(self, text: str) -> None:
        self.page.page.click(f"button:has-text('{text}')")

    def frame(self, frame: int, to: int | None = None) -> None:
        """Goes to a frame on the timeline, or marks a range."""
        mouse, keyboard = self.page.page.mouse, self.page.page.keyboard
        box = self.page.page.locator("#timeline").bounding_box()
        wide = box["width"] - 104  # the label of the lanes, and a margin
        x = [box["x"] + 92 + (at + 0.5) / FRAMES * wide for at in (frame, to or frame)]
        if to is not None:
            keyboard.down("Shift")
        mouse.move(x[0], box["y"] + 10)
        mouse.down()
        mouse.move(x[1], box["y"] + 10)
        mouse.up()
        if to is not None:
            keyboard.up("Shift")
        self.page.shows(frame if to is None else to)

    def place(self, x: float, y: float = 0.5) -> tuple[float, float]:
        """Of the screen, from a place in the picture as fractions of it."""
        box = self.page.page.locator("#video").bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def person(self, way: tuple[float, float], frame: int) -> None:
        at = way[0] + (way[1] - way[0]) * frame / (FRAMES - 1)
        self.page.page.mouse.click(*self.place(at))

    def drag(self, start: tuple[float, float], by: int) -> None:
        mouse = self.page.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move(start[0] + by, start[1], steps=3)
        mouse.up()


def by_mouse(page: Page, wrist: tuple[float, float]) -> list[Callable[[], None]]:
    """One edit each."""
    hand = Hand(page)

    def rename() -> None:
        hand.person(FIRST, 0)
        hand.button("Rename")
        page.page.fill("#ask input", "Ada")
        page.page.click("#ask button[value=ok]")

    def split() -> None:
        hand.frame(10)
        hand.button("Split at this frame")

    def merge() -> None:
        hand.button("Merge another into this")
        hand.person(FIRST, 10)  # the later half

    def swap() -> None:
        hand.button("Swap ids from here on")
        hand.person(SECOND, 10)

    def sides() -> None:
        hand.frame(12, 14)
        hand.button("Swap left and right in it")

    def move() -> None:
        page.page.keyboard.press("Escape")  # what is selected, so that a click selects anew
        hand.frame(0)
        hand.person(FIRST, 0)
        hand.drag(hand.place(*wrist), 30)

    return [
        *(rename, split, merge, swap),
        lambda: hand.button("Delete the pose here"),
        sides,
        lambda: hand.button("Delete range"),
        lambda: hand.button("Fill range from its ends"),
        lambda: hand.button("Range is reviewed"),
        lambda: hand.button("Not reviewed"),
        move,
        lambda: hand.button("Keypoint is hidden, or visible"),
    ]


def by_keys(page: Page, _wrist: tuple[float, float]) -> list[Callable[[], None]]:
    """One edit each."""

    def typed(text: str, *keys: str) -> None:
        page.press(*keys)
        page.page.fill("#ask input", text)
        page.press("Enter")

    def split() -> None:
        page.press("Shift+ArrowRight")
        page.shows(10)
        page.press("s")

    def sides() -> None:
        page.press("ArrowRight", "ArrowRight")
        page.shows(12)  # a range begins and ends at what is shown
        page.press("i", "ArrowRight", "ArrowRight")
        page.shows(14)
        page.press("o", "f")

    def move() -> None:
        page.press("Home")
        page.shows(0)
        page.press(*["k"] * 16, "Alt+ArrowRight")

    return [
        lambda: typed("Ada", "Tab", "r"),
        split,
        lambda: typed(page.page.locator("#people .mark").last.inner_text(), "m", "Enter"),
        lambda: typed("2", "x", "Enter"),
        lambda: page.press("Delete"),
        sides,
        lambda: page.press("Shift+Delete"),
        lambda: page.press("g"),
        lambda: page.press("v"),
        lambda: page.press("Shift+v"),
        move,
        lambda: page.press("h"),
    ]


KINDS = ["name", "split", "merge", "swap_tracks", "delete", "swap_sides"]
KINDS += ["delete", "add", "review", "review", "move", "hide"]


@pytest.mark.parametrize("how", [by_mouse, by_keys], ids=["mouse", "keys"])
def test_every_edit_can_be_made_and_undone(
    page: Page, made: tuple[Host, Store, Job], tmp_path: Path, how: Any
) -> None:
    _, store, job = made
    before = exported(store, job, tmp_path)
    wrist = json.loads(before)["annotations"][0]["keypoints"][27:29]
    edits = store.results(job.recipe, job.videos[0]).edits
    first = len(edits.numbers())
    found = [before]
    for number, make in enumerate(how(page, (wrist[0] / 320, wrist[1] / 240)), start=first + 1):
        make()
        page.has_edit(number)
        found.append(exported(store, job, tmp_path))
        assert found[-1] != found[-2], KINDS[len(found) - 2]
    assert [one.change.kind for one in edits.read(after=first)] == KINDS
    with served(made[0]) as again, untroubled(page.page.context.browser, again) as other:
        other.has_edit(first + len(KINDS))
        assert other.page.locator("#history li").count() == first + len(KINDS)
        assert "Ada" in other.page.locator("#people").inner_text()
    for number in range(len(KINDS)):
        if how is by_mouse:
            page.page.click("#undo")
        else:
            page.press("Control+z")
        page.has_edit(first + len(KINDS) + number + 1)
    assert exported(store, job, tmp_path) == before


def exported(store: Store, job: Job, tmp_path: Path) -> bytes:
    out = tmp_path / "people.json"
    export(store, job, ExportOptions(out=out))
    return out.read_bytes()


def test_next_to_check_goes_through_all_that_is_not_reviewed(page: Page) -> None:
    page.page.wait_for_selector("body[data-checked]", timeout=WAIT_MS)
    count = page.page.locator("#doubts li").count()
    assert count > 1
    for left in range(count - 1, -1, -1):
        page.press("n")
        page.page.wait_for_selector(f"#doubts-count:has-text('{left} left')", timeout=WAIT_MS)
        page.page.wait_for_selector(f"#saved:has-text('{left} left to check')", timeout=WAIT_MS)
    page.press("n")
    page.page.wait_for_selector("#saved:has-text('Nothing is left')", timeout=WAIT_MS)
    page.page.reload()
    page.page.wait_for_selector(f"#doubts-count:has-text('{count} left')", timeout=WAIT_MS)
    page.press("v")
    page.page.wait_for_selector("#doubts-count:has-text('0 left')", timeout=WAIT_MS)
    page.press("Control+z")
    page.page.wait_for_selector(f"#doubts-count:has-text('{count} left')", timeout=WAIT_MS)


def test_the_keyboard_reaches_every_button_and_keeps_its_place(page: Page) -> None:
    focused = "document.activeElement.id || document.activeElement.textContent"
    page.press("Tab")  # from the picture: the next person
    page.page.wait_for_selector("#selected:has-text('Track 1')", timeout=WAIT_MS)
    seen = []
    for _ in range(5):
        page.press("F6")
        seen.append(
            page.page.evaluate(
                "document.activeElement.closest('header, nav, aside, footer, #stage').tagName"
            )
        )
    assert seen == ["HEADER", "NAV", "ASIDE", "FOOTER", "SECTION"]
    page.press("F6", "Tab")
    assert page.page.evaluate(focused) == "redo"
    page.press("F6", "F6")
    page.press("Tab", "Tab", "Tab")
    place = page.page.evaluate(focused)
    number = int(page.page.evaluate("document.body.dataset.last"))
    page.press("v")  # the buttons are made anew
    page.has_edit(number + 1)
    assert page.page.evaluate(focused) == place
    page.press("Control+z")
    page.has_edit(number + 2)


def test_the_picture_moves_by_keys_and_comes_back(page: Page) -> None:
    def at() -> list[float]:
        box = page.page.locator("#video").bounding_box()
        return [round(box[name], 1) for name in ("x", "y", "width")]

    whole = at()
    page.press("+", "Control+Shift+ArrowRight", "Control+Shift+ArrowUp")
    near = at()
    assert near[2] == pytest.approx(whole[2] * 1.25, rel=0.01)
    assert np.all(np.abs(np.subtract(near, whole)) > 1)
    page.press("0")
    assert at() == whole
