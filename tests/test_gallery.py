"""Every case of the gallery is read as it must be; `python -m tests.benchmarks.gallery` annotates
them too.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from annotate.domain.errors import AnnotateError, ChangedError, VideoError
from annotate.domain.images import ImageSequence
from annotate.domain.video import Chunk, VideoIndex
from annotate.use_cases.find_videos import find_videos
from annotate.video import decode, joined, probe
from annotate.video.clock import DEFAULT_FPS
from tests.gallery import CASES, Answer
from tests.gallery.judge import Ran, plain_frames, verdict_of

# Cases whose pictures take seconds to encode or decode: the benchmark has them.
LARGE = {"7680 by 4320", "3840 by 2160"}


@pytest.mark.parametrize("name", sorted(set(CASES) - LARGE))
def test_a_case_of_the_gallery_is_read_with_all_frames_or_refused(
    name: str, tmp_path: Path
) -> None:
    case = CASES[name]
    path = case.make(tmp_path)
    if case.answer.outcome == "rejected":
        with pytest.raises(AnnotateError) as raised:
            _read(path)
        assert raised.value.message
        assert raised.value.hint
        return
    if case.answer.outcome == "any":
        with suppress(VideoError, ChangedError):
            _read(path, case.during)
        return
    index, sizes = _read(path)
    wanted = plain_frames(path) if case.answer.frames is None else case.answer.frames
    if case.answer.outcome == "done":
        assert len(index) == len(sizes) == wanted
    assert len(index) - len(sizes) >= (case.answer.outcome == "damaged")
    assert set(sizes) == {case.answer.size}


@pytest.mark.parametrize(
    ("lines", "faults"),
    [
        ("Frames: 23 decoded, 0 damaged, 0 missing.", ["1 frames lost in silence"]),
        ("damaged    video.mp4: 1 packet is damaged; the rest is annotated", []),
    ],
)
def test_the_judge_takes_a_loss_that_nothing_tells_for_silent(
    lines: str, faults: list[str], tmp_path: Path
) -> None:
    images = [{"width": 192, "height": 160}] * 23
    ran = Ran(0, lines, 1.0, 100.0)
    answer = Answer("any", 24, (192, 160))
    verdict = verdict_of(answer, tmp_path, ran, ran, {"images": images, "annotations": []})
    assert verdict.faults == faults


def _read(
    path: Path, during: Callable[[Path], None] | None = None
) -> tuple[VideoIndex, list[tuple[int, int]]]:
    """The index of a video, and width and height of each frame."""
    (found,) = find_videos([path]).videos
    if isinstance(found, ImageSequence):
        file = path.parent / "joined.mov"
        joined(found, DEFAULT_FPS, file, lambda _bytes: None)
        found = file
    assert isinstance(found, Path)
    index = probe(found)
    if during is not None:
        during(found)
    shapes = [frame.rgb.shape for frame in decode(found, index, Chunk(0, len(index)))]
    return index, [(width, height) for height, width, _ in shapes]
