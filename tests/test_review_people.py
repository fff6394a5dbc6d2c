"""People that a reviewer shows to the model on the page, in a real video: added, looked at again,
in the next export, and there after a restart.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotate.domain.export_options import ExportOptions
from annotate.domain.tracks import Tracks
from annotate.domain.video import VideoIndex
from annotate.store import open_store
from annotate.use_cases.export import export
from annotate.video import probe
from tests.command import Host
from tests.made_review import people_of, write_job
from tests.review_browser import WAIT_MS, Page, needs_chromium, served, untroubled

pytestmark = needs_chromium


def nobody(index: VideoIndex) -> Tracks:
    people = people_of(index)
    return people.take(np.zeros(len(people), np.bool_))


def draw_box(page: Page, corners: list[list[float]], size: tuple[int, int]) -> None:
    """On the screen, from corners in pixels of the video."""
    picture = page.page.locator("#video").bounding_box()
    scale = picture["width"] / size[0]
    (x0, y0), (x1, y1) = [[picture["x"] + scale * x, picture["y"] + scale * y] for x, y in corners]
    page.page.mouse.move(x0, y0)
    page.page.mouse.down()
    page.page.mouse.move(x1, y1, steps=4)
    page.page.mouse.up()


def test_a_person_is_added_and_looked_at_again(
    tmp_path: Path, blazepose_pack: Path, shared_data: Path, browser: Any
) -> None:
    truth = np.load(shared_data / "reference" / "single_person.tracked.npz")["landmarks"]
    host = Host(tmp_path / "store", blazepose_pack.parent, tmp_path)
    store = open_store(str(host.store))
    job = write_job(store, blazepose_pack, [shared_data / "videos" / "single_person.mp4"], nobody)
    index = probe(shared_data / "videos" / "single_person.mp4")
    size = (index.width, index.height)
    body = truth[0, :, :2] * (size if truth[:, :, :2].max() < 2 else 1)
    corners = [body.min(axis=0).tolist(), body.max(axis=0).tolist()]

    def exported() -> list[Any]:
        out = tmp_path / "people.json"
        export(store, job, ExportOptions(out=out))
        found: list[Any] = json.loads(out.read_bytes())["annotations"]
        return found

    assert exported() == []
    with served(host) as address, untroubled(browser, address) as page:
        page.has_edit(0)
        page.press("a")
        draw_box(page, corners, size)
        page.has_edit(1)
        added = exported()
        assert len(added) > 20
        page.press("Tab", "e")
        draw_box(page, [[x - 9, y + 4] for x, y in corners], size)
        page.has_edit(2)
        again = exported()
        assert again[0]["keypoints"] != added[0]["keypoints"]
        assert again[1:] == added[1:]
        assert again[0]["keypoints"][:2] == pytest.approx(added[0]["keypoints"][:2], abs=9)
    with served(host) as address, untroubled(browser, address) as page:
        page.has_edit(2)
        assert page.page.locator("#people li").count() == 1
        page.page.wait_for_selector("#history li:has-text('poses added')", timeout=WAIT_MS)
        page.page.wait_for_selector("#history li:has-text('1 pose added')", timeout=WAIT_MS)
        assert exported() == again
