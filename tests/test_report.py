"""`annotate report`: pages that need nothing else, say what was found, and hold in any browser."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotate.domain.errors import UsageError
from annotate.domain.job import Job
from annotate.numeric.timeline import RAW, SMOOTHED, Timeline, TimelineReader
from annotate.use_cases import report as use_case
from annotate.use_cases.report import report
from tests.made_drawings import Annotated, annotated
from tests.made_moments import FPS, MIDDLE, TIME_S, Person, person, standing, tracks_of
from tests.made_tracks import SKELETON
from tests.made_videos import Layout
from tests.review_browser import needs_chromium

# An hour of video may take so much.
MOST_BYTES = 5_000_000
# A name that would be a script if it were not escaped.
HOSTILE = "<script>alert(1)</script>.mp4"


def film(folder: Path, blazepose_pack: Path, name: str = "walk.mp4") -> Annotated:
    """90 frames; track 1 is there in 20 of them, in the middle of the picture."""
    layout = Layout(".mp4", size=(320, 240), frames=90)
    return annotated(layout.make(folder / name).path, blazepose_pack, range(40, 60))


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path) -> Annotated:
    return film(tmp_path_factory.mktemp("report"), blazepose_pack)


def page_of(made: Annotated, out: Path, job: Job | None = None) -> str:
    return report(made.store, made.settings, job or made.job, out).read_text("utf-8")


def test_a_page_tells_all_and_asks_for_nothing(walk: Annotated, tmp_path: Path) -> None:
    text = page_of(walk, tmp_path / "report.html")
    for told in ("walk.mp4", "Begins in mid-picture", "Joint angles</b> of track 1", walk.job.id):
        assert told in text
    assert walk.job.recipe.digest in text
    assert walk.store.read_pack(walk.job.recipe.pack).landmark.sha256 in text
    assert text.count('src="data:image/jpeg') == 2
    assert len(text) < MOST_BYTES
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert all(one.startswith(("data:", "#")) for one in sources)
    assert "<script" not in text
    assert re.search(r"<caption>.+</caption>", text)


def test_names_are_escaped(walk: Annotated, tmp_path: Path) -> None:
    hostile = replace(walk.job, videos=(replace(walk.job.videos[0], name=HOSTILE),))
    text = page_of(walk, tmp_path / "report.html", hostile)
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;.mp4" in text


def test_a_page_tells_that_pictures_were_turned(walk: Annotated, tmp_path: Path) -> None:
    results = walk.store.results(walk.job.recipe, walk.job.videos[0])
    turned = replace(walk.job, recipe=replace(walk.job.recipe, rotations=4))
    index = walk.store.read_index(walk.job.videos[0].fingerprint)
    walk.store.results(turned.recipe, index).write_chunks(results.read_chunks() or ())
    assert "turned in 4 ways" in page_of(walk, tmp_path / "turned.html", turned)
    assert "turned in" not in page_of(walk, tmp_path / "report.html")


def test_without_the_video_there_are_no_pictures_and_the_page_says_so(
    tmp_path: Path, blazepose_pack: Path
) -> None:
    made = film(tmp_path, blazepose_pack)
    made.path.unlink()
    text = page_of(made, tmp_path / "report.html")
    assert "There are no pictures of some moments" in text
    assert "data:image/jpeg" not in text
    assert "Begins in mid-picture" in text


def test_many_videos_become_a_folder_with_a_page_each(
    walk: Annotated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_case, "ONE_PAGE_VIDEOS", 0)
    with pytest.raises(UsageError, match="too many for one page"):
        report(walk.store, walk.settings, walk.job, tmp_path / "report.html")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # the second replaces the first
        index = report(walk.store, walk.settings, walk.job)
    assert index == Path("report/index.html")
    assert 'href="video-0001.html"' in index.read_text("utf-8")
    assert "Begins in mid-picture" in Path("report/video-0001.html").read_text("utf-8")


def test_a_file_that_is_no_report_is_kept(walk: Annotated, tmp_path: Path) -> None:
    other = tmp_path / "thesis.html"
    other.write_text("<!doctype html>\n<p>years of work")
    with pytest.raises(UsageError, match="exists"):
        report(walk.store, walk.settings, walk.job, other)
    report(walk.store, walk.settings, walk.job, other, force=True)
    report(walk.store, walk.settings, walk.job, other)


def test_a_job_without_tracks_has_a_report(walk: Annotated, tmp_path: Path) -> None:
    text = page_of(walk, tmp_path / "report.html", replace(walk.job, smooth_hz=7.0))
    assert "no tracks yet" in text


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280])
def test_chromium_shows_it_without_an_error_or_a_request(
    walk: Annotated, browser: Any, tmp_path: Path, width: int
) -> None:
    page_of(walk, tmp_path / "report.html")
    page = browser.new_page(viewport={"width": width, "height": 900})
    trouble: list[str] = []
    page.on("console", lambda one: trouble.append(one.text))
    page.on("pageerror", lambda one: trouble.append(str(one)))
    page.on("requestfailed", lambda one: trouble.append(one.url))
    page.on("request", lambda one: trouble.append(one.url) if one.url[:4] == "http" else None)
    page.goto((tmp_path / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("[...document.images].every(one => one.naturalWidth > 0)")
    assert page.locator("h2, h3").count() > 5
    page.close()
    assert trouble == []


def timeline_of(people: list[Person], bins: int = 10, cuts: tuple[int, ...] = ()) -> Timeline:
    tracks = tracks_of(people)
    reader = TimelineReader(np.arange(len(TIME_S)), TIME_S, bins, SKELETON)
    for rows in np.split(np.arange(len(tracks)), np.searchsorted(tracks.frame_index, cuts)):
        if len(rows):
            reader.add(tracks.take(rows))
    return reader.timeline(np.ones(len(TIME_S), np.bool_))


def test_people_and_confidence_over_time() -> None:
    line = timeline_of([person(), person((1200, 1300)).present(MIDDLE, len(TIME_S))])
    assert line.most.tolist() == [1] * 5 + [2] * 5
    assert (line.people == np.where(np.arange(len(TIME_S)) < MIDDLE, 1, 2)).all()
    assert np.allclose(line.confidence, 1)


def test_speed_and_jitter_are_those_of_a_known_motion() -> None:
    """One body height a second, steadily; then the raw pose shakes by a hundredth every frame."""
    one = standing()
    height = np.ptp(one.xy[0], axis=0).max()
    moving = one.xy + np.stack([TIME_S, 0 * TIME_S], axis=1)[:, None] * height
    shaking = moving.copy()
    shaking[:, :, 1] += np.where(np.arange(len(TIME_S)) % 2, 0.01, 0)[:, None] * height
    line = timeline_of([replace(one, xy=moving, raw=shaking)])
    assert np.allclose(line.speed[SMOOTHED], 1, rtol=1e-3)
    assert np.allclose(line.speed[RAW], np.hypot(1, 0.01 * FPS), rtol=1e-3)
    assert np.allclose(line.jitter[SMOOTHED], 0, atol=0.1)
    assert np.allclose(line.jitter[RAW], 2 * 0.01 * FPS**2, rtol=1e-2)


@pytest.mark.parametrize("cuts", [(1, 2), (50, 51, 120)])
def test_the_timeline_does_not_depend_on_the_blocks(cuts: tuple[int, ...]) -> None:
    people = [person(), person((1300, 1200)).present(30, 150)]
    whole, cut = timeline_of(people), timeline_of(people, cuts=cuts)
    for name in ("people", "most", "confidence", "speed", "jitter"):
        assert np.allclose(getattr(whole, name), getattr(cut, name), equal_nan=True)
