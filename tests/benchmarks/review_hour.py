"""How quick the review page is with an hour of two people, and how much memory its tab takes.

    python -m tests.benchmarks.review_hour --packs FOLDER

The video is an hour of small numbered frames, 30 a second; two people walk through all of it. No
model runs. `--packs` is a folder with the pack `blazepose-full`, as `annotate models pull` makes
it. Chromium is driven as a person drives it, without a window: it has no GPU then.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from annotate.domain.job import HERE, Job, JobVideo, Recipe
from annotate.domain.pack import read_pack
from annotate.domain.tracks import Tracks
from annotate.domain.video import Chunk, VideoIndex
from annotate.store import open_store
from annotate.video import probe
from tests.benchmarks.looped import looped
from tests.command import PATIENCE_S, Host
from tests.made_numbers import write_numbered
from tests.made_review import people_of
from tests.review_browser import chromium, page_of, started, stop

FPS, SECONDS, PIECE_S = 30, 3600, 8
# Seconds that each measurement takes.
MEASURE_S = 4
# The targets: seconds, pictures a second, MB.
OPEN_S, SCRUB_FPS, TAB_MB = 2.0, 60.0, 300.0
# Seconds since the address was opened.
SINCE = "performance.now() / 1000"
# Drags along the timeline, a step a picture of the screen; how many pictures there were a second,
# and how many frames of the video were shown.
SCRUB = """async (seconds) => {
  const canvas = document.getElementById("timeline");
  const box = canvas.getBoundingClientRect();
  const at = (share) => ({ bubbles: true, pointerId: 1, button: 0, clientY: box.top + 10,
    clientX: box.left + 100 + share * (box.width - 120) });
  canvas.setPointerCapture = () => {};
  canvas.dispatchEvent(new PointerEvent("pointerdown", at(0)));
  const [start, frames] = [performance.now(), new Set()];
  let pictures = 0;
  while (performance.now() - start < 1000 * seconds) {
    await new Promise(requestAnimationFrame);
    pictures += 1;
    const share = (performance.now() - start) / (1000 * seconds);
    canvas.dispatchEvent(new PointerEvent("pointermove", at(Math.min(1, share))));
    frames.add(document.body.dataset.frame);
  }
  canvas.dispatchEvent(new PointerEvent("pointerup", at(1)));
  return [pictures / seconds, frames.size / seconds];
}"""
# Plays; how many frames were shown a second.
PLAY = """async (seconds) => {
  const video = document.getElementById("video");
  const before = video.getVideoPlaybackQuality();
  await video.play();
  await new Promise((done) => setTimeout(done, 1000 * seconds));
  video.pause();
  const after = video.getVideoPlaybackQuality();
  const shown = after.totalVideoFrames - before.totalVideoFrames;
  return (shown - after.droppedVideoFrames + before.droppedVideoFrames) / seconds;
}"""


def walks(piece: Tracks, index: VideoIndex) -> Iterator[Tracks]:
    """The people of a piece of the video, again and again to its end."""
    for first in range(0, len(index), FPS * PIECE_S):
        here = piece.take(piece.frame_index + first < len(index))
        frames = here.frame_index + first
        times = index.time_s[frames]
        yield replace(here, frame_index=frames, pts=index.pts[frames], time_s=times)


def made(folder: Path, packs: Path) -> Host:
    """A host whose store has a job of the video."""
    pack = packs / "blazepose-full"
    piece = write_numbered(folder / "piece.mp4", FPS * PIECE_S)
    video = looped(piece, SECONDS // PIECE_S, folder / "hour.mp4")
    host = Host(folder / "store", packs, folder)
    store, index = open_store(str(host.store)), probe(video)
    store.add_pack(pack, read_pack(pack).digest)
    store.write_index(index)
    recipe = Recipe("blazepose-full", read_pack(pack).digest)
    one = JobVideo(video.name, index.fingerprint, HERE, str(video))
    job = Job("20260102-030405-abcdef", recipe, 6.0, (one,))
    results = store.results(recipe, one)
    results.write_chunks([Chunk(0, len(index))])
    blocks = walks(people_of(probe(piece)), index)
    results.write_tracks(job.merge_digest, blocks, 33, {"missing": []}, 0)
    store.write_job(job)
    return host


def tab_mb() -> float:
    """Memory that the processes of Chromium's tabs have to themselves, the largest one's, in MB."""
    children = psutil.Process().children(recursive=True)
    tabs = [one for one in children if any("--type=renderer" in word for word in one.cmdline())]
    return max(float(one.memory_full_info().uss) / 1e6 for one in tabs)


def seconds_of(asked: Any) -> dict[str, float]:
    """What the main thread of the tab spent up to now: on the page's own code and what it calls, on
    style and layout, and on all.
    """
    metrics = asked.send("Performance.getMetrics")["metrics"]
    found = {one["name"]: float(one["value"]) for one in metrics}
    layout = found["LayoutDuration"] + found["RecalcStyleDuration"]
    return {
        "script": found["ScriptDuration"],
        "layout": layout,
        "all of the main thread": found["TaskDuration"],
    }


def measured(browser: Any, address: str) -> Iterator[tuple[str, float, float]]:
    """Figures: name, value, target."""
    page = page_of(browser, address)
    page.page.wait_for_selector("body[data-fresh=true]")
    yield "opens: picture and people, s", page.page.evaluate(SINCE), OPEN_S
    page.has_edit(0)
    yield "opens: timeline, s", page.page.evaluate(SINCE), OPEN_S
    page.page.wait_for_selector("body[data-checked]", timeout=PATIENCE_S * 1000)
    yield "opens: places to check, s", page.page.evaluate(SINCE), np.nan
    asked = page.page.context.new_cdp_session(page.page)
    asked.send("Performance.enable")
    spent = seconds_of(asked)
    pictures, frames = page.page.evaluate(SCRUB, MEASURE_S)
    yield "scrubs: pictures of the screen a second", pictures, SCRUB_FPS
    yield "scrubs: frames of the video a second", frames, np.nan
    for name, seconds in seconds_of(asked).items():
        step_ms = 1000 * (seconds - spent[name]) / (pictures * MEASURE_S)
        yield f"scrubs: {name} a step, ms", step_ms, np.nan
    page.press("Home")
    page.shows(0)
    yield "plays: frames a second", page.page.evaluate(PLAY, MEASURE_S), FPS
    yield "memory of the tab, MB", tab_mb(), TAB_MB
    assert page.troubles == [], page.troubles


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packs", type=Path, required=True)
    packs = parser.parse_args().packs.absolute()
    with tempfile.TemporaryDirectory() as temporary:
        host = made(Path(temporary), packs)
        process, address = started(host)
        try:
            with chromium() as browser:
                for name, value, target in measured(browser, address):
                    print(f"{name:<42} {value:8.2f}   target {target:g}")
                one, five, _ = psutil.getloadavg()
                print(f"load of the host: {one:.1f}, {five:.1f}, of {psutil.cpu_count()} cores")
        finally:
            stop(process)


if __name__ == "__main__":
    main()
