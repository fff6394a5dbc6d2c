"""What annotating is expected to cost: sums of steps whose constants are made here."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from annotate.domain.job import Recipe
from annotate.domain.options import People
from annotate.domain.pack import Pack, read_pack
from annotate.numeric.cost_constants import MEASURED, NPU_CARDS, DecodeCost
from annotate.numeric.costs import (
    Cost,
    HostSpeed,
    VideoLoad,
    estimate,
    model_core_ms,
    npu_ms,
    pose_values,
    views_of,
    wall_s,
)

VIDEO = VideoLoad(
    codec="h264",
    stored_pixels=1_000_000,
    width=1000,
    height=1000,
    frames=600,
    decoded=1000,
    decoded_bytes=2e6,
    chunks=3,
)
# A millisecond, or a thousand seconds, for each of the steps, so that sums can be read.
MADE = replace(
    MEASURED,
    decode={"h264": DecodeCost(pixel_ns=1.0, byte_ns=500.0), "": DecodeCost(9.0, 0.0)},
    picture_pixel_ns=2.0,
    planes_pixel_ns=1.0,
    frame_ms=1.0,
    view_ms=10.0,
    look_ms=100.0,
    looks_alone=1.5,
    looks_twice=2.0,
    looks_tracked=1.0,
    part_pose_us=0.0,
    merge_pose_us=1000.0,
    merge_value_us=0.0,
    start_s=1000.0,
    process_s=100.0,
    video_s=10.0,
)
MODEL_MS: Mapping[str, float] = {"detector": 5.0, "landmark": 2.0, "person_detector": 7.0}


@pytest.fixture(scope="module")
def pack(blazepose_pack: Path) -> Pack:
    return read_pack(blazepose_pack)


def recipe(pack: Pack, every: int = 5, people: People = "near", rotations: int = 1) -> Recipe:
    return Recipe(pack.name, pack.digest, people, every, rotations=rotations)


def cost(pack: Pack, asked: Recipe | None = None, people: float = 1.0, **changes: float) -> Cost:
    host = HostSpeed(MODEL_MS, **changes)  # type: ignore[arg-type]
    return estimate([VIDEO], pack, asked or recipe(pack), host, people, 2, MADE)


def test_every_step_is_counted_once(pack: Pack) -> None:
    found = cost(pack)
    assert found.runs == {"detector": 120, "landmark": 600}
    assert found.core_s == {
        "start": 1000 + 2 * 100 + 10,
        "decoding": pytest.approx(1000 * 1e6 * 1e-9 + 2e6 * 500e-9),
        "models": pytest.approx(120 * 0.005 + 600 * 0.002),
        "between": pytest.approx(600 * 0.001 + 120 * 0.01 + 600 * 0.1 + 600 * 1e6 * 1e-9),
        "merge": pytest.approx(0.6),
    }
    assert found.total_core_s == pytest.approx(sum(found.core_s.values()))
    assert (found.frames, found.poses) == (600, 600)


def test_a_codec_that_was_not_measured_is_taken_for_a_usual_one(pack: Pack) -> None:
    unknown = replace(VIDEO, codec="dirac")
    found = estimate([unknown], pack, recipe(pack), HostSpeed(MODEL_MS), 1.0, 1, MADE)
    assert found.core_s["decoding"] == pytest.approx(9.0)


def test_frames_that_are_left_out_are_decoded_in_part(pack: Pack) -> None:
    decode = {"": DecodeCost(pixel_ns=1.0, byte_ns=0.0, skipped=0.25)}
    made = replace(MADE, decode=decode)
    found = estimate([VIDEO], pack, recipe(pack), HostSpeed(MODEL_MS), 1.0, 1, made)
    assert found.core_s["decoding"] == pytest.approx(0.6 + 0.25 * 0.4)


def test_people_cost_runs_of_the_landmark_model_alone(pack: Pack) -> None:
    one, three = cost(pack), cost(pack, people=3.0)
    assert three.runs == {"detector": 120, "landmark": 1800}
    assert three.core_s["decoding"] == one.core_s["decoding"]
    assert three.disk_b["coco"] > 2 * one.disk_b["coco"]


def test_frames_that_are_looked_at_alone_take_more_runs_a_pose(pack: Pack) -> None:
    alone = cost(pack, recipe(pack, every=1))
    assert alone.runs == {"detector": 600, "landmark": 900}
    # All people are looked at twice, in tiles of 1000x1000 too.
    tiles = views_of(pack, recipe(pack, people="all"), 1000, 1000)
    assert cost(pack, recipe(pack, 1, "all")).runs == {"detector": 600 * tiles, "landmark": 1200}


def test_only_mediapipes_mode_makes_frames_rgb(pack: Pack) -> None:
    # 600 frames of a megapixel, at 2 ns or 1 ns each; a run of a model takes the same before it.
    between = {every: cost(pack, recipe(pack, every)) for every in (1, 5)}
    for every, ns in ((1, 2.0), (5, 1.0)):
        runs = between[every].runs
        others = 600 * 0.001 + runs["detector"] * 0.01 + runs["landmark"] * 0.1
        assert between[every].core_s["between"] == pytest.approx(others + 0.6 * ns)


def test_tiles_are_counted_for_the_size_of_the_picture(pack: Pack) -> None:
    asked = recipe(pack, people="all")
    assert views_of(pack, asked, 1920, 1080) == 39
    assert views_of(pack, asked, 224, 224) == 1
    assert views_of(pack, recipe(pack), 1920, 1080) == 1


def test_a_turned_picture_is_seen_four_times(lightning_pack: Path) -> None:
    movenet = read_pack(lightning_pack)
    for every, landmarks in ((1, 4 * 900), (10, 600)):
        found = cost(movenet, recipe(movenet, every, "all", rotations=4))
        assert found.runs["detector"] == 4 * 600 / every
        assert found.runs["landmark"] == landmarks


def test_a_slower_host_takes_longer_for_all_but_the_models(pack: Pack) -> None:
    usual, slow = cost(pack), cost(pack, slowness=2.0)
    for step, seconds in usual.core_s.items():
        assert slow.core_s[step] == (seconds if step == "models" else 2 * seconds), step
    assert slow.export_s == 2 * usual.export_s


def test_an_accelerator_runs_the_models_instead_of_the_cores(pack: Pack) -> None:
    found = cost(pack, accelerated=True)
    assert found.core_s["models"] == 0
    assert found.accelerator_s == pytest.approx(cost(pack).core_s["models"])


def test_chunks_are_shared_and_start_and_merge_are_not(pack: Pack) -> None:
    found = cost(pack)
    alone = 1000 + 100 + 10 + 0.6
    assert wall_s(found, 2, 3, MADE) == pytest.approx(alone + found.chunks_core_s / 2)
    # Two of these eight processes have no chunk.
    more = wall_s(found, 2, 1, MADE)
    assert more == pytest.approx(alone + found.chunks_core_s)


def test_poses_have_numbers_by_their_kind(pack: Pack, lightning_pack: Path) -> None:
    assert pose_values(pack.landmark) == 33 * 8
    assert pose_values(read_pack(lightning_pack).landmark) == 17 * 3


@pytest.mark.parametrize(
    ("name", "size_bytes", "pixels", "core_ms"),
    [
        ("pose_landmark_lite", 5_107_436, 256 * 256, 5.5),
        ("pose_landmark_heavy", 54_508_121, 256 * 256, 42.2),
        ("movenet-thunder", 24_991_727, 256 * 256, 28.0),
        ("movenet-lightning", 9_359_399, 192 * 192, 7.3),
        ("yolox_nano", 3_678_356, 416 * 416, 14.6),
        ("nanodet", 15_169_276, 416 * 416, 40.7),
    ],
)
def test_the_expected_time_of_a_model_is_near_the_measured_one(
    name: str, size_bytes: int, pixels: int, core_ms: float
) -> None:
    expected = model_core_ms(size_bytes, pixels)
    assert core_ms / 1.5 < expected < core_ms * 1.5, name


def test_an_npu_takes_the_times_of_its_card_or_as_much_more_as_a_model_is_larger(
    pack: Pack, lightning_pack: Path
) -> None:
    card, movenet = NPU_CARDS[0], read_pack(lightning_pack)
    assert npu_ms(card, pack.detector, 1) == card.detector_ms
    assert npu_ms(card, pack.landmark, 1) == card.landmark_ms
    size = 12_200_000  # of the card's landmark model, whose input is larger
    scaled = npu_ms(card, movenet.landmark, size)
    assert scaled == pytest.approx(card.landmark_ms * (192 / 256) ** 2)
