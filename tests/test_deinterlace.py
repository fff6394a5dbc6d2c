"""`--deinterlace`: of frames that hold two moments, the first one is annotated."""

import json
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph
from numpy.typing import NDArray

from annotate.domain.digests import digest_of
from annotate.domain.job import Recipe
from annotate.domain.video import Chunk
from annotate.video import decode, probe
from tests.in_process import InProcess, cheap_work
from tests.made_videos import FPS, Layout

SIZE, COUNT = (192, 96), 12
FIELDS = {"flags": "+ildct+ilme", "b": "20M"}
# How much nearer to the first moment a deinterlaced frame must be than one of two moments.
NEARER = 3.0


def moment(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3): a bar that moves by 8 pixels from one moment to the next."""
    rgb = np.full((height, width, 3), 60, np.uint8)
    left = 8 + 8 * (number % 16)
    rgb[height // 4 : -height // 4, left : left + 24] = 220
    return rgb


def mixed(path: Path, first: str = "tff") -> Path:
    """A video whose frames show one moment in their even lines and one in their odd lines; `tff`
    marks the even ones as earlier, `bff` the odd ones.
    """
    later = 1 if first == "tff" else 0
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=FPS, options=FIELDS)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = SIZE
        stream.codec_context.gop_size = 5
        for number in range(COUNT):
            rgb = moment(2 * number, *SIZE)
            rgb[later::2] = moment(2 * number + 1, *SIZE)[later::2]
            container.mux(stream.encode(marked(rgb, first, number)))
        container.mux(stream.encode(None))
    return path


def marked(rgb: NDArray[np.uint8], first: str, number: int) -> av.VideoFrame:
    """A frame to encode, of which the fields are named."""
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, FPS)
    graph = Graph()
    source = graph.add_buffer(
        width=SIZE[0], height=SIZE[1], format=frame.format, time_base=frame.time_base
    )
    named, sink = graph.add("setfield", f"mode={first}"), graph.add("buffersink")
    source.link_to(named)
    named.link_to(sink)
    graph.configure()
    graph.push(frame)
    result = graph.pull()
    assert isinstance(result, av.VideoFrame)
    return result


def shown(path: Path, chunk: Chunk, *, deinterlace: bool) -> list[NDArray[np.uint8]]:
    return [frame.rgb for frame in decode(path, probe(path), chunk, deinterlace=deinterlace)]


@pytest.mark.parametrize("first", ["tff", "bff"])
def test_the_first_moment_is_shown_alone(first: str, tmp_path: Path) -> None:
    path = mixed(tmp_path / "mixed.ts", first)
    assert probe(path).interlaced
    as_stored = shown(path, Chunk(0, COUNT), deinterlace=False)
    single = shown(path, Chunk(0, COUNT), deinterlace=True)
    for number in range(COUNT):
        truth = moment(2 * number, *SIZE).astype(float)
        mixed_error = np.abs(as_stored[number] - truth).mean()
        assert np.abs(single[number] - truth).mean() * NEARER < mixed_error


@pytest.mark.parametrize("start", [1, 5, 7, 11])
def test_the_answer_does_not_depend_on_where_a_chunk_begins(start: int, tmp_path: Path) -> None:
    path = mixed(tmp_path / "mixed.ts")
    whole = shown(path, Chunk(0, COUNT), deinterlace=True)
    for one, other in zip(
        shown(path, Chunk(start, COUNT), deinterlace=True), whole[start:], strict=True
    ):
        assert np.array_equal(one, other)


def test_frames_of_one_moment_stay_as_they_are(tmp_path: Path) -> None:
    layout = Layout(".mp4", codec="libx264", size=SIZE, frames=COUNT)
    path = layout.make(tmp_path / "plain.mp4").path
    for one, other in zip(
        shown(path, Chunk(0, COUNT), deinterlace=True),
        shown(path, Chunk(0, COUNT), deinterlace=False),
        strict=True,
    ):
        assert np.array_equal(one, other)


def test_only_the_choice_changes_a_recipe() -> None:
    plain, chosen = Recipe("p", "00" * 32), Recipe("p", "00" * 32, deinterlace=True)
    assert plain.digest != chosen.digest
    later = ("deinterlace", "rotations", "precision", "runs_on")
    before = {name: value for name, value in asdict(plain).items() if name not in later}
    assert plain.digest == digest_of({**before, "pack_name": ""})[:16]


def test_submit_takes_the_choice_into_the_job(tmp_path: Path, blazepose_pack: Path) -> None:
    host = InProcess(tmp_path / "host", blazepose_pack.parent)
    path = mixed(tmp_path / "mixed.ts")
    with cheap_work():
        said = host.run("submit", path, "--deinterlace")
        assert (said.code, said.defect) == (0, None), said.text
    assert "see --deinterlace" in said.text
    store = host.opened()
    assert store.newest_job().recipe.deinterlace
    manifest = json.loads(store.newest_job().to_json())
    assert manifest["recipe"]["deinterlace"] is True
