"""The review page in a real browser: exact frames, edits that the next export has, nothing from
elsewhere. Needs `pip install playwright` and Chromium (`apt-get install chromium`).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotate.domain.export_options import ExportOptions
from annotate.store import Store, open_store
from annotate.use_cases.export import export
from annotate.video.writer import Encoding
from tests.command import Host
from tests.made_numbers import write_numbered
from tests.made_review import people_of, write_job
from tests.review_browser import (
    READ,
    WAIT_MS,
    Page,
    needs_chromium,
    page_of,
    served,
    started,
    stop,
    untroubled,
)

pytestmark = needs_chromium

FRAMES = 80
# On a busy host the browser may show the next frame before it tells the page.
LATE = 2
# Of some frames that are shown while the video plays: the number in the picture, and the page's.
WHILE_PLAYING = """async () => {
  const read = READ;
  const video = document.getElementById("video");
  const found = [];
  await new Promise((done) => {
    const look = () => {
      found.push([read(), Number(document.body.dataset.frame)]);
      if (found.length < 12) video.requestVideoFrameCallback(look);
      else done();
    };
    video.requestVideoFrameCallback(look);
    video.playbackRate = 0.2;  // so that a busy host is at most LATE frames behind
    video.play();
  });
  video.pause();
  await new Promise((done) => setTimeout(done, 300));
  return found;
}""".replace("READ", READ)


NAMES = ["cfr.mp4", "vfr.mp4", "rotated.mp4", "hevc.mp4", "mpeg2.avi"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path) -> tuple[Host, Store]:
    folder = tmp_path_factory.mktemp("review")
    steps = np.random.default_rng(3).uniform(0.01, 0.08, FRAMES)
    times: list[float] = (np.cumsum(steps) - steps[0]).tolist()
    videos = [
        write_numbered(folder / "cfr.mp4", FRAMES),
        write_numbered(folder / "vfr.mp4", FRAMES, Encoding(gop=20), times),
        write_numbered(folder / "rotated.mp4", FRAMES, Encoding(gop=20, rotation=90)),
        write_numbered(folder / "hevc.mp4", FRAMES, Encoding(codec="libx265", gop=20)),
        write_numbered(folder / "mpeg2.avi", FRAMES, Encoding(codec="mpeg2video", gop=10)),
    ]
    host = Host(folder / "store", blazepose_pack.parent, folder)
    store = open_store(str(host.store))
    write_job(store, blazepose_pack, videos, people_of)
    return host, store


@pytest.fixture(scope="module")
def server(made: tuple[Host, Store]) -> Iterator[str]:
    with served(made[0]) as address:
        yield address


@pytest.fixture
def page(browser: Any, server: str) -> Iterator[Page]:
    with untroubled(browser, server) as opened:
        yield opened


def exported(store: Store, tmp_path: Path, name: str) -> Any:
    out = tmp_path / "people.json"
    export(store, store.newest_job(), ExportOptions(out=out, video=(name,)))
    return json.loads(out.read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_steps_seeks_and_plays_to_the_exact_frame(page: Page, name: str) -> None:
    page.open(name)
    for frame in (1, 2, 3):
        page.press("ArrowRight")
        page.shows(frame)
    page.press("Shift+ArrowRight")
    page.shows(13)
    page.press("ArrowLeft")
    page.shows(12)
    # A held key loses no step.
    page.press(*["ArrowRight"] * 7)
    page.shows(19)
    page.press("End")
    page.shows(FRAMES - 1)
    page.press("Home")
    page.shows(0)
    played = page.page.evaluate(WHILE_PLAYING)
    assert all(0 <= shown - said <= LATE for shown, said in played), played
    assert played[-1][0] > 0
    last = page.page.evaluate("Number(document.body.dataset.frame)")
    page.press("ArrowRight")
    page.shows(min(last + 1, FRAMES - 1))


def test_a_click_on_the_timeline_goes_there(page: Page) -> None:
    page.open("cfr.mp4")
    box = page.page.locator("#timeline").bounding_box()
    page.page.mouse.click(box["x"] + 92 + (box["width"] - 104) * 0.5, box["y"] + 10)
    page.shows(FRAMES // 2)


def test_edits_by_key_are_in_the_next_export_and_can_be_undone(
    page: Page, made: tuple[Host, Store], tmp_path: Path
) -> None:
    _, store = made
    page.open("vfr.mp4")
    before = exported(store, tmp_path, "vfr.mp4")
    page.press("Tab", "Shift+ArrowRight")
    page.shows(10)
    page.press("s")  # split track 1 at frame 10
    page.has_edit(1)
    page.press("ArrowLeft")
    page.shows(9)
    page.press("Delete")
    page.has_edit(2)
    page.press("r")
    page.page.fill("#ask input", "Ada")
    page.press("Enter")
    page.has_edit(3)
    page.press("Home")
    page.shows(0)
    page.press("i", "Shift+ArrowRight")
    page.shows(10)
    page.press("o", "v")
    page.has_edit(4)
    found = exported(store, tmp_path, "vfr.mp4")
    frames = {one["id"]: one["frame_index"] for one in found["images"]}
    by_track: dict[int, set[int]] = {}
    for one in found["annotations"]:
        by_track.setdefault(one["video_track_id"], set()).add(frames[one["image_id"]])
    assert by_track == {1: set(range(9)), 2: set(range(80)), 3: set(range(10, 80))}
    assert {one["track_name"] for one in found["annotations"] if "track_name" in one} == {"Ada"}
    assert sum("reviewed" in one for one in found["images"]) == 11
    for number in range(5, 9):
        page.press("Control+z")
        page.has_edit(number)
    assert exported(store, tmp_path, "vfr.mp4") == before
    page.press("Control+Shift+z")
    page.has_edit(9)
    assert exported(store, tmp_path, "vfr.mp4") != before


def test_a_dragged_keypoint_is_in_the_export(
    page: Page, made: tuple[Host, Store], tmp_path: Path
) -> None:
    _, store = made
    page.open("cfr.mp4")
    before = wrists_of(exported(store, tmp_path, "cfr.mp4"))
    page.press("Tab", *["k"] * 16)  # the sixteenth landmark: left wrist
    page.press(*["Alt+ArrowRight"] * 2)
    page.has_edit(2)
    page.press("h")
    page.has_edit(3)
    moved, same = wrists_of(exported(store, tmp_path, "cfr.mp4"))[:2]
    assert moved == pytest.approx([before[0][0] + 2, before[0][1], 1], abs=0.011)
    assert same == before[1]


def wrists_of(content: Any) -> list[list[float]]:
    """x, y, v of the left wrist of track 1, frame by frame."""
    own = [one for one in content["annotations"] if one["video_track_id"] == 1]
    return [one["keypoints"][27:30] for one in own]


def test_two_reviewers_see_each_other_and_a_conflict_is_named(browser: Any, server: str) -> None:
    one, other = page_of(browser, server), page_of(browser, server)
    for page in (one, other):
        page.open("rotated.mp4")
    one.press("Tab", "f")
    one.has_edit(1)
    other.has_edit(1)  # without a key: it looks by itself
    assert one.troubles == other.troubles == []
    # A page in the background does not look.
    other.page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    one.press("Delete")
    one.has_edit(2)
    other.press("Tab", "Delete")
    other.page.wait_for_selector("#saved.wrong:has-text('has changed the same')", timeout=WAIT_MS)
    other.has_edit(2)
    one.page.context.close()
    other.page.context.close()


def test_all_is_there_after_a_restart_and_keys_are_listed(
    browser: Any, made: tuple[Host, Store]
) -> None:
    host, _ = made
    process, address = started(host)
    page = page_of(browser, address)
    page.open("hevc.mp4")
    page.press("?")
    assert page.page.locator("#keys dt").count() > 30
    page.press("Escape", "Tab", "a")
    assert "hips" in page.page.locator("#hint").inner_text()
    page.press("Escape", "r")
    page.page.fill("#ask input", "Bea")
    page.press("Enter")
    page.has_edit(1)
    page.page.context.close()
    assert "Ended; 1 edit made." in stop(process)
    process, address = started(host)
    page = page_of(browser, address)
    page.open("hevc.mp4")
    page.has_edit(1)
    assert "Bea" in page.page.locator("#people").inner_text()
    assert page.troubles == []
    page.page.context.close()
    stop(process)
