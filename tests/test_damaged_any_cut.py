"""Damaged videos through the models: the same tracks for any cut into chunks, and after a kill."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from annotate.domain.options import SubmitOptions
from annotate.domain.pack import read_pack
from annotate.domain.video import Chunk, DamagedFrame
from annotate.inference import load_models
from annotate.synthetic.film import render_video
from annotate.video import decode_with_damage, probe
from annotate.video.writer import Encoding
from tests.command import Host
from tests.conftest import Once
from tests.made_scenes import walk_scene
from tests.test_any_cut import Case, tracks_of
from tests.test_kills import EXACT, cut_finely
from tests.test_video_damage import overwritten, without_ts_packet

SECONDS, FRAMES, GOP = 2.0, 60, 15
OPEN_GOP = {"x264-params": "open-gop=1:bframes=3"}
# How each video is made, and how it is damaged then: in the second and the third of four chunks.
DAMAGED: Mapping[str, tuple[str, Mapping[str, str], Callable[[Path], None]]] = {
    "a zeroed packet": ("zeroed.mp4", {}, lambda path: overwritten(path, 20, 33)),
    "a lost packet of a transport stream": (
        "lost.ts",
        {},
        lambda path: without_ts_packet(path, 0.5),
    ),
    "a lost keyframe of open GOPs": ("open.mp4", OPEN_GOP, lambda path: overwritten(path, 30)),
}


@pytest.fixture
def damaged(request: pytest.FixtureRequest, once: Once) -> Path:
    """A film of two people, with the damage of that name."""
    name, options, damage = DAMAGED[request.param]

    def fill(folder: Path) -> None:
        path = folder / name
        render_video(walk_scene(seconds=SECONDS), path, Encoding(gop=GOP, options=options))
        damage(path)

    return once(f"damaged {name}", fill) / name


def damaged_frames(path: Path) -> int:
    """How many frames of the video are damaged."""
    index = probe(path)
    frames = decode_with_damage(path, index, Chunk(0, len(index)))
    return sum(isinstance(frame, DamagedFrame) for frame in frames)


@pytest.mark.parametrize("damaged", DAMAGED, indirect=True)
def test_however_many_chunks_give_the_same_tracks_of_a_damaged_video(
    damaged: Path, blazepose_pack: Path, tmp_path: Path
) -> None:
    assert 1 <= damaged_frames(damaged) <= FRAMES // 2
    models = load_models(read_pack(blazepose_pack), blazepose_pack)
    case = Case("", 5, GOP, (4,))
    whole = tracks_of(damaged, blazepose_pack, models, tmp_path / "1", case, 1)
    assert tracks_of(damaged, blazepose_pack, models, tmp_path / "4", case, 4) == whole


@pytest.mark.parametrize("damaged", ["a lost packet of a transport stream"], indirect=True)
def test_kill_9_changes_no_byte_of_the_answer_about_a_damaged_video(
    damaged: Path, blazepose_pack: Path, tmp_path: Path
) -> None:
    alone, killed = (Host(tmp_path / name, blazepose_pack.parent, tmp_path) for name in ("a", "b"))
    alone.run("submit", damaged, *EXACT)
    cut_finely(killed, damaged, SubmitOptions(detect_every=1))
    process = killed.start("submit", damaged, *EXACT)
    assert killed.next_heartbeat(process) is not None
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    said = killed.run("submit", damaged, *EXACT)
    assert f"{damaged_frames(damaged)} damaged" in said.out
    assert killed.exported("killed.json") == alone.exported()
