"""What `annotate submit` says of the people that it found."""

from dataclasses import replace
from pathlib import Path

import pytest

from annotate.cli import found as cli
from annotate.cli.found import found_lines
from annotate.use_cases.found_people import FoundPeople, HintSettings, found_people
from tests.made_drawings import Annotated, annotated
from tests.made_videos import Layout

S = HintSettings()
GOOD = FoundPeople("walk.mp4", median=2, most=2, empty=0.1, height=0.6)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path) -> Annotated:
    """90 frames; a person whose box is 140 of 240 pixels high is in 60 of them."""
    path = tmp_path_factory.mktemp("found") / "walk.mp4"
    layout = Layout(".mp4", size=(320, 240), frames=90)
    return annotated(layout.make(path).path, blazepose_pack, range(10, 70))


def test_people_are_counted_over_all_frames(walk: Annotated) -> None:
    found = found_people(walk.store, walk.job, walk.video)
    assert found is not None
    assert (found.median, found.most) == (1, 1)
    assert found.empty == pytest.approx(30 / 90)
    assert found.height == pytest.approx(140 / 240)
    assert found_lines(walk.store, walk.job) == [
        "People in walk.mp4: 1 in the median, 1 at most, none in 33% of the frames."
    ]


def test_without_tracks_nothing_is_said(walk: Annotated) -> None:
    assert found_lines(walk.store, replace(walk.job, smooth_hz=7.0)) == []


@pytest.mark.parametrize(
    ("found", "suggested"),
    [
        (GOOD, False),
        (replace(GOOD, median=S.many), True),
        (replace(GOOD, median=S.many - 0.5), False),
        (replace(GOOD, height=S.small - 0.01), True),
        (replace(GOOD, height=S.small + 0.01), False),
        (replace(GOOD, empty=S.empty + 0.01), True),
        (replace(GOOD, empty=S.empty - 0.01), False),
        (FoundPeople("empty.mp4", 0, 0, 1.0, 0.0), True),
    ],
)
def test_small_many_or_missing_people_suggest_all(found: FoundPeople, suggested: bool) -> None:
    assert found.suggests_all(S) is suggested


def test_the_hint_is_for_near_only(walk: Annotated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "found_people", lambda *_: replace(GOOD, median=5, most=9))
    assert "--people all" in found_lines(walk.store, walk.job)[-1]
    everyone = replace(walk.job, recipe=replace(walk.job.recipe, people="all"))
    assert len(found_lines(walk.store, everyone)) == 1


def test_many_videos_get_totals(walk: Annotated, monkeypatch: pytest.MonkeyPatch) -> None:
    videos = tuple(
        replace(walk.video, name=f"{number}.mp4", fingerprint=f"{number:064x}")
        for number in range(cli.NAMED_VIDEOS + 1)
    )
    counts = iter([7, *[2] * (cli.NAMED_VIDEOS - 1), 0])
    monkeypatch.setattr(
        cli, "found_people", lambda _s, _j, video: replace(GOOD, name=video.name, most=next(counts))
    )
    (line,) = found_lines(walk.store, replace(walk.job, videos=videos))
    assert line == "People in 11 videos: 2 in the median, 7 at most (0.mp4); none in 1 video."
