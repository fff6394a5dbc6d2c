"""Frames in which no person was looked for are marked on the timeline of the review page."""

from pathlib import Path
from typing import Any

from annotate.domain.video import Chunk
from annotate.domain.work import Failure
from annotate.store import open_store
from tests.command import Host
from tests.made_numbers import write_numbered
from tests.made_review import people_of, write_job
from tests.review_browser import needs_chromium, served, untroubled

pytestmark = needs_chromium

FRAMES = 60
DAMAGED, MISSING = (10, 15), (30, 50)
REASON = "its data are damaged"
# Of a range of frames: how many pixels of the hatch's colour its part of the timeline has.
INK = """([start, stop]) => {
  const canvas = document.getElementById("timeline");
  const ratio = canvas.width / canvas.clientWidth;
  const wide = canvas.clientWidth - 104;
  const x = (frame) => Math.round((92 + (frame / FRAMES) * wide) * ratio);
  const [top, high] = [Math.round(64 * ratio), Math.round(10 * ratio)];  // below all lanes
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const pen = copy.getContext("2d", { willReadFrequently: true });
  pen.drawImage(canvas, 0, 0);
  const pixels = pen.getImageData(x(start), top, x(stop) - x(start), high).data;
  let ink = 0;
  for (let at = 3; at < pixels.length; at += 4) ink += pixels[at] > 100 ? 1 : 0;
  return ink;
}""".replace("FRAMES", str(FRAMES))


def test_damaged_and_missing_frames_are_hatched_and_told(
    browser: Any, tmp_path: Path, blazepose_pack: Path
) -> None:
    host = Host(tmp_path / "store", blazepose_pack.parent, tmp_path)
    video = write_numbered(tmp_path / "walk.mp4", FRAMES)
    start, stop = DAMAGED
    damaged = {
        "start": start,
        "stop": stop,
        "first_pts": 0,
        "last_pts": 1,
        "reason": REASON,
        "count": stop - start,
    }
    facts = {"missing": [MISSING], "damaged": [damaged]}
    store = open_store(str(host.store))
    job = write_job(store, blazepose_pack, [video], people_of, facts=facts)
    before, lost, after = Chunk(0, MISSING[0]), Chunk(*MISSING), Chunk(MISSING[1], FRAMES)
    results = store.results(job.recipe, job.videos[0])
    results.write_chunks([before, lost, after])
    for chunk in (before, after):
        store.files.write(results.part_key(chunk), b"is listed, and not read")
    results.write_failure(Failure(lost.name, "its worker died", attempts=3, lasting=True))
    with served(host) as address, untroubled(browser, address) as page:
        page.shows(0)
        page.has_edit(0)
        told = page.page.locator("#unseen").text_content()
        assert f"Frames 10 to 14 damaged: {REASON}." in told
        assert "Frames 30 to 49 missing: not processed" in told
        clock, lanes = page.page.locator("#clock"), page.page.locator("#lanes")
        for frame, kind in ((0, ""), (10, "damaged"), (20, ""), (30, "missing")):
            page.shows(frame)
            said = [one for one in ("damaged", "missing") if one in clock.inner_text()]
            assert said == ([kind] if kind else [])
            assert lanes.get_attribute("aria-valuetext") == ", ".join([f"frame {frame}", *said])
            page.press("Shift+ArrowRight")
        for hatched in (DAMAGED, MISSING):
            assert page.page.evaluate(INK, hatched) > 10
        assert page.page.evaluate(INK, (16, 29)) == 0
