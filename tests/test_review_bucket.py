"""The review page on a store in a bucket: edits are made, seen by a second server, taken back and
moved to a folder; trouble of the bucket is said, and over when it is.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from annotate.store import open_store
from tests.command import Host
from tests.made_numbers import write_numbered
from tests.made_review import people_of, write_job
from tests.review_browser import WAIT_MS, needs_chromium, page_of, served
from tests.servers import S3Server

pytestmark = needs_chromium


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A server that the test may stop."""
    server = S3Server(tmp_path / "s3")
    server.start()
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    yield server
    server.kill()


def test_two_hosts_review_a_bucket(
    tmp_path: Path, blazepose_pack: Path, bucket: S3Server, browser: Any
) -> None:
    video, url = write_numbered(tmp_path / "walk.mp4", 60), f"s3://{bucket.new_bucket()}/a"
    write_job(open_store(url), blazepose_pack, [video], people_of)
    host = Host(url, blazepose_pack.parent, tmp_path, bucket.environ)
    home = tmp_path / "other"
    home.mkdir()
    with served(host) as address, served(replace(host, home=home)) as other_address:
        page, other = page_of(browser, address), page_of(browser, other_address)
        for one in (page, other):
            one.has_edit(0)
        page.press("Tab", "r")
        page.page.fill("#ask input", "Ada")
        page.press("Enter")
        page.has_edit(1)
        other.has_edit(1)
        assert "Ada" in other.page.locator("#people").inner_text()
        other.press("v")
        other.has_edit(2)
        page.has_edit(2)
        host.run("edits", "--undo", "2")
        page.has_edit(3)
        assert page.troubles == other.troubles == []
        bucket.stop()
        page.press("f")
        page.page.wait_for_selector("#saved:has-text('Saving')", timeout=WAIT_MS)
        page.page.wait_for_selector("#saved.wrong", timeout=WAIT_MS)
        bucket.start()
        page.page.wait_for_selector("#saved:has-text('Connected again')", timeout=WAIT_MS)
        page.press("f")
        page.has_edit(4)
        bucket.stop()
        page.press("v")
        page.page.wait_for_selector("#saved:has-text('Saving')", timeout=WAIT_MS)
        for one in (page, other):
            one.page.context.close()
    # Ctrl-C did not wait for the bucket, as long as workers do.
    bucket.start()
    host.run("edits", "--export", "edits.json")
    folder = open_store(str(tmp_path / "folder"))
    write_job(folder, blazepose_pack, [video], people_of)
    there = Host(tmp_path / "folder", blazepose_pack.parent, tmp_path)
    assert "Added 4 edits" in there.run("edits", "--import", "edits.json").out
    assert there.exported("there.json") == host.exported("here.json")
    (state,) = json.loads(there.run("edits", "--json").out)
    assert [one["undone"] for one in state["edits"]] == [False, True, False, False]
