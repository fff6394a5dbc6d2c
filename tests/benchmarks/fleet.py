"""A plan on paper for very many hours of video: what the cost model says of a fleet of hosts.

    python -m tests.benchmarks.fleet [--hours 1e6] [--people 2] [--days 30] [--cores 16]
        [--price 0.50]

Videos of an hour, H.264 of 1920x1080, 30 frames and 4 Mbit a second, from a bucket, by each
installed pack as `submit` runs it. The models are timed on this host; the rest are its constants.
`--price` is of a host with so many cores for an hour, in any currency.
"""

import argparse
import math
from dataclasses import dataclass

from annotate.domain.options import SubmitOptions
from annotate.domain.settings import settings_from
from annotate.inference import load_models
from annotate.numeric.chunking import chunk_frames
from annotate.numeric.cost_constants import NPU_CARDS
from annotate.numeric.costs import VideoLoad, estimate, npu_ms
from annotate.packs.installed import installed_packs
from annotate.queue.heartbeats import BEAT_S
from annotate.queue.leases import RENEW_S
from annotate.use_cases.expected_cost import frame_core_s
from annotate.use_cases.host_speed import host_speed
from annotate.use_cases.submit import recipe_of

FPS, WIDTH, HEIGHT = 30, 1920, 1080
VIDEO_B = 4e6 / 8 * 3600
FRAMES = FPS * 3600
# Files of a video beside its parts: index, list of chunks, tracks.
FILES = 3


@dataclass(frozen=True)
class Fleet:
    """What is asked for: hours of video, people a frame, days, cores and price of a host."""

    hours: float
    people: float
    days: float
    cores: int
    price: float


def plan(fleet: Fleet) -> dict[str, dict[str, float]]:
    """By pack, the figures of the plan."""
    root, found = settings_from().packs, {}
    for pack in installed_packs(root)[0]:
        folder = root / pack.name
        recipe = recipe_of(pack, SubmitOptions())
        host = host_speed(load_models(pack, folder))
        chunk = chunk_frames(FRAMES, 1, frame_core_s(pack, folder, recipe))
        chunks = math.ceil(FRAMES / chunk)
        video = VideoLoad("h264", WIDTH * HEIGHT, WIDTH, HEIGHT, FRAMES, FRAMES, VIDEO_B, chunks)
        cost = estimate([video], pack, recipe, host, fleet.people, 0)
        sizes = {stage: (folder / spec.file).stat().st_size for stage, spec in pack.stages.items()}
        npu_s = sum(
            runs * npu_ms(NPU_CARDS[0], pack.stages[stage], sizes[stage]) / 1e3
            for stage, runs in cost.runs.items()
        )
        core_h = (cost.total_core_s - cost.core_s["start"]) / 3600
        fed_h = core_h - cost.core_s["models"] / 3600
        hosts = fleet.hours * core_h / (fleet.days * 24 * fleet.cores)
        per_s = fleet.hours / (fleet.days * 86400)
        processes = hosts * fleet.cores
        found[pack.name] = {
            "core-hours an hour of video": core_h,
            "core-hours, millions": fleet.hours * core_h / 1e6,
            f"hosts of {fleet.cores} cores": hosts,
            "price, millions": hosts * fleet.days * 24 * fleet.price / 1e6,
            "NPU-hours of an X Elite, millions": fleet.hours * npu_s / 3600 / 1e6,
            "such cores that an NPU needs beside it": fed_h / (npu_s / 3600),
            "chunks a video": chunks,
            "messages a second": per_s * (chunks + 1),
            "beats and renewals a second": processes * (1 / BEAT_S + 1 / RENEW_S),
            "objects written, millions": fleet.hours * (chunks + FILES) / 1e6,
            "objects written a second": per_s * (chunks + FILES),
            "videos read, PB": fleet.hours * VIDEO_B / 1e15,
            "videos read, GB a second": per_s * VIDEO_B / 1e9,
            "the same if each chunk's host fetches all of its video": per_s
            * VIDEO_B
            * min(chunks, hosts)
            / 1e9,
            "parts, TB": fleet.hours * cost.disk_b["parts"] / 1e12,
            "tracks, TB": fleet.hours * cost.disk_b["tracks"] / 1e12,
            "COCO, TB": fleet.hours * cost.disk_b["coco"] / 1e12,
        }
    return found


def main() -> None:
    """Prints a row a figure, a column a pack."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=1e6)
    parser.add_argument("--people", type=float, default=2.0)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--cores", type=int, default=16)
    parser.add_argument("--price", type=float, default=0.5)
    found = plan(Fleet(**vars(parser.parse_args())))
    print(f"{'':58}" + "".join(f"{name:>18}" for name in found))
    for figure in next(iter(found.values())):
        print(f"{figure:58}" + "".join(f"{of[figure]:18,.3g}" for of in found.values()))


if __name__ == "__main__":
    main()
