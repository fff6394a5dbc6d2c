"""The review page where things go wrong, or are large: a server that ended, a video that is away,
hundreds of tracks, frames that were not annotated, a reload.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotate.domain.options import Selection
from annotate.domain.tracks import Tracks
from annotate.domain.video import VideoIndex
from annotate.store import open_store
from tests.command import Host
from tests.made_numbers import write_numbered
from tests.made_review import people_of, write_job
from tests.review_browser import WAIT_MS, Page, needs_chromium, page_of, started, stop

pytestmark = needs_chromium

FRAMES = 60
EVERY = 3


@pytest.fixture
def host(tmp_path: Path, blazepose_pack: Path) -> Host:
    return Host(tmp_path / "store", blazepose_pack.parent, tmp_path)


@contextmanager
def reviewed(
    host: Host, browser: Any, people: Any = people_of, selection: Selection | None = None
) -> Iterator[tuple[Page, "subprocess.Popen[str]"]]:
    """The page with a made video `walk.mp4`, and the process that serves it."""
    video = write_numbered(host.home / "walk.mp4", FRAMES)
    store, pack = open_store(str(host.store)), host.packs / "blazepose-full"
    write_job(store, pack, [video], people, selection or Selection())
    process, address = started(host)
    try:
        page = page_of(browser, address)
        page.has_edit(0)
        yield page, process
        page.page.context.close()
    finally:
        if process.poll() is None:
            stop(process)


def said(page: Page, text: str) -> None:
    page.page.wait_for_selector(f"#saved:has-text('{text}')", timeout=WAIT_MS)


def test_undo_goes_on_after_a_reload(host: Host, browser: Any) -> None:
    with reviewed(host, browser) as (page, _):
        page.press("Tab", "s")  # no frame before this one: refused
        said(page, "no poses on both sides")
        page.press("ArrowRight")
        page.shows(1)
        page.press("s", "v")
        page.has_edit(2)
        page.page.reload()
        page.has_edit(2)
        page.press("Control+z", "Control+z")
        page.has_edit(4)
        page.press("Control+Shift+z")
        page.has_edit(5)
        page.page.reload()
        page.has_edit(5)
        assert page.page.locator("#history .undone").count() == 2  # 2, and the undo of 1
        page.press("Control+z")
        page.has_edit(6)
        page.press("Control+z")
        said(page, "Nothing to undo")


def test_a_server_that_ended_is_said_and_the_page_stays(host: Host, browser: Any) -> None:
    with reviewed(host, browser) as (page, process):
        stop(process)
        page.press("Tab", "v")
        said(page, "annotate review has ended. Start it again")
        assert "Track 1" in page.page.locator("#people").inner_text()


def test_a_video_that_is_away_is_reviewed_without_its_picture(host: Host, browser: Any) -> None:
    video, away = host.home / "walk.mp4", host.home / "away.mp4"
    with reviewed(host, browser) as (page, process):
        page.shows(0)
        video.rename(away)
        page.page.reload()
        page.page.wait_for_selector("#waiting:has-text('No picture: ')", timeout=WAIT_MS)
        assert "walk.mp4" in page.page.locator("#waiting").inner_text()
        page.press("Tab", "ArrowRight")
        page.page.wait_for_selector("body[data-frame='1']", timeout=WAIT_MS)
        page.press("s")
        page.has_edit(1)
        away.rename(video)
        page.page.reload()
        page.has_edit(1)
        page.press("ArrowRight")
        page.shows(1)
        video.unlink()
        assert stop(process).splitlines()[-1] == "Ended; 1 edit made."


def test_keys_before_the_video_is_there_do_no_harm(host: Host, browser: Any) -> None:
    with reviewed(host, browser) as (page, _):
        page.page.route("**/times", lambda _: None)  # on its way until `unroute`
        with page.page.expect_request("**/times", timeout=WAIT_MS):
            page.page.reload()
        page.press("Tab", "Shift+Tab", "ArrowRight", "End", "n", "Shift+n", "s", "m", "x", "k", "g")
        page.press("i", "o", "Delete", "Shift+Delete", "h", "f", "e", "Control+z", "0", "z")
        page.page.unroute("**/times")
        page.has_edit(0)
        page.press("Home", "ArrowRight")
        page.shows(1)
        assert page.troubles == []


def test_poses_that_failed_to_come_are_asked_for_again(host: Host, browser: Any) -> None:
    with reviewed(host, browser) as (page, _):
        page.page.route("**/poses?**", lambda route: route.fulfill(status=500, body="{}"))
        page.press("f")
        said(page, "Select a person first")
        page.press("Tab", "f")
        page.page.wait_for_selector("body[data-last='1'][data-fresh=false]", timeout=WAIT_MS)
        page.page.unroute("**/poses?**")
        page.has_edit(1)


def one_a_frame(index: VideoIndex) -> Tracks:
    """Each pose is a track of its own."""
    people = people_of(index)
    return replace(people, track_id=np.arange(len(people), dtype=np.int64) + 1)


def test_hundreds_of_tracks_take_the_room_of_a_few(host: Host, browser: Any) -> None:
    with reviewed(host, browser, one_a_frame) as (page, _):
        tracks = page.page.locator("#people li").count()
        assert tracks >= 2 * FRAMES - 2
        height = page.page.evaluate("document.getElementById('timeline').height")
        assert height <= page.page.evaluate("document.getElementById('lanes').clientHeight")
        page.page.evaluate("document.getElementById('lanes').scrollTop = 1e6")
        box = page.page.locator("#lanes").bounding_box()
        page.page.mouse.click(box["x"] + 30, box["y"] + box["height"] - 14)
        page.page.wait_for_selector(f"#selected:has-text('Track {tracks}')", timeout=WAIT_MS)
        page.page.click("#people li:first-child button")
        assert page.page.evaluate("document.getElementById('lanes').scrollTop") == 0


def test_steps_go_to_annotated_frames(host: Host, browser: Any) -> None:
    with reviewed(host, browser, selection=Selection(every=EVERY)) as (page, _):
        page.press("ArrowRight")
        page.shows(EVERY)
        page.press("ArrowRight", "ArrowLeft", "ArrowLeft")
        page.shows(0)
        page.press("Shift+ArrowRight")
        page.shows(10)
        assert "not annotated" in page.page.locator("#clock").inner_text()


def test_the_first_annotated_frame_is_shown_first(host: Host, browser: Any) -> None:
    with reviewed(host, browser, selection=Selection(start_s=0.5)) as (page, _):
        page.shows(15)
        assert "not annotated" not in page.page.locator("#clock").inner_text()
        page.press("Home")
        page.shows(0)


def test_a_person_is_pointed_at_by_a_box_or_by_keys_alone(host: Host, browser: Any) -> None:
    with reviewed(host, browser) as (page, _):
        asked: list[Any] = []

        def note(request: Any) -> None:
            if request.url.endswith("/people"):
                asked.append(json.loads(request.post_data))

        page.page.on("request", note)
        page.press("a")
        box = page.page.locator("#stage").bounding_box()
        middle, mouse = box["x"] + box["width"] / 2, page.page.mouse
        mouse.move(middle - 50, box["y"] + 50)
        mouse.down()
        mouse.move(middle + 50, box["y"] + 150)
        with page.page.expect_response("**/people", timeout=WAIT_MS):
            mouse.up()
        page.press("a", "ArrowLeft", "Enter", "ArrowUp", "Shift+ArrowUp")
        with page.page.expect_response("**/people", timeout=WAIT_MS):
            page.press("Enter")
        drawn, pointed = asked
        (x0, y0), (x1, y1) = drawn["corners"]
        assert x1 - x0 == pytest.approx(y1 - y0)
        assert (x0 + x1) / 2 == pytest.approx(160, abs=1)
        # 10 screen pixels up, and one more.
        assert pointed["hips"][1] - pointed["head"][1] == pytest.approx(11 * (x1 - x0) / 100)
        assert pointed["hips"][0] == pointed["head"][0]
